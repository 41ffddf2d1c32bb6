#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tools/lint.sh BUILD[:PATTERN]...: cppcheck over what the compile_commands.json of those build
# folders say, our own sources only, and of these only paths that match the regular expression; and
# the shell scripts. Silent and 0 when clean.
set -euo pipefail
cd "$(dirname "$0")/.."

status=0
root=$PWD
found=$(mktemp)
trap 'rm -f "$found"' EXIT
for argument in "$@"; do
    build=${argument%%:*}
    pattern=
    [[ $argument != *:* ]] || pattern=${argument#*:}
    # Third-party sources, unit tests' embedded files and generated sources are not ours to check.
    filtered=$build/cppcheck.json
    python3 - "$build/compile_commands.json" "$filtered" "$root" "$pattern" << 'PY'
import json
import re
import sys

commands, out, root, pattern = sys.argv[1:]
with open(commands, encoding="utf-8") as file:
    entries = json.load(file)
ours = [entry for entry in entries
        if entry["file"].startswith(root + "/") and entry["file"].endswith(".c")
        and not entry["file"].startswith(root + "/build/")
        and re.search(pattern, entry["file"][len(root):])]
with open(out, "w", encoding="utf-8") as file:
    json.dump(ours, file)
PY
    mkdir -p "$build/cppcheck"
    # Older versions overlook _Noreturn, but know the attribute.
    cppcheck --quiet -j2 --project="$filtered" --cppcheck-build-dir="$build/cppcheck" \
        --enable=warning,portability,performance --inline-suppr \
        --suppressions-list=tools/cppcheck.suppress --error-exitcode=1 --std=c11 \
        '-D_Noreturn=__attribute__((noreturn))' 2> "$found" || status=1
    # What it finds across files does not reach its exit status.
    [[ ! -s $found ]] || { cat "$found" >&2; status=1; }
done
if command -v shellcheck > /dev/null; then
    shellcheck -x -S warning tools/*.sh tools/*/*.sh .ci/run || status=1
fi
exit $status
