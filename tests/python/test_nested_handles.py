# SPDX-License-Identifier: Apache-2.0
"""Handles of nested dicts (recurse=True) and what they share in one process: tables, the lock, objects kept alive."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from python.elsewhere import elsewhere
from UltraDict import Exceptions, UltraDict

nan = math.nan


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(recurse=True) as made:
        yield made


def is_there(name: str) -> bool:
    return UltraDict.unlink_by_name(name, ignore_errors=True)


def test_a_handle_that_read_before_another_one_cleared_the_dict(d: UltraDict[Any, Any]) -> None:
    d["a"] = {number: str(number) for number in range(1000)}
    child = d["a"]
    with UltraDict(name=d.name) as other:
        assert all(child[number] == other["a"][number] for number in range(1000))
        for _ in range(2):
            d.clear()
            d.update((number, number) for number in range(1000))
            assert d[999] == 999
        assert other[500] == 500
        with pytest.raises(Exceptions.DictDeleted):
            child[999]


@pytest.mark.parametrize("cache_bytes", [0, 10_000_000])
def test_there_is_one_handle_however_it_was_reached(cache_bytes: int) -> None:
    with UltraDict.open(recurse=True, cache_bytes=cache_bytes) as d:
        d["a"] = {}
        child = d["a"]
        d["b"] = child
        d["a"] = child
        d["c"] = {"a": child}
        assert d["a"] is d["b"] is d["c"]["a"] is child
        assert next(iter(d.values())) is child
        child[nan] = 1
        assert nan in d["b"]
        child.close()
        assert d["a"] is not child
        assert d["a"][nan] == 1
        again = d["a"]
        lock = again.lock
        del again
        assert d["a"][nan] == 1
        assert not lock.has_lock


def test_values_held_through_handles_that_were_there_at_once() -> None:
    with UltraDict.open(recurse=True, cache_bytes=0) as d:
        d["a"] = {}
        handles = [d["a"], d["a"], d["a"]]
        for number, handle in enumerate(handles):
            handle[number] = UltraDict({"x": number}, name=f"held-{number}")
        del handle, handles
        assert [d["a"][number]["x"] for number in d["a"]] == [0, 1, 2]


@pytest.mark.parametrize("end", ["del", "pop", "overwrite", "update", "clear", "outer"])
@pytest.mark.parametrize("read", [False, True])
def test_what_a_nested_dict_held_goes_with_it(d: UltraDict[Any, Any], end: str, read: bool) -> None:
    d["o"] = {"a": {"inner": UltraDict(name="held-inner")}}
    if read:
        assert d["o"]["a"]["inner"] == {}
    if end == "del":
        del d["o"]["a"]
    elif end == "pop":
        assert d["o"].pop("a").keys() == {"inner"}
    elif end == "overwrite":
        d["o"]["a"] = {}
    elif end == "update":
        d["o"].update(a=1)
    elif end == "clear":
        d.clear()
    else:
        del d["o"]
    assert not is_there("held-inner")


@pytest.mark.parametrize("end", ["close", "del"])
def test_a_child_goes_on_as_before_when_its_root_is_closed(end: str) -> None:
    d = UltraDict(recurse=True, auto_unlink=False)
    with UltraDict(name=d.name) as other:
        d["a"] = {"before": {nan: 1}}
        child = d["a"]
        if end == "close":
            d.close(data=False)
        del d
        child["after"] = {nan: 2, "inner": UltraDict(name="held-after")}
        assert child["before"][nan] == 1
        assert child["after"][nan] == 2
        assert elsewhere(child.name, "print(d['after']['inner'])") == "{}"
        child.close(data=False)
        assert not is_there("held-after")
        other.unlink()


class Noted:
    """Says at its end whether its dict was locked."""

    def __init__(self, dict_: UltraDict[Any, Any], notes: list[bool]) -> None:
        self.dict, self.notes, self.handle = dict_, notes, UltraDict()

    def __reduce__(self) -> tuple[Any, ...]:
        return _second, (1, self.handle)

    def __del__(self) -> None:
        self.notes.append(self.dict.lock.has_lock)


def _second(_: int, second: object) -> object:
    return 2


def test_no_destructor_runs_under_the_shared_lock(d: UltraDict[Any, Any]) -> None:
    notes: list[bool] = []
    for end in (
        lambda: d.pop("x"),
        lambda: d.popitem(),
        lambda: d.update(x=1),
        lambda: d.__setitem__("x", {}),
        lambda: d.__setitem__("x", Noted(d, notes)),
        lambda: elsewhere(d.name, "del d['x']") + str(d.setdefault("x", 1)),
        lambda: elsewhere(d.name, "del d['x']") + str(d.setdefault("x", {})),
        lambda: d.clear(),
    ):
        before = len(notes)
        d["x"] = Noted(d, notes)
        end()
        d.pop("x", None)
        assert len(notes) > before
    assert not any(notes)


def test_closing_a_handle_gives_back_what_was_taken_through_its_lock(d: UltraDict[Any, Any]) -> None:
    d["a"] = {}
    child, again = d["a"], UltraDict(name=d.name)
    with child.lock, child.lock:
        child.close()
    with again.lock:
        again.close()
    assert not d.lock.has_lock
    with d.lock:
        with d["a"].lock:
            d["a"].close()
        assert d.lock.has_lock
    assert not d.lock.has_lock


def test_closing_a_handle_in_another_thread_leaves_the_lock_to_its_holder(d: UltraDict[Any, Any]) -> None:
    d["a"] = {}
    child = d["a"]
    with child.lock:
        thread = threading.Thread(target=child.close)
        thread.start()
        thread.join()
        assert child.closed
        assert d.lock.has_lock
    assert not d.lock.has_lock
    assert d.lock.acquire(block=False)
    d.lock.release()


def test_repr_of_a_deleted_child_says_so(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    child = d["a"]
    del d["a"]
    assert repr(child) == f"<UltraDict '{child.name}' (deleted)>"
