# SPDX-License-Identifier: Apache-2.0
"""Reads and damages images with nothing but the format's prose: an independent second reader."""

import hashlib
import random
import re
import struct

HEADER = 24


def segments(image):
    """[(load address, data offset, length)] of an image."""
    found, position = [], HEADER
    for _ in range(image[1]):
        address, length = struct.unpack_from("<II", image, position)
        found.append((address, position + 8, length))
        position += 8 + length
    return found


def length(image):
    """Total length L of the image, digest included."""
    address, offset, size = segments(image)[-1]
    end = offset + size
    checksum_at = (end + 1 + 15) // 16 * 16 - 1
    return checksum_at + 1 + (32 if image[23] == 1 else 0)


def reseal(image):
    """Recomputes checksum and appended SHA-256, so that only what a test changed is wrong."""
    image = bytearray(image[:length(image)])
    checksum = 0xEF
    for _, offset, size in segments(image):
        words = 0
        for (word,) in struct.iter_unpack("<I", image[offset:offset + size]):
            words ^= word
        checksum ^= words ^ words >> 8 ^ words >> 16 ^ words >> 24
    checksum &= 0xFF
    digest = 32 if image[23] == 1 else 0
    image[len(image) - digest - 1] = checksum
    if digest:
        image[-32:] = hashlib.sha256(image[:-32]).digest()
    return bytes(image)


def with_chip_id(image, chip_id):
    changed = bytearray(image)
    struct.pack_into("<H", changed, 12, chip_id)
    return reseal(changed)


def with_secure_version(image, version):
    """The image a build with CONFIG_BOOTLOADER_APP_SECURE_VERSION=version makes: it stands in the
    descriptor, and in the copy of it that the program itself reads, if that is another one."""
    changed = bytearray(image)
    described = image[32:36] + bytes(12) + image[48:80]
    places = [match.start() for match in re.finditer(re.escape(described), image)]
    if 32 not in places:
        raise ValueError("the image's descriptor has a secure version already")
    for place in places:
        struct.pack_into("<I", changed, place + 4, version)
    return reseal(changed)


def flip_bit(image, byte, bit):
    changed = bytearray(image)
    changed[byte] ^= 1 << bit
    return bytes(changed)


class Flash:
    """The partitions of a flash file, by the table in it."""

    def __init__(self, path, table_offset=0x8000):
        self.path = path
        self.partitions = {}
        with open(path, "rb") as file:
            file.seek(table_offset)
            table = file.read(0xC00)
        for row in range(0, len(table), 32):
            magic, kind, sub, offset, size = struct.unpack_from("<HBBII", table, row)
            if magic != 0x50AA:
                break
            label = table[row + 12:row + 28].rstrip(b"\0").decode()
            self.partitions[label] = (offset, size)

    def read(self, label, count=None):
        offset, size = self.partitions[label]
        with open(self.path, "rb") as file:
            file.seek(offset)
            return file.read(size if count is None else count)


def grow(image, size):
    """The same program in an image of about size bytes: a padding segment (load address 0, never
    loaded) of bytes that do not compress is added."""
    end = length(image) - (32 if image[23] == 1 else 0)
    _, offset, last = segments(image)[-1]
    body = bytearray(image[:offset + last])
    filler = (size - end - 8) // 4 * 4
    body += struct.pack("<II", 0, filler) + random.Random(8).randbytes(filler)
    body[1] += 1
    checksum_at = (len(body) + 1 + 15) // 16 * 16 - 1
    body += bytes(checksum_at + 1 - len(body))
    return reseal(bytes(body) + bytes(32 if image[23] == 1 else 0))
