# SPDX-License-Identifier: Apache-2.0
"""How much memory of its own a process comes to use that reads more items, once each, than its cache may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from harness import Row, Scale, check

from processes import in_new_process, rss_anon
from UltraDict import UltraDict

STATEMENT = "for k in keys: d[k]"
GOAL = 1.25
CACHE_BYTES = 16 * 2**20
CHUNK = 10_000
ITEMS: dict[str, Callable[[int], tuple[Any, Any]]] = {
    "int: int": lambda number: (number + 1000, number + 1000),
    "str: str": lambda number: (f"key{number}", f"value {number}"),
    "str: list of ints": lambda number: (f"key{number}", list(range(number, number + 100))),
}


def measure(scale: Scale) -> Iterator[Row]:
    """Each kind of items, as many as make up the cache several times over."""
    for kind, count in zip(ITEMS, scale.of((10_000_000, 2_000_000, 100_000), (20_000, 20_000, 10_000))):
        cache_bytes = scale.of(CACHE_BYTES, CACHE_BYTES // 32)
        shared: UltraDict[Any, Any] = UltraDict.open(cache_bytes=0)
        with shared:
            for start in range(0, count, CHUNK):
                shared.update(map(ITEMS[kind], range(start, start + CHUNK)))
            grown, cached = in_new_process(read_all, shared.name, kind, count, cache_bytes)
        note = f"RssAnon grew by {grown / 2**20:.1f} MiB; {cached:,} items in the cache at the end"
        name = f"own memory by cache_bytes, {count:,} {kind}"
        yield Row(name, STATEMENT, grown / cache_bytes, "x", GOAL, note=note)


def read_all(name: str, kind: str, count: int, cache_bytes: int) -> tuple[int, int]:
    """Read every item once: the highest growth seen on the way, and how many items were in the cache at the end."""
    shared: UltraDict[Any, Any] = UltraDict.open(name, create=False, cache_bytes=cache_bytes)
    item = ITEMS[kind]
    before = highest = rss_anon()
    for start in range(0, count, CHUNK):
        for key, value in map(item, range(start, start + CHUNK)):
            if shared[key] != value:
                check(STATEMENT, shared[key], value)
        highest = max(highest, rss_anon())
    stats = shared.stats()
    check("cache is within its bound", stats["cache_size"] <= cache_bytes, True)
    return highest - before, stats["cache_count"]
