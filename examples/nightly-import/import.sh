#!/bin/sh
# Brings the customer groups that an ERP has written to a CSV file into a tenant.
#
# usage: import.sh FILE FOLDER
#
# FILE    the CSV file: name, externalId, parentExternalId
# FOLDER  where the results are kept: report.ndjson, left.csv, ids.csv
#
# Where to connect to comes from the environment or a profile. The file speaks for everything below the segment with the external
# ID $SCOPE (ERP unless set): what is below it and not in the file is deleted. Everything else is left alone.
#
# The exit code is that of segtui: 0 done, 2 a faulty file, 5 done in part (see left.csv), 6 more changes than are plausible (nothing
# was sent), 7 the server can't be reached (the next run continues). Whatever isn't 0 should wake somebody up.
set -eu

file=$1
folder=$2
scope=${SCOPE:-ERP}
mkdir -p "$folder"

# What is wrong with the file by itself is said with line numbers, before the server is asked anything.
segtui check "$file" --rule blank-name --rule missing-external-id --rule duplicate-external-id --exit-code || {
    echo "import.sh: $file was not imported" >&2
    exit 2
}

exec segtui apply "$file" --root "ext=$scope" --prune --yes --no-progress \
    --report "$folder/report.ndjson" \
    --rejects "$folder/left.csv" \
    --id-map "$folder/ids.csv"
