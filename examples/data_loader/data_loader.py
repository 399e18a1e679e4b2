# SPDX-License-Identifier: Apache-2.0
"""One million training records in shared memory, and eight processes that read all of them, each in an order of its
own. The records are there once: a process adds little more than its `cache_bytes`.

`Records` is what PyTorch calls a map-style dataset. `torch.utils.data.DataLoader(Records(shared), num_workers=8,
batch_size=100, shuffle=True)` takes it as it is, whichever way it starts its workers; this program needs no torch.

What is printed at the end compares two numbers of bytes. One is the PSS of all processes, this one included, as the
kernel reckons it (a page mapped by several is divided among them), less what it was when all of them were started and
had not opened the dict. The other is `live_size + blob_size + table_size` of `stats()`: the records and the index that
finds them, without what is reserved beside them.

    data_loader.py [--records 1000000] [--readers 8]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from array import array
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from UltraDict import UltraDict

CACHE_BYTES = 16 * 2**20
CHUNK = 10_000
LABELS = 10
Record = tuple[int, "np.ndarray[Any, np.dtype[np.float32]]"]


def key_of(number: int) -> str:
    """Where a record is."""
    return f"record{number:07}"


class Records:
    """A dataset: its length, and its items by number. It travels to workers as its dict does, attached."""

    def __init__(self, shared: UltraDict[str, Record]) -> None:
        self.shared = shared

    def __len__(self) -> int:
        return len(self.shared)

    def __getitem__(self, number: int) -> Record:
        if not 0 <= number < len(self.shared):
            raise IndexError(number)
        return self.shared[key_of(number)]


def chunks(count: int) -> Iterator[dict[str, Record]]:
    """The records as they would come out of files, some at a time, so that there is never a second copy of all."""
    for start in range(0, count, CHUNK):
        numbers = range(start, min(start + CHUNK, count))
        yield {key_of(number): (number % LABELS, np.full(100, number, np.float32)) for number in numbers}


def is_right(record: Record, number: int) -> bool:
    """Whether a record is the one that was stored under this number."""
    label, values = record
    return label == number % LABELS and values.shape == (100,) and values.item(0) == values.item(99) == number


def read(parent: Connection, count: int, seed: int) -> None:
    """A reader: ready before there is anything to read; it stays until everybody's memory was measured."""
    order = array("I", np.random.default_rng(seed).permutation(np.arange(count, dtype=np.uint32)).tobytes())
    parent.send("ready")
    records: Records = parent.recv()
    parent.send(sum(is_right(records[number], number) for number in order))
    parent.recv()


def bytes_of(pid: int | None, file: str, name: str) -> int:
    """A figure of the kernel about a process."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


class Readers:
    """The other processes, all of them started and ready."""

    def __init__(self, readers: int, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(readers)]
        self.connections = [here for here, _ in pipes]
        self.processes = [
            context.Process(target=read, args=(there, count, seed), daemon=True)
            for seed, (_, there) in enumerate(pipes)
        ]
        for process in self.processes:
            process.start()
        self.answers()

    def tell(self, what: object) -> None:
        """Send everyone the same."""
        for connection in self.connections:
            connection.send(what)

    def answers(self) -> list[Any]:
        """What each of them says next."""
        return [connection.recv() for connection in self.connections]

    def memory(self) -> tuple[int, list[int]]:
        """The PSS of all processes together, and what belongs to each reader alone."""
        pids = [process.pid for process in self.processes]
        pss = sum(bytes_of(pid, "smaps_rollup", "Pss:") for pid in [os.getpid(), *pids])
        return pss, [bytes_of(pid, "status", "RssAnon:") for pid in pids]

    def end(self) -> None:
        """Let them go."""
        self.tell("end")
        for process in self.processes:
            process.join()


def load(shared: UltraDict[str, Record], count: int) -> float:
    """Store all records; the seconds of `update` alone."""
    seconds = 0.0
    for chunk in chunks(count):
        started = time.perf_counter()
        shared.update(chunk)
        seconds += time.perf_counter() - started
    return seconds


def live_bytes(shared: UltraDict[str, Record]) -> int:
    """What there has to be in shared memory."""
    stats = shared.stats()
    return stats["live_size"] + stats["blob_size"] + stats["table_size"]


def print_memory(before: tuple[int, list[int]], after: tuple[int, list[int]], live: int) -> None:
    """What all processes use now that they did not use before they opened the dict."""
    mib = 2**20
    pss = after[0] - before[0]
    own = [now - then for then, now in zip(before[1], after[1])]
    print(f"live in shared memory: {live / mib:.1f} MiB (live_size + blob_size + table_size)")
    print(f"PSS of all processes grew by {pss / mib:.1f} MiB: {pss / live:.2f} x what is live")
    print(f"cache_bytes of each reader {CACHE_BYTES / mib:.1f} MiB; RssAnon of each grew by", end=" ")
    print(", ".join(f"{growth / mib:.1f}" for growth in own), "MiB")


def main() -> None:
    """Start the readers, load, let them read, look at the memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--readers", type=int, default=8)
    options = parser.parse_args()
    readers = Readers(options.readers, options.records)
    before = readers.memory()
    with UltraDict.open(cache_bytes=CACHE_BYTES) as shared:
        seconds = load(shared, options.records)
        print(f"loaded {len(shared):,} records in {seconds:.1f} s")
        started = time.perf_counter()
        readers.tell(Records(shared))
        right = readers.answers()
        seconds = time.perf_counter() - started
        if right != [options.records] * options.readers:
            raise SystemExit(f"WRONG: of {options.records} records each, {right} were as stored")
        print(f"{len(right)} readers read {sum(right):,} records, all as stored, in {seconds:.1f} s")
        print_memory(before, readers.memory(), live_bytes(shared))
        readers.end()


if __name__ == "__main__":
    main()
