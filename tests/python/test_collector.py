# SPDX-License-Identifier: Apache-2.0
"""The cyclic collector may run where an object is made (before Python 3.12), and with it the finalizers of anything:
an operation in whose midst that happens does what it would have done."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alphabet import Word
from programs import run
from UltraDict import UltraDict


class Cyclic:
    """Goes with the next collection, and does something then."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.myself = self
        self.action = action

    def __del__(self) -> None:
        self.action()


@contextlib.contextmanager
def collector_runs(action: Callable[[], object]) -> Iterator[None]:
    """In the block: at the first object that it counts; the kept ones are those that it would have had to spare."""
    kept = [((i, i, i), (i, i), {}, []) for i in range(3000)]
    before = gc.get_threshold()
    gc.collect()
    gc.disable()
    Cyclic(action)
    gc.set_threshold(1)
    gc.enable()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.enable()
        gc.collect()
        kept.clear()


def big_values(kind: Callable[..., Any]) -> Any:
    return kind(
        [(10**30 + i, f"text {i}" * 3) for i in range(2000)] if kind is dict else [10**30, *map(str, range(5000))]
    )


@pytest.mark.parametrize("kind", [list, dict])
def test_a_container_that_is_cleared_while_it_is_written(kind: Callable[..., Any]) -> None:
    value = big_values(kind)
    taken: list[bytes] = []

    def clear() -> None:
        value.clear()
        taken.extend(bytes([255]) * 32 for _ in range(50_000))  # the memory that is free now

    with UltraDict() as d:
        with collector_runs(clear):
            d["v"] = value
        assert d["v"] in (big_values(kind), {}, [])


def test_integers_of_any_size_and_sign_without_a_collection() -> None:
    numbers = [sign * (1 << bits) + step for sign in (1, -1) for bits in range(60, 200) for step in (-1, 0, 1)]
    with UltraDict(numbers=numbers) as d, UltraDict(name=d.name) as other:
        d.update({number: number for number in numbers})
        assert other["numbers"] == numbers
        assert all(other[number] == number for number in numbers)


def test_the_lock_is_made_once() -> None:
    dicts: list[UltraDict[str, int]] = [UltraDict()]
    found: list[Any] = []
    with collector_runs(lambda: found.append(dicts[0].lock)):
        found.append(dicts[0].lock)
    assert found[0] is found[1]
    name = dicts[0].name
    found.clear()
    dicts.clear()
    with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
        UltraDict(name=name, create=False)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the collector runs between bytecodes only")
def test_a_dict_that_is_given_up_while_its_lock_is_made() -> None:
    d: UltraDict[str, int] = UltraDict()
    with pytest.raises(UltraDict.Exceptions.AlreadyClosed), collector_runs(d._shared_abandon):
        d.lock


def test_the_handle_of_a_nested_dict_is_made_once() -> None:
    with UltraDict({"n": {}}, recurse=True) as d:
        d.load(force=True)
        found: list[Any] = []
        with collector_runs(lambda: found.append(d["n"])):
            child = d["n"]
        assert found[0] is child


def test_an_exotic_key_that_a_finalizer_finds_first_is_found_afterwards() -> None:
    """Wherever in the operation the collector runs, also where it makes the dict that its keys are found in."""
    one, nan = Word("one"), float("nan")
    with UltraDict({one: 1}) as d:
        for count in range(-5, 60):
            with UltraDict.open(d.name, cache_bytes=0) as fresh:
                found: list[Any] = []
                before = gc.get_threshold()
                gc.collect()
                gc.disable()
                Cyclic(lambda fresh=fresh, found=found: found.append(fresh.get(one)))
                dicts: list[Any] = [{} for _ in range(200)]  # no dict is made without counting it
                gc.set_threshold(gc.get_count()[0] + count)
                gc.enable()
                fresh.get(nan)
                gc.disable()
                gc.set_threshold(*before)
                gc.enable()
                dicts.clear()
                gc.collect()
                assert found == [1]
                assert fresh.get(one) == 1


STORES: dict[str, Callable[[UltraDict[Any, Any]], object]] = {
    "itself": lambda d: d.update(me=d),
    "its lock": lambda d: d.update(me=d.lock),
    "its lock in a list": lambda d: d.update(me=[d.lock]),
    "its lock in a key": lambda d: d.update({(1, d.lock): 1}),
    "its lock, read again": lambda d: (d.update(me=d.lock), d["me"]),
    "its lock in a nested dict": lambda d: d.update(n={"me": d.lock}),
    "what its lock makes for a `with`, in its data": lambda d: d.data.update(me=d.lock(timeout=1)),
}


@pytest.mark.parametrize("recurse", [False, True])
@pytest.mark.parametrize("what", STORES)
def test_a_dict_that_stores_what_holds_it_is_garbage_all_the_same(what: str, recurse: bool) -> None:
    if recurse and what == "itself":
        return
    d: UltraDict[Any, Any] = UltraDict(recurse=recurse)
    name = d.name
    STORES[what](d)
    del d
    gc.collect()
    with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
        UltraDict(name=name, create=False)


# The collector clears what is garbage piece by piece. In the midst of that, what it does not know has its say, as an
# open directory has through the hook of warnings; and the hook meets what was cleared before.
MEETING = """
import warnings
from UltraDict import UltraDict
make, use = map(eval, sys.argv[1:])
d = UltraDict(a=1)
other = make(d)
def meet(*_, **__):
    for found in gc.get_objects():
        if type(found) is type(other) and found is not other: say(use(found))
warnings.simplefilter("always")
warnings.showwarning = meet
gc.collect()
gc.disable()
cleared = make(d)
ends, box = [], [cleared]
ends.append(os.scandir("/"))
next(ends[0])
cycle = [ends, box]
ends.append(cycle)
box.append(cycle)
del cleared, cycle, ends, box
gc.collect()
"""
MET = {
    "length": ("UltraDict.keys", "len", "1"),
    "membership": ("UltraDict.keys", "lambda keys: 'a' in keys", "True"),
    "membership in items": ("UltraDict.items", "lambda items: ('a', 1) in items", "True"),
    "iteration": ("UltraDict.values", "list", "[1]"),
    "reversed": ("UltraDict.keys", "lambda keys: list(reversed(keys))", "['a']"),
    "repr": ("UltraDict.items", "repr", "dict_items([('a', 1)])"),
    "comparison": ("UltraDict.keys", "lambda keys: keys == {'a'}", "True"),
    "intersection": ("UltraDict.keys", "lambda keys: keys & {'a'}", "{'a'}"),
    "mapping": ("UltraDict.keys", "lambda keys: dict(keys.mapping)", "{'a': 1}"),
    "an iterator": ("iter", "list", "['a']"),
}


@pytest.mark.parametrize("what", MET)
def test_a_view_that_was_garbage_is_met_in_order(what: str) -> None:
    make, use, answer = MET[what]
    ended = run(MEETING, make, use)
    assert (ended.returncode, ended.stderr) == (0, "")
    # In which order it goes about is the collector's own affair: later ones may not get it met.
    assert ended.stdout == f"{answer}\n" or (sys.version_info >= (3, 12) and ended.stdout == "")


def test_a_cycle_through_a_view_or_an_iterator_is_garbage() -> None:
    for make in (iter, UltraDict.keys, UltraDict.values, UltraDict.items, lambda d: iter(d.items())):
        d: UltraDict[Any, Any] = UltraDict(a=1)
        name = d.name
        d.data["me"] = walk = make(d)
        next(iter(walk))
        del d, walk
        gc.collect()
        with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
            UltraDict(name=name, create=False)
