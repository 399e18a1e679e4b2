# SPDX-License-Identifier: Apache-2.0
"""How several processes count into one dict so that a process killed at any moment changes nothing in the result.

Every key of the dict that is an identifier (a str) holds its count. The other keys are tuples, so that no identifier
can be mistaken for one of them:

    ("next",)            number of the next file nobody has claimed
    ("file", number)     path of that file
    ("claim", worker)    number of the file this worker is counting, None between two files
    ("totals",)          Totals: what is done so far; the progress bar reads it

Two steps change them, each one `update` under the lock, and an `update` happens wholly or not at all, even if its
process is killed half-way. *Claim* moves ("next",) and sets the worker's claim. *Record* adds the counts of the file,
moves the totals and ends the claim. So a claim that is not None names a file of which nothing was counted: the
replacement of a dead worker counts it again, and every file is counted exactly once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from identifiers import FileCount, count_file

from UltraDict import UltraDict

NEXT = ("next",)
TOTALS = ("totals",)


class Totals(NamedTuple):
    """What the workers have done together."""

    files: int = 0
    incomplete_files: int = 0
    tokens: int = 0
    updates: int = 0  # identifiers written, over all files
    write_ns: int = 0  # time spent in the dict: waiting for the lock, reading, writing


def prepare(shared: UltraDict[Any, Any], paths: Sequence[str]) -> None:
    """Lay out the work: no file claimed, nothing counted."""
    shared.update({("file", number): path for number, path in enumerate(paths)})
    shared.update({NEXT: 0, TOTALS: tuple(Totals())})


def totals(shared: UltraDict[Any, Any]) -> Totals:
    """What is done so far. Needs no lock: the tuple is one value."""
    return Totals(*shared[TOTALS])


def identifier_counts(shared: UltraDict[Any, Any]) -> dict[str, int]:
    """The result: the keys that are identifiers, with their counts."""
    return {key: count for key, count in shared.items() if isinstance(key, str)}


def claim(shared: UltraDict[Any, Any], worker: int) -> int | None:
    """The file this worker is to count: the one its dead predecessor left, or the next; None when all are claimed."""
    with shared.lock:
        number = shared.get(("claim", worker))
        if number is None:
            number = shared[NEXT]
            if ("file", number) not in shared:
                return None
            shared.update({NEXT: number + 1, ("claim", worker): number})
    return int(number)


def record(shared: UltraDict[Any, Any], worker: int, counted: FileCount, will: Connection | None) -> None:
    """Add the counts of the claimed file and end the claim, in one step."""
    start_ns = time.perf_counter_ns()
    with shared.lock:
        done = totals(shared)
        if will is not None and half_done(shared, done):
            wait_for_death(will)
        changes: dict[Any, Any] = {name: shared.get(name, 0) + n for name, n in counted.identifiers.items()}
        changes[("claim", worker)] = None
        changes[TOTALS] = (
            done.files + 1,
            done.incomplete_files + (not counted.complete),
            done.tokens + counted.tokens,
            done.updates + len(counted.identifiers),
            done.write_ns + time.perf_counter_ns() - start_ns,
        )
        shared.update(changes)


def half_done(shared: UltraDict[Any, Any], done: Totals) -> bool:
    """Whether half of the files are counted."""
    return ("file", 2 * done.files) not in shared


def wait_for_death(will: Connection) -> None:
    """Say that this process holds the lock, and hold it until the process is killed."""
    will.send(os.getpid())
    while True:
        time.sleep(1)


def work(shared: UltraDict[Any, Any], worker: int, will: Connection | None = None) -> None:
    """A worker: claim, count, record, until all is claimed. With a `will` it dies half-way, holding the lock."""
    while (number := claim(shared, worker)) is not None:
        record(shared, worker, count_file(shared[("file", number)]), will)
