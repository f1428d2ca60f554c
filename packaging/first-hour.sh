#!/bin/sh
# Runs the two commands of the README as somebody does who has just found it: in a fresh clone of the latest commit, with an empty home
# and nothing built, and prints how long each took. The demo is opened in a terminal, until its tree is live, and quit.
#
# usage: packaging/first-hour.sh
# needs: git; what builds segtui; `script` of util-linux (package bsdutils); and a network or mirror from which cargo gets the dependencies.
#   The toolchain is the one of this machine, and so is a `config.toml` of cargo's, which may name a mirror or a proxy.
# takes: some minutes, for two builds, and 2 GB of room in TMPDIR. Everything is removed at the end.
set -eu
cd "$(dirname "$0")/.."

say() { printf '== %s\n' "$*"; }
fail() { printf 'packaging/first-hour.sh: %s\n' "$*" >&2; exit 1; }

command -v script > /dev/null || fail "script is missing; install the package bsdutils"

# As the README has them, so that nothing else is tried here.
commands=$(sed -n '/^```sh$/,/^```$/{/^cargo /p}' README.md)
demo=$(printf '%s\n' "$commands" | sed -n 1p)
install=$(printf '%s\n' "$commands" | sed -n 2p)
case $demo in 'cargo run '*' -- --demo') ;; *) fail "the README doesn't begin with the demo, but with: $demo" ;; esac
case $install in 'cargo install '*) ;; *) fail "the README doesn't install next, but says: $install" ;; esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone --quiet . "$work/segtui"
say "a clone of $(git rev-parse --short=12 HEAD)"
mkdir -p "$work/home/.cargo"
for config in "${CARGO_HOME:-$HOME/.cargo}/config.toml"; do
    [ ! -f "$config" ] || cp "$config" "$work/home/.cargo/"
done
cd "$work/segtui"
newcomer() {
    env -i HOME="$work/home" PATH="$PATH" TERM=xterm-256color LANG=C.UTF-8 RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
        ${https_proxy:+https_proxy="$https_proxy"} ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} "$@"
}

say "$demo"
mkfifo "$work/keys"
before=$(date +%s)
# A terminal of 120 columns, in which what is typed comes from the pipe.
newcomer script -q -e -f -c "stty cols 120 rows 40; $demo" "$work/screen" < "$work/keys" > /dev/null &
started=$!
exec 3> "$work/keys"
until grep -q 'live' "$work/screen" 2> /dev/null; do
    kill -0 "$started" 2> /dev/null || { tail -n 20 "$work/screen" >&2; fail "it ended before the tree was live"; }
    sleep 0.2
done
shown=$(($(date +%s) - before))
printf q >&3
exec 3>&-
if wait "$started"; then code=0; else code=$?; fi
[ "$code" = 0 ] || fail "the demo ended with exit code $code"
say "live after $shown s, and quit"

say "$install"
before=$(date +%s)
newcomer $install > "$work/install" 2>&1 || { tail -n 20 "$work/install" >&2; fail "it couldn't be installed"; }
took=$(($(date +%s) - before))
newcomer "$work/home/.cargo/bin/segtui" --version
newcomer "$work/home/.cargo/bin/segtui" tree --demo --depth 1 > "$work/tree"
grep -q '^Hurtownie' "$work/tree" || fail "the tree of the demo is not what it should be"
say "installed after $took s"
say "done: $shown s and $took s"
