# SPDX-License-Identifier: Apache-2.0
"""A hostile writer of a dict's files: what it writes has the right checksum and the wrong content.

It lets UltraDict store a value of the right size, and puts other bytes in its place.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

RECORD = struct.Struct("<QQIIIIIHH")  # RecordHeader of src/layout.h
TABLE_NUMBER = 1728  # Control::state.table_number: docs/memory-layout.md
RECORD_CHECKSUM, RECORD_REST = 24, 8  # the offset of the checksum; what it covers begins behind the ref
IDENTITY_SIZE, IDENTITY_CHECKSUM, IDENTITY_ATTRIBUTES = 152 + 256 + 1024 + 192, 144, 152 + 256


def xxh3(data: bytes) -> int:
    """The checksum of everything shared."""
    library = ctypes.util.find_library("xxhash")
    if library is None:
        pytest.skip("the library xxhash is not found")
    digest = ctypes.CDLL(library).XXH3_64bits
    digest.restype, digest.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t]
    answer: int = digest(data, len(data))
    return answer


def control_of(name: str) -> Path:
    place = Path(os.environ["ULTRADICT_DIR"])
    return place / "d" / os.readlink(place / "n" / name) / "control"


def replace_in_records(name: str, old: bytes, new: bytes) -> int:
    """In every record that holds them; answers in how many. Both have one length, a multiple of nothing."""
    assert len(old) == len(new)
    with open(control_of(name), "r+b") as file, mmap.mmap(file.fileno(), 0) as control:
        found, position = 0, control.find(old)
        while position >= 0:
            start = _record_around(control, position)
            control[position : position + len(new)] = new
            _seal(control, start)
            found, position = found + 1, control.find(old, position + 1)
        return found


def _record_around(control: mmap.mmap, position: int) -> int:
    """The record whose checksum says that it holds this position."""
    for start in range(position // 8 * 8 - RECORD.size, max(0, position - 100_000), -8):
        size = _size(control, start)
        if start + RECORD.size <= position < start + size <= len(control) and _is_sealed(control, start, size):
            return start
    raise AssertionError("no record is around it")


def _size(control: mmap.mmap, start: int) -> int:
    fields = RECORD.unpack_from(control, start)
    return (RECORD.size + fields[5] + fields[6] + fields[7] + 7) // 8 * 8


def _checksum(control: mmap.mmap, start: int, size: int) -> int:
    covered = bytearray(control[start + RECORD_REST : start + size])
    covered[RECORD_CHECKSUM - RECORD_REST : RECORD_CHECKSUM - RECORD_REST + 4] = bytes(4)
    return xxh3(bytes(covered)) & 0xFFFFFFFF


def _is_sealed(control: mmap.mmap, start: int, size: int) -> bool:
    stored: int = struct.unpack_from("<I", control, start + RECORD_CHECKSUM)[0]
    return size < 100_000 and stored == _checksum(control, start, size)


def _seal(control: mmap.mmap, start: int) -> None:
    struct.pack_into("<I", control, start + RECORD_CHECKSUM, _checksum(control, start, _size(control, start)))


@contextmanager
def table_being_replaced(name: str) -> Iterator[None]:
    """What the first store of a clear() says, and its last one takes back."""
    with open(control_of(name), "r+b") as file, mmap.mmap(file.fileno(), 0) as control:
        (number,) = struct.unpack_from("<Q", control, TABLE_NUMBER)
        struct.pack_into("<Q", control, TABLE_NUMBER, number | 1)
        yield
        struct.pack_into("<Q", control, TABLE_NUMBER, number)


def secret_of(name: str) -> bytes:
    """Of the keyed hash."""
    return control_of(name).read_bytes()[IDENTITY_SIZE - 192 : IDENTITY_SIZE]


def replace_attributes(name: str, old: bytes, new: bytes) -> None:
    """In the recorded parameters of a dict, with a right checksum again."""
    assert len(old) == len(new)
    with open(control_of(name), "r+b") as file:
        identity = bytearray(file.read(IDENTITY_SIZE))
        assert identity.count(old, IDENTITY_ATTRIBUTES) == 1
        place = identity.index(old, IDENTITY_ATTRIBUTES)
        identity[place : place + len(new)] = new
        identity[IDENTITY_CHECKSUM : IDENTITY_CHECKSUM + 8] = bytes(8)
        struct.pack_into("<Q", identity, IDENTITY_CHECKSUM, xxh3(bytes(identity)))
        file.seek(0)
        file.write(identity)
