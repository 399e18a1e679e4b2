# SPDX-License-Identifier: Apache-2.0
"""The data loader: many processes read all records of one set in random order. How much memory they need together.

A reader is started first, says that it is ready, and only then gets the set: an `UltraDict`, the proxy of a `Manager`,
or a plain dict, which arrives as a full copy. When all have read everything and still hold it, the PSS of all
processes, the one that made the set included, is added up, and what it was before there was a set is taken off. It is
held against the live bytes of a store with as many records: `live_size + blob_size + table_size` of `stats()`.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal, TypeVar, Union

import numpy as np
from harness import Pair, Row, Scale, check

from processes import in_new_process, pss, received
from UltraDict import UltraDict

Record = tuple[int, "np.ndarray[Any, np.dtype[np.float32]]"]
Records = Union[dict[str, Record], UltraDict[str, Record], Any]  # or the proxy of a Manager
R = TypeVar("R", bound=Records)
UPDATE, BESIDE = "d.update(chunk)", "plain.update(chunk), and a pickle of each value"
MEMORY_GOAL = 1.3
LOAD_GOAL = 3.0
CACHE_BYTES = 16 * 2**20
CHUNK = 10_000
LABELS = 10


def measure(scale: Scale) -> Iterator[Row]:
    """The goals with a million records, then the other ways with fewer: theirs grow by the record too."""
    count, readers = scale.of((1_000_000, 8), (2_000, 2))
    yield in_new_process(measure_load, count)
    yield in_new_process(measure_shared, count, readers)
    fewer = scale.of(50_000, 1_000)
    live = in_new_process(live_bytes_of, fewer)
    ways = {"full copies": measure_copies, "plain dict, forked": measure_forked, "Manager().dict()": measure_manager}
    for name, way in ways.items():
        number = scale.of(5_000, 500) if way is measure_manager else fewer
        grown = in_new_process(way, number, readers)
        yield memory_row(f"{name}, {number:,} records", grown, live * number // fewer, None)


def memory_row(name: str, grown: int, live: int, goal: float | None) -> Row:
    """Memory of all processes beside what has to be there once."""
    note = "" if goal else "for information: "
    note += f"PSS of all grew by {grown / 2**20:.0f} MiB; live bytes of a store of as many {live / 2**20:.0f} MiB"
    return Row(name, "sum of PSS / live bytes", grown / live, "x", goal, note=note)


# --- the records ---


def key_of(number: int) -> str:
    return f"record{number:07}"


def chunk_of(start: int, end: int) -> dict[str, Record]:
    """Records as a program makes or loads them: a label and a hundred numbers."""
    return {key_of(i): (i % LABELS, np.full(100, i, np.float32)) for i in range(start, end)}


def chunks(count: int) -> Iterator[dict[str, Record]]:
    """All records, some at a time: no second copy of them is ever whole."""
    return (chunk_of(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK))


def filled(records: R, count: int) -> R:
    """The records in a container of any kind."""
    for chunk in chunks(count):
        records.update(chunk)
    return records


def open_store() -> UltraDict[str, Record]:
    """A store whose processes keep few decoded objects; who gets it as an argument takes that bound along."""
    return UltraDict.open(cache_bytes=CACHE_BYTES)


def live_bytes(shared: UltraDict[str, Record]) -> int:
    """What has to be in shared memory, whatever is reserved beside it."""
    stats = shared.stats()
    return stats["live_size"] + stats["blob_size"] + stats["table_size"]


def live_bytes_of(count: int) -> int:
    with open_store() as shared:
        return live_bytes(filled(shared, count))


# --- the time to load ---


def measure_load(count: int) -> Row:
    """Each chunk goes into both, in turn; making it is nobody's time."""
    ours, beside = 0.0, 0.0
    plain: dict[str, Record] = {}
    shared = open_store()
    with shared:
        for chunk in chunks(count):
            ours += seconds_of(lambda chunk=chunk: shared.update(chunk))  # type: ignore[misc]
            beside += seconds_of(lambda chunk=chunk: load_plain(plain, chunk))  # type: ignore[misc]
        check(UPDATE, list(shared), list(plain))
        for key in list(plain)[:: max(1, count // 1000)]:
            check(UPDATE, pickle.dumps(shared[key]), pickle.dumps(plain[key]))
    pair = Pair(ours / count * 1e9, beside / count * 1e9)
    return pair.row(f"load {count:,} records", UPDATE, LOAD_GOAL, f"beside {BESIDE}")


def load_plain(plain: dict[str, Record], chunk: dict[str, Record]) -> None:
    plain.update(chunk)
    for value in chunk.values():
        pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def seconds_of(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


# --- the readers ---

inherited: dict[str, Record] = {}  # what forked readers read, who are sent None


def reader(connection: Any, count: int, seed: int) -> None:
    """Ready before there is anything to read, afterwards it stays until everybody was measured."""
    order = array("I", np.random.default_rng(seed).permutation(np.arange(count, dtype=np.uint32)).tobytes())
    connection.send("ready")
    records = connection.recv()
    read_all(inherited if records is None else records, order)
    connection.send("read")
    connection.recv()


def read_all(records: Records, order: array[int]) -> None:
    """Every record once; each is compared with what was loaded."""
    for number in order:
        label, values = records[key_of(number)]
        if label != number % LABELS or values.item(0) != number or values.item(99) != number:
            check("record", (label, *values[[0, 99]]), (number % LABELS, number, number))


class Readers:
    """Some readers, started and ready, in `with`; they end with it."""

    def __init__(self, method: Literal["fork", "spawn"], count: int, readers: int) -> None:
        context: Any = multiprocessing.get_context(method)
        pairs = [context.Pipe() for _ in range(readers)]
        self.connections = [here for here, _ in pairs]
        self.processes: list[Any] = [
            context.Process(target=reader, args=(there, count, seed), daemon=True)
            for seed, (_, there) in enumerate(pairs)
        ]

    def __enter__(self) -> Readers:
        for process in self.processes:
            process.start()
        self.expect("ready")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.join()

    def expect(self, word: str) -> None:
        """Wait until all of them have said it."""
        for connection, process in zip(self.connections, self.processes):
            check("reader", received(connection, process), word)

    def read(self, records: Records) -> float:
        """Let all of them read; the seconds it took them."""
        started = time.perf_counter()
        for connection in self.connections:
            connection.send(records)
        self.expect("read")
        return time.perf_counter() - started

    def pss(self, *others: int) -> int:
        """Of the readers, this process and others, together."""
        return pss([os.getpid(), *others, *(process.pid for process in self.processes)])


# --- the ways to share records ---


def measure_shared(count: int, readers: int) -> Row:
    """An UltraDict."""
    with Readers("spawn", count, readers) as all_readers:
        before = all_readers.pss()
        shared = filled(open_store(), count)
        seconds = all_readers.read(shared)
        grown, live = all_readers.pss() - before, live_bytes(shared)
        shared.close(data=False)
    row = memory_row(f"{readers} readers of {count:,} records", grown, live, MEMORY_GOAL)
    return replace(row, note=f"{row.note}; {readers * count / seconds:,.0f} records/s")


def measure_copies(count: int, readers: int) -> int:
    """What the original does: each process unpickles the whole dict."""
    with Readers("spawn", count, readers) as all_readers:
        before = all_readers.pss()
        records: dict[str, Record] = filled({}, count)
        all_readers.read(records)
        return all_readers.pss() - before


def measure_manager(count: int, readers: int) -> int:
    """A server process holds the records; every read is a message to it."""
    with Readers("spawn", count, readers) as all_readers, multiprocessing.get_context("spawn").Manager() as manager:
        server: int = manager._process.pid  # type: ignore[attr-defined]
        before = all_readers.pss(server)
        all_readers.read(filled(manager.dict(), count))
        return all_readers.pss(server) - before


def measure_forked(count: int, readers: int) -> int:
    """A plain dict that children inherit: reading it writes to it, for each object counts its references."""
    with Readers("fork", 0, readers) as idle:
        idle.read(None)
        before = idle.pss()
    filled(inherited, count)
    with Readers("fork", count, readers) as all_readers:
        all_readers.read(None)
        return all_readers.pss() - before
