#!/bin/sh
# Applies a plan that plan.sh has made, as it is or not at all.
#
# usage: apply.sh PLAN TENANT REPORT
#
# PLAN    the plan
# TENANT  the tenant, spelt out: a plan for another one is refused
# REPORT  what became of each change, a line of JSON each
#
# A change whose segment is another one since the plan was made isn't applied; the exit code is 5 then, and the report says which.
set -eu

segtui apply "$1" --yes --approve "$2" --report "$3" --no-progress
