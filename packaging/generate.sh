#!/bin/sh
# Writes what comes with the binary and is made by it: manual pages and completions.
# usage: packaging/generate.sh BINARY FOLDER
set -eu
binary=$1 folder=$2

rm -rf "$folder"
mkdir -p "$folder/man"
"$binary" man --dir "$folder/man"
"$binary" completions bash > "$folder/segtui.bash"
"$binary" completions zsh > "$folder/_segtui"
"$binary" completions fish > "$folder/segtui.fish"
"$binary" completions powershell > "$folder/segtui.ps1"
