#!/bin/sh
# Builds the Debian package, installs it into a temporary root, runs it from there, and removes it again.
#
# usage: packaging/deb.sh [PROFILE [TARGET]]
#   PROFILE of cargo: `release` if none is given, `dev` for a quick look
#   TARGET for which it has been built already with `cargo build --target`: that binary is packed, and nothing is built
# needs: what builds segtui; cargo-deb (`cargo install cargo-deb --locked`); dpkg-dev, which has dpkg-shlibdeps; and to be root, or
#   fakeroot, since dpkg gives files to root: `fakeroot packaging/deb.sh`
# The package is target/debian/segtui_VERSION-1_ARCHITECTURE.deb. The last line says how to install it.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-release} triple=${2:-}

say() { printf '== %s\n' "$*"; }
fail() { printf 'packaging/deb.sh: %s\n' "$*" >&2; exit 1; }

command -v cargo-deb > /dev/null || fail "cargo-deb is missing; run \`cargo install cargo-deb --locked\`"
command -v dpkg-shlibdeps > /dev/null || fail "dpkg-shlibdeps is missing; install the package dpkg-dev"
[ "$(id -u)" = 0 ] || fail "has to be root to install into a temporary root; try \`fakeroot packaging/deb.sh\`"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

target=${CARGO_TARGET_DIR:-target}
case $profile in dev) built=debug/segtui ;; *) built=$profile/segtui ;; esac
if [ -z "$triple" ]; then
    say "build ($profile)"
    cargo build --locked --profile "$profile"
    built=$target/$built
else
    built=$target/$triple/$built
    [ -x "$built" ] || fail "there is no $built; run \`cargo build --locked --profile $profile --target $triple\`"
fi
packaging/generate.sh "$built" packaging/generated

say "package"
mkdir -p "$target/debian"
package=$(cargo deb --locked --no-build --profile "$profile" ${triple:+--target "$triple"} --output "$target/debian/" | tail -n 1)
dpkg-deb --info "$package" | sed -n 's/^ \(Package\|Version\|Architecture\|Depends\|Recommends\|Installed-Size\)/  \1/p'

say "install into $work/root"
root=$work/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers" "$root/var/log"
: > "$root/var/lib/dpkg/status"
: > "$root/var/lib/dpkg/available"
# What it depends on is on this machine and not in that root.
dpkg --root="$root" --force-depends --log=/dev/null --install "$package" > "$work/dpkg.log" 2>&1 || {
    cat "$work/dpkg.log" >&2
    fail "couldn't be installed"
}
dpkg --root="$root" --status segtui | grep -q '^Status: install ok installed' || fail "isn't installed"

say "run it from there"
mkdir "$work/home"
installed() { env -i HOME="$work/home" PATH=/nowhere "$root/usr/bin/segtui" "$@"; }
installed --version
installed tree --demo --depth 1 > "$work/tree"
grep -q '^Hurtownie' "$work/tree" || fail "the tree of the demo is not what it should be"
installed doctor --demo > "$work/doctor" || fail "doctor finds faults: $(cat "$work/doctor")"

say "what comes with it"
for page in segtui segtui-apply; do
    zcat "$root/usr/share/man/man1/$page.1.gz" | grep -q '^\.TH' || fail "the manual page $page is missing"
done
bash -n "$root/usr/share/bash-completion/completions/segtui" || fail "bash can't read its completions"
for file in zsh/vendor-completions/_segtui fish/vendor_completions.d/segtui.fish doc/segtui/copyright doc/segtui/LICENSE-MIT \
    doc/segtui/LICENSE-APACHE doc/segtui/docs/commands.md doc/segtui/assets/recording-light.svg doc/segtui/examples/pipeline; do
    ls "$root/usr/share/$file"* > /dev/null 2>&1 || fail "$file is missing"
done
if grep -rq -e "$PWD" "$root/usr/share/bash-completion" "$root/usr/share/zsh" "$root/usr/share/fish"; then
    fail "completions name a folder of this machine"
fi

say "remove it"
dpkg --root="$root" --log=/dev/null --purge segtui > "$work/dpkg.log" 2>&1 || {
    cat "$work/dpkg.log" >&2
    fail "couldn't be removed"
}
left=$(find "$root" -path "$root/var" -prune -o \( -type f -o -type l \) -print)
[ -z "$left" ] || fail "left behind: $left"

say "done; to install it:"
# Without a slash, apt would look for it among the packages that it knows.
case $package in /*) ;; *) package=./$package ;; esac
echo "sudo apt install $package"
