# SPDX-License-Identifier: Apache-2.0
"""What scripts need to build firmware, drive boards and run servers: used by tests/, bench/ and
tools/demo."""
