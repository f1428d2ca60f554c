#!/bin/sh
# Shows what a merge request would change. It changes nothing.
#
# usage: plan.sh FILE OUT
#
# FILE  the segments, as CSV, JSON, NDJSON or an outline
# OUT   where the plan is kept, for apply.sh
#
# Fails if the file has faults, if the server can't be reached, or if the plan does more than is plausible. An API key that can only
# read is enough.
set -eu

segtui check "$1" --rule blank-name --rule duplicate-external-id --rule cycle --rule self-parent --exit-code
segtui plan "$1" --out "$2" --read-only
