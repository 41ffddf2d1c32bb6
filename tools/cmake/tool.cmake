# SPDX-License-Identifier: Apache-2.0
#
# The host program `airlift`, used while building firmware.
include_guard(GLOBAL)
