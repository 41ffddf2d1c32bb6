# SPDX-License-Identifier: Apache-2.0
"""Flash images from the probes' ELF files: a second opinion beside the host tool."""

import hashlib
import struct

CHIP_ID = 0xA205


def loads(elf):
    """[(address, data)] of the ELF file's loadable segments, and its entry address."""
    raw = elf.read_bytes()
    entry, phoff = struct.unpack_from("<II", raw, 24)
    size, count = struct.unpack_from("<HH", raw, 42)
    found = []
    for i in range(count):
        kind, offset, _, address, length = struct.unpack_from("<IIIII", raw, phoff + i * size)
        if kind == 1 and length:
            data = raw[offset:offset + length]
            found.append((address, data + bytes(-length % 4)))
    return found, entry


def build(segments, entry, chip=CHIP_ID):
    body = struct.pack("<BBBBIB3sHBHHIB", 0xE9, len(segments), 2, 0x20, entry, 0xEE, bytes(3), chip,
                       0, 0, 0xFFFF, 0, 1)
    checksum = 0xEF
    for address, data in segments:
        body += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    body += bytes(15 - len(body) % 16) + bytes([checksum])
    return body + hashlib.sha256(body).digest()


def partition_table(rows):
    """rows: (name, type, subtype, offset, size)."""
    table = b"".join(struct.pack("<2sBBII16sI", b"\xaa\x50", kind, subtype, offset, size,
                                 name.encode(), 0) for name, kind, subtype, offset, size in rows)
    table += b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()
    return table.ljust(0xC00, b"\xff")


def from_elf(elf, **more):
    return build(*loads(elf), **more)
