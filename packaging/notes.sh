#!/bin/sh
# Prints what CHANGELOG.md says of a version.
# usage: packaging/notes.sh VERSION
set -eu
cd "$(dirname "$0")/.."
notes=$(awk -v version="$1" '/^## /{ inside = index($0, "## " version " ") == 1; next } inside' CHANGELOG.md)
[ -n "$notes" ] || { echo "packaging/notes.sh: CHANGELOG.md has no version $1" >&2; exit 1; }
printf '%s\n' "$notes"
