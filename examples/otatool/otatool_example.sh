#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Uses otatool and parttool from a shell: copies the factory application into the update slots and
# boots each. Stops at the first surprise.
#
#   otatool_example.sh [--build-dir BUILD] [--flash FILE]
set -eu

usage="usage: otatool_example.sh [--build-dir BUILD] [--flash FILE]"
build=build
flash=
case ${1:-} in
-h | --help)
    echo "$usage"
    exit 0
    ;;
esac
while [ $# -ge 2 ]; do
    case $1 in
    --build-dir) build=$2 ;;
    --flash) flash=$2 ;;
    *) break ;;
    esac
    shift 2
done
if [ $# -gt 0 ]; then
    echo "$usage" >&2
    exit 2
fi

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# on_board VERB ARGUMENTS...: that verb of airlift on our board.
on_board() {
    verb=$1
    shift
    "${AIRLIFT_TOOL:-airlift}" "$verb" --build-dir "$build" ${flash:+--flash "$flash"} "$@"
}

# Boots, and compares what the application says with the label of a partition.
expect_running() {
    on_board run --until "Example end" --timeout 60 > "$work/console"
    running=$(sed -n 's/.*Running partition: \([^ ]*\).*/\1/p' "$work/console" | tr -d '\r')
    if [ "$running" != "$1" ]; then
        echo "$1 should run, but ${running:-nothing} does" >&2
        exit 1
    fi
    echo "$1 runs"
}

on_board otatool erase_otadata
expect_running factory

on_board parttool read_partition --partition-type app --partition-subtype factory \
    --output "$work/factory.bin"
for slot in 0 1; do
    on_board otatool write_ota_partition --slot $slot --input "$work/factory.bin"
    on_board otatool read_ota_partition --slot $slot --output "$work/slot.bin"
    cmp "$work/factory.bin" "$work/slot.bin"
done

on_board otatool switch_ota_partition --slot 0
expect_running ota_0
on_board otatool switch_ota_partition --name ota_1
on_board otatool read_otadata
expect_running ota_1

on_board otatool erase_ota_partition --name ota_1
expect_running ota_0

on_board otatool erase_otadata
expect_running factory
echo "Example done"
