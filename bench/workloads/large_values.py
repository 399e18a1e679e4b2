# SPDX-License-Identifier: Apache-2.0
"""Large values: written with one copy, viewed with none.

A write is held against the one copy that there must be: the same bytes into fresh shared memory of the same size. Both
sides give back what they wrote the time before. The first view of a value has to map it, so each sample is one of a
value that another process wrote and that nobody here has seen.
"""

from __future__ import annotations

import mmap
import pickle
import statistics
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from harness import Row, Scale, alternate, check, timed_ns

from processes import in_new_process
from UltraDict import UltraDict

KIB, MIB = 2**10, 2**20
WRITE, COPY = "d['k'] = value", "box[0] = mmap(-1, size); box[0][:] = value"
VIEW, LOAD = "d.view(k)", "pickle.loads(p, buffers=buffers)"
WRITE_GOAL = 1.3
VIEW_GOAL_US = 1.0
OVER_LOAD_GOAL_US = 5.0
FIRST_GOAL_US = 50.0


def measure(scale: Scale) -> Iterator[Row]:
    """Writes of three sizes, then views of bytes and of arrays of two."""
    for size in scale.of((MIB, 64 * MIB, 512 * MIB), (MIB, 8 * MIB)):
        yield measure_write(scale, size)
    for size in scale.of((64 * KIB, 64 * MIB), (64 * KIB, MIB)):
        yield from measure_views(scale, size)


def named(size: int) -> str:
    """A size as people say it."""
    return f"{size // MIB} MiB" if size >= MIB else f"{size // KIB} KiB"


def measure_write(scale: Scale, size: int) -> Row:
    """Overwrite one key with bytes of this size, beside a copy into fresh shared memory."""
    value = bytes(range(256)) * (size // 256)
    loops = max(1, scale.of(16, 4) * MIB // size)
    shared: UltraDict[str, bytes] = UltraDict()
    with shared:
        box = [mmap.mmap(-1, size)]
        ours = {"d": shared, "value": value}
        beside = {"box": box, "value": value, "size": size, "mmap": mmap.mmap}
        pair = alternate(WRITE, ours, beside, 1, scale.of(11, 3), loops, COPY)
        check(WRITE, shared.view("k") == value, True)
        check(COPY, memoryview(box[0]) == value, True)
    return pair.row(f"write {named(size)} of bytes", WRITE, WRITE_GOAL, "beside a copy into fresh shared memory")


def array_of(size: int, number: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """An array of this many bytes, and no other like it."""
    return np.arange(number, number + size // 4, dtype=np.float32)


def write(name: str, size: int, count: int) -> int:
    """The other process: so many bytes and arrays of a size."""
    shared: UltraDict[Any, Any] = UltraDict(name=name, create=False)
    for number in range(count):
        array = array_of(size, number)
        shared["bytes", number], shared["array", number] = array.tobytes(), array
    shared.close(data=False)
    return count


def measure_views(scale: Scale, size: int) -> Iterator[Row]:
    """First and later views of values of this size."""
    count = min(scale.of(100, 5), scale.of(1024, 64) * MIB // size)
    shared: UltraDict[Any, Any] = UltraDict()
    with shared:
        in_new_process(write, shared.name, size, count)
        for kind in ("bytes", "array"):
            firsts = [timed_ns(VIEW, {"d": shared, "k": (kind, number)}) for number in range(count)]
            check("view", all(is_right(shared, kind, size, number) for number in range(count)), True)
            later = yield from measure_later(scale, shared, kind, size)
            more_us = (statistics.median(firsts) - later) / 1000
            note = f"more than a later one; {count} values, slowest {max(firsts) / 1000:.0f} us"
            yield Row(f"first view of {kind}, {named(size)}", VIEW, more_us, "us", FIRST_GOAL_US, note=note)


def is_right(shared: UltraDict[Any, Any], kind: str, size: int, number: int) -> bool:
    """Whether a view shows what was written."""
    array, view = array_of(size, number), shared.view((kind, number))
    return bool(view == array.tobytes() if kind == "bytes" else np.array_equal(view, array))


def measure_later(scale: Scale, shared: UltraDict[Any, Any], kind: str, size: int) -> Generator[Row, None, float]:
    """A view of a value that this process has mapped: bytes as they are, an array beside what pickle takes for it."""
    ours = {"d": shared, "k": (kind, 0)}
    repetitions, loops = scale.of(21, 3), scale.of(5_000, 100)
    buffers: list[pickle.PickleBuffer] = []
    pickled = pickle.dumps(array_of(size, 0), 5, buffer_callback=buffers.append)
    names = {"pickle": pickle, "p": pickled, "buffers": [memoryview(buffer) for buffer in buffers]}
    pair = alternate(VIEW, ours, names, 1, repetitions, loops, LOAD)
    name = f"view of {kind}, {named(size)}"
    if kind == "bytes":
        yield Row(name, VIEW, pair.ours_ns / 1000, "us", VIEW_GOAL_US, pair.ours_ns)
    else:
        over_us = (pair.ours_ns - pair.beside_ns) / 1000
        note = f"more than {LOAD}"
        yield Row(name, VIEW, over_us, "us", OVER_LOAD_GOAL_US, pair.ours_ns, pair.beside_ns, note)
    return pair.ours_ns
