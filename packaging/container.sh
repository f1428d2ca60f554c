#!/bin/sh
# Builds the container and tries it: that it runs as another user than root, without a home and on a file system it can't write to,
# and that it ends within a second of SIGTERM.
#
# usage: packaging/container.sh [PROFILE]
# With podman or a running docker, from the Containerfile. Where there is neither, its steps are done without one: the same static
# binary (for musl, built with PROFILE of cargo: `release` if none is given) in a root of its own, as process 1 there. That has to be
# root, and needs the target `x86_64-unknown-linux-musl` of rustup, musl-tools, and unshare and chroot.
set -eu
cd "$(dirname "$0")/.."
profile=${1:-release}

say() { printf '== %s\n' "$*"; }
fail() { printf 'packaging/container.sh: %s\n' "$*" >&2; exit 1; }

work=$(mktemp -d)
builder=
if podman info > /dev/null 2>&1; then builder=podman; elif docker info > /dev/null 2>&1; then builder=docker; fi

if [ -n "$builder" ]; then
    trap 'rm -rf "$work"' EXIT
    say "build with $builder"
    "$builder" build --build-arg "SEGTUI_COMMIT=$(git rev-parse --short=12 HEAD)" -f Containerfile -t segtui-try .
    contained() { "$builder" run --rm --read-only --network none segtui-try "$@"; }
    user=$("$builder" image inspect --format '{{.Config.User}}' segtui-try)
    [ "$user" = 65532:65532 ] || fail "runs as $user"
    begin() { "$builder" run --rm --read-only --network none --name segtui-try watch --demo > "$work/out" 2>&1 & started=$!; }
    # `stop` would kill it after ten seconds, and say nothing of that.
    end() { "$builder" kill --signal TERM segtui-try > /dev/null; }
else
    say "neither podman nor docker: the same steps in a root of its own"
    [ "$(id -u)" = 0 ] || fail "has to be root to change the root"
    machine=$(uname -m)
    cargo build --locked --profile "$profile" --target "$machine-unknown-linux-musl"
    target=${CARGO_TARGET_DIR:-target}/$machine-unknown-linux-musl
    case $profile in dev) built=$target/debug/segtui ;; *) built=$target/$profile/segtui ;; esac
    root=$work/root
    mkdir -p "$root/usr/bin" "$root/etc/ssl/certs"
    cp "$built" "$root/usr/bin/segtui"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    # What may be written to would show.
    chmod -R a-w "$root"
    trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
    change_root="$(command -v chroot) --userspec=65532:65532 $root"
    # It finds nothing of this environment.
    apart="env -i $(command -v unshare) --pid --fork --kill-child --net"
    contained() { $apart $change_root /usr/bin/segtui "$@"; }
    begin() {
        # With a loopback of its own, which has to be switched on.
        $apart /bin/sh -c "$(command -v ip) link set lo up; exec $change_root /usr/bin/segtui watch --demo" > "$work/out" 2>&1 &
        started=$!
    }
    end() { kill -TERM "$(pgrep -P "$started")"; }
fi

say "run it"
contained --version
contained man > "$work/manual"
grep -q '^\.TH' "$work/manual" || fail "no manual"
if contained tree > "$work/tree" 2>&1; then fail "a tenant nobody has configured is no error"; else code=$?; fi
[ "$code" = 2 ] || fail "exit code $code without a configuration: $(cat "$work/tree")"
grep -q 'SEGTUI_BASE_URL' "$work/tree" || fail "doesn't say what to configure: $(cat "$work/tree")"

say "stop it"
: > "$work/out"
begin
tries=0
until grep -q 'watching' "$work/out"; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "didn't start: $(cat "$work/out")"
    sleep 0.1
done
before=$(date +%s%N)
end
patience=50
while kill -0 "$started" 2> /dev/null && [ "$patience" -gt 0 ]; do
    patience=$((patience - 1))
    sleep 0.1
done
[ "$patience" -gt 0 ] || { kill -KILL "$started"; fail "doesn't end"; }
if wait "$started"; then code=0; else code=$?; fi
took=$((($(date +%s%N) - before) / 1000000))
say "ended after $took ms with exit code $code"
[ "$code" = 143 ] || fail "exit code $code, not 143"
[ "$took" -lt 1000 ] || fail "took longer than a second"
say "done"
