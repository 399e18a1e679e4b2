# SPDX-License-Identifier: Apache-2.0
"""operations.py <operation> <count>: does one operation so many times, for who counts what the processor does meanwhile
(tools/instructions.py): the difference between two counts is the cost of the operations between them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from UltraDict import UltraDict

KEYS = [f"key{number}" for number in range(1000)]


def read(d: Any, count: int) -> None:
    for _ in range(count // len(KEYS)):
        for key in KEYS:
            d[key]


def read_missing(d: Any, count: int) -> None:
    for number in range(count):
        d.get(-1 - number)


def overwrite(d: Any, count: int) -> None:
    for number in range(count // len(KEYS)):
        for key in KEYS:
            d[key] = number


def insert(d: Any, count: int) -> None:
    for number in range(count):
        d[number] = number


def lock(d: Any, count: int) -> None:
    shared_lock = d.lock
    for _ in range(count):
        with shared_lock:
            pass


def increment(d: Any, count: int) -> None:
    shared_lock = d.lock
    for _ in range(count):
        with shared_lock:
            d["key0"] += 1


OPERATIONS: dict[str, Callable[[Any, int], None]] = {
    function.__name__: function for function in (read, read_missing, overwrite, insert, lock, increment)
}


if __name__ == "__main__":
    with UltraDict(dict.fromkeys(KEYS, 0)) as shared:
        list(map(shared.__getitem__, KEYS))
        OPERATIONS[sys.argv[1]](shared, int(sys.argv[2]))
