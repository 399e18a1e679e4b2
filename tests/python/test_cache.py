# SPDX-License-Identifier: Apache-2.0
"""The object cache: the same object as long as it is the value, bounded, and never wrong about what others wrote."""

from __future__ import annotations

import gc
import random
import sys
import threading
import tracemalloc
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from alphabet import Tagged
from UltraDict import UltraDict


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict() as shared:
        yield shared


@pytest.fixture
def other(d: UltraDict[Any, Any]) -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(name=d.name) as shared:
        yield shared


class Noted:
    """Tells when it is gone."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Noted) and other.number == self.number

    __hash__ = None  # type: ignore[assignment]


def test_two_reads_give_the_same_object(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d["l"] = [1, 2]
    assert other["l"] is other["l"] == [1, 2]
    assert d["l"] is d["l"]
    assert next(iter(d.values())) is d["l"]
    assert d.get("l") is d["l"] is d.copy()["l"]


def test_a_written_immutable_is_kept_a_mutable_is_not(d: UltraDict[Any, Any]) -> None:
    text, items = "x" * 100, [1]
    d["t"], d["l"] = text, items
    assert d["t"] is text
    assert d["l"] is not items
    items.append(2)
    assert d["l"] == [1]


def test_what_others_write_is_seen(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    for number in range(100):
        d["k"] = number
        assert other["k"] == number
        other["k"] = -number
        assert d["k"] == -number
        assert "k" in d
        del d["k"]
        assert "k" not in other
        assert other.get("k") is None


def test_g3_deleted_and_inserted_again_is_another_value(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d["k"] = [1]
    first = other["k"]
    del d["k"]
    d["k"] = [1]
    assert other["k"] is not first


def test_g3_a_moved_record_keeps_its_object(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d.update({number: [number] for number in range(100)})
    kept = {number: other[number] for number in range(100)}
    for _ in range(3):
        d.dump()
        assert all(other[number] is value for number, value in kept.items())


def test_g3_clear_elsewhere_is_seen(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    for turn in range(5):
        d.update(dict.fromkeys(range(500), turn))
        assert [other[number] for number in range(500)] == [turn] * 500
        assert sum(other.values()) == turn * 500
        d.clear()
        assert other == {}
        assert other.get(3) is None
        assert 3 not in other


def test_a_table_rebuilt_keeps_objects_and_order(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    count = 60_000
    d.update({number: str(number) for number in range(count)})
    kept = {number: other[number] for number in range(0, count, 5000)}
    for number in range(count):
        if number % 5000:
            del d[number]
    d["one more"] = 1
    assert [*kept, "one more"] == list(other)
    assert all(other[number] is value for number, value in kept.items())


def test_the_bound_holds() -> None:
    with UltraDict.open(cache_bytes=20_000) as d:
        for number in range(2000):
            d[number] = str(number)
        for number in range(2000):
            assert d[number] == str(number)
        stats = d.stats()
        assert 0 < stats["cache_size"] <= 20_000
        assert stats["cache_count"] < 200
        assert dict(d) == {number: str(number) for number in range(2000)}


def test_hits_and_misses_are_counted() -> None:
    def counted() -> tuple[int, int]:
        stats = d.stats()
        return stats["cache_hits"], stats["cache_misses"]

    with UltraDict() as d, UltraDict(name=d.name) as other:
        d["k"] = 1
        assert other["k"] == 1
        assert other.stats()["cache_misses"] == 1
        assert counted() == (0, 0)  # the writer knows what it wrote
        assert [d["k"], d.get("k"), d["".join("k")], "k" in d] == [1, 1, 1, True]
        assert counted() == (4, 0)
        assert d.get("absent") is None
        other["k"] = 2
        assert d["k"] == 2
        assert d["k"] == 2
        assert counted() == (5, 1)


def test_a_used_item_outlives_a_flood() -> None:
    with UltraDict.open(cache_bytes=40_000) as d:
        d["hot"] = [1]
        hot = d["hot"]
        for number in range(2000):
            d[number] = number
            assert d["hot"] is hot


def test_a_value_larger_than_the_bound_is_not_kept() -> None:
    with UltraDict.open(cache_bytes=20_000) as d:
        d["big"] = "x" * 30_000
        assert d["big"] == "x" * 30_000
        assert d["big"] is not d["big"]
        assert d.stats()["cache_size"] < 20_000


# Each from a number, all different: how many of them fit in the bound is for the cache to say.
VALUES: dict[str, Callable[[int], object]] = {
    "a large item behind small ones": lambda number: (1,) * 16 + (f"{number:160000}",),
    "large items behind small ones": lambda number: [None] * 16 + [f"{number + n:1000}" for n in range(99)],
    "large values behind small ones": lambda number: {n: None if n < 16 else f"{number + n:1000}" for n in range(116)},
    "floats behind None": lambda number: [None] * 16 + [number + n / 7 for n in range(1000)],
    "int": lambda number: 2**200_000 + number,
    "ints": lambda number: [2**20_000 + number + n for n in range(20)],
    "set": lambda number: set(range(300 + number * 1000, 1300 + number * 1000)),
    "frozenset": lambda number: frozenset(f"{number} {n}" for n in range(1000)),
    "set of tuples": lambda number: {(300 + number * 1000 + n, n) for n in range(1000)},
    "Decimals": lambda number: [Decimal(number * 1000 + n) for n in range(1000)],
    "objects": lambda number: [Tagged(300 + number * 1000 + n, str(n)) for n in range(1000)],
    "Counter": lambda number: Counter({str(n): 300 + number * 1000 + n for n in range(1000)}),
}


@pytest.mark.parametrize("kind", VALUES)
def test_the_bound_holds_for_what_is_large_in_memory(kind: str) -> None:
    bound = 1 << 20
    with UltraDict.open(cache_bytes=0) as d, UltraDict.open(d.name, cache_bytes=bound) as other:
        for number in range(50):
            d[number] = VALUES[kind](number)
        assert other[0] == VALUES[kind](0)
        tracemalloc.start()
        try:
            for number in range(50):
                other.get(number)
            gc.collect()
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert other.stats()["cache_count"] > 1
        assert bound * 0.3 < size < bound * 1.2


def test_to_reckon_the_size_of_a_value_takes_no_longer_than_to_make_it() -> None:
    whole: Any = (1,) * 16
    for _ in range(8):
        whole = (whole,) * 16
    with UltraDict() as d:
        d["key"] = [whole]
        assert len(d["key"][0]) == 16


def test_a_short_int_in_the_place_of_a_long_one_takes_less(d: UltraDict[Any, Any]) -> None:
    d["k"] = 2**200_000
    assert d.stats()["cache_size"] > 25_000
    d["k"] = 1
    assert d.stats()["cache_size"] < 1_000


def test_off_every_read_decodes() -> None:
    with UltraDict.open(cache_bytes=0) as d:
        d["l"] = [1]
        assert d["l"] == [1]
        assert d["l"] is not d["l"]
        assert d.stats()["cache_count"] == 0


def test_large_values_come_back(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    for size in (0, 1, 255, 4096, 32 * 1024, 33 * 1024, 3_000_000):
        value = random.Random(size).randbytes(size)
        d["v"] = value
        assert other["v"] == value
        other["v", size] = value.hex()
        assert d["v", size] == value.hex()


def test_replaced_values_are_dropped_outside_the_lock(d: UltraDict[Any, Any]) -> None:
    held = []

    class Watch(list):  # type: ignore[type-arg]
        def __del__(self) -> None:
            held.append((d.lock.has_lock, d.get("k")))
            d["from del"] = len(held)

    globals()["Watch"] = Watch
    Watch.__qualname__ = "Watch"
    d["k"] = Watch([1])
    d["k"]
    held.clear()
    d["k"] = 2
    assert held == [(False, 2)]
    d["k"] = Watch([1])
    d["k"]
    held.clear()
    del d["k"]
    assert held == [(False, None)]
    d["k"] = Watch([1])
    d["k"]
    held.clear()
    d.clear()
    assert held == [(False, None)]
    assert d == {"from del": 1}


def test_collects_garbage_that_hangs_on_the_cache() -> None:
    d: UltraDict[str, Any] = UltraDict(n=Noted(1))
    value = d["n"]
    value.back = d
    watch = weakref.ref(value)
    del value, d
    gc.collect()
    assert watch() is None


def test_reference_counts_stay_level(d: UltraDict[Any, Any]) -> None:
    value, key = "some value" * 3, "some key" * 3
    d[key] = value

    def use() -> None:
        for _ in range(100):
            d[key] = value
            assert d[key] is value
            assert d.get(key) is value
            assert list(d.items()) == [(key, value)]
            d.pop(key)
            d.setdefault(key, value)
            d.update({key: value})
            d.popitem()
            d[key] = value

    use()
    before = sys.getrefcount(value), sys.getrefcount(key)
    use()
    assert (sys.getrefcount(value), sys.getrefcount(key)) == before


def test_threads_read_and_write_at_once(d: UltraDict[Any, Any]) -> None:
    failures: list[object] = []

    def work(number: int) -> None:
        try:
            for turn in range(2000):
                d[number, turn % 20] = [number, turn]
                d["shared"] = turn
                assert d[number, turn % 20] == [number, turn]
                for key in list(d)[:3]:
                    d.get(key)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(d) == 81


def test_closing_under_the_feet_of_a_thread() -> None:
    for _ in range(20):
        d: UltraDict[str, Any] = UltraDict(a=[1] * 100)
        started = threading.Event()

        def work(d: UltraDict[str, Any] = d, started: threading.Event = started) -> None:
            try:
                while True:
                    d["a"] = d["a"]
                    started.set()
            except UltraDict.Exceptions.AlreadyClosed:
                pass

        thread = threading.Thread(target=work)
        thread.start()
        started.wait()
        d.close()
        thread.join()


class Changing:
    """Equal to all of its kind; so many comparisons change the cache first."""

    left = 0
    cached: Any = None

    def __hash__(self) -> int:
        return 5

    def __eq__(self, other: object) -> bool:
        if Changing.left > 0:
            Changing.left -= 1
            Changing.cached["other"] = 1
            del Changing.cached["other"]
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return Changing, ()


def test_a_key_whose_comparison_changes_the_cache_again_and_again_is_found(d: UltraDict[Any, Any]) -> None:
    d[Changing()] = "found"
    assert d[Changing()] == "found"
    Changing.cached, Changing.left = d, 100_000  # more than there would be room for on the stack
    assert d[Changing()] == "found"
    assert (Changing.cached, Changing.left) == (d, 0)
    Changing.cached = None
