#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# run_folder.sh PYTHON FOLDER [PYTEST ARGUMENT...]: runs the tests of a folder and prints in one piece
# what they said, so that several can run side by side.
python=$1 folder=$2
shift 2
echo "== $folder: started"
output=$(mktemp)
trap 'rm -f "$output"' EXIT
"$python" -m pytest -q -ra -p no:cacheprovider "$folder" "$@" > "$output" 2>&1
status=$?
# The arguments picked nothing here.
if [ $status = 5 ] && [ $# -gt 0 ]; then
    status=0
fi
flock "$0" sh -c 'echo "== $1"; cat "$2"' sh "$folder" "$output"
exit $status
