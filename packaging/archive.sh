#!/bin/sh
# Packs a binary that has been built, with what comes with it: segtui-VERSION-TARGET.tar.gz, or .zip for Windows.
#
# usage: packaging/archive.sh TARGET FOLDER [PROFILE]
set -eu
cd "$(dirname "$0")/.."
triple=$1 folder=$2 profile=${3:-release}

case $profile in dev) built=debug ;; *) built=$profile ;; esac
case $triple in *-windows-*) ending=.exe ;; *) ending= ;; esac
binary=${CARGO_TARGET_DIR:-target}/$triple/$built/segtui$ending
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
name=segtui-$version-$triple

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
packaging/generate.sh "$binary" "$work/$name"
cp "$binary" README.md CHANGELOG.md SECURITY.md LICENSE-MIT LICENSE-APACHE "$work/$name/"
# What these pages and those under docs/ link to.
cp CONTRIBUTING.md Containerfile "$work/$name/"
cp -R docs examples "$work/$name/"
mkdir "$work/$name/assets"
cp assets/*.svg "$work/$name/assets/"
case $triple in
    *-windows-*) (cd "$work" && 7z a -bso0 "$name.zip" "$name") && mv "$work/$name.zip" "$folder/" ;;
    *) tar -C "$work" -czf "$folder/$name.tar.gz" "$name" ;;
esac
