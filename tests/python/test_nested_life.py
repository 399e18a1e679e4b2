# SPDX-License-Identifier: Apache-2.0
"""Nested dicts (recurse=True): their handles, names and end; other processes."""

from __future__ import annotations

import gc
import math
import os
import pickle
import weakref
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from python.elsewhere import elsewhere
from UltraDict import Exceptions, UltraDict


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(recurse=True) as made:
        yield made


def test_a_handle_of_a_deleted_child_says_so_whatever_is_asked(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    child = d["a"]
    del d["a"]
    d["b"] = {"x": 2}
    for use in (
        lambda: child["x"],
        lambda: child.get("x"),
        lambda: "x" in child,
        lambda: len(child),
        lambda: list(child),
        lambda: child.to_dict(),
        lambda: child.pop("x", None),
        lambda: child.update(x=1),
        lambda: child.setdefault("x", 1),
        lambda: child.clear(),
        lambda: child.__setitem__("x", 1),
        lambda: child.__delitem__("x"),
        lambda: child.popitem(),
        lambda: child == {"x": 2},
        lambda: d.__setitem__("again", child),
    ):
        with pytest.raises(ReferenceError):
            use()
    assert child.closed is False
    child.close(data=False)
    with pytest.raises(Exceptions.AlreadyClosed):
        child["x"]
    assert d == {"b": {"x": 2}}


def test_overwriting_and_deleting_free_the_whole_subtree(d: UltraDict[Any, Any]) -> None:
    big = b"x" * 50_000
    for end in ("overwrite", "delete", "pop", "clear", "popitem", "update"):
        d["keep"] = {"k": 1}
        d["a"] = {"b": {"c": {str(n): n for n in range(100)}, "big": big}, "big": big}
        assert d.stats()["blobs"] == 2
        if end == "overwrite":
            d["a"] = 1
            d["a"] = {}
            del d["a"]
        elif end == "delete":
            del d["a"]
        elif end == "pop":
            assert d.pop("a")["b"]["c"]["7"] == 7
        elif end == "popitem":
            assert d.popitem()[0] == "a"
        elif end == "update":
            d.update(a={})
            del d["a"]
        else:
            d.clear()
            d["keep"] = {"k": 1}
        assert d == {"keep": {"k": 1}}, end
        stats = d.stats()
        assert (stats["dict_count"], stats["nested_count"], stats["blobs"]) == (1, 1, 0), end


def test_pop_gives_a_plain_dict_of_what_dies_and_the_child_of_what_lives(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": {"y": 1}}
    assert type(d.pop("a")) is dict
    d["a"] = {"x": {"y": 1}}
    d["b"] = d["a"]
    child = d.pop("b")
    assert type(child) is UltraDict
    child["x"]["y"] = 2
    key, value = d.popitem()
    assert (key, value) == ("a", {"x": {"y": 2}})
    assert type(value) is dict
    assert type(value["x"]) is dict
    assert d.pop("a", {"default": 1}) == {"default": 1}


def test_a_child_is_attached_to_by_its_name(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"b": {"x": 1}}
    name = d["a"]["b"].name
    assert name.startswith(d.name + "/")
    with UltraDict(name=name) as other:
        assert type(other) is UltraDict
        assert other == {"x": 1}
        other["y"] = {"z": 2}
        assert other.recurse is True
    with UltraDict(name=name, create=False) as other:
        assert other["y"]["z"] == 2
    with pytest.raises(Exceptions.AlreadyExists):
        UltraDict(name=name, create=True)
    assert elsewhere(name, "d['far'] = 3; print(d)") == "{'x': 1, 'y': {'z': 2}, 'far': 3}"
    del d["a"]
    for create in (None, False, True):
        with pytest.raises(Exceptions.CannotAttachSharedMemory, match="no key refers to it any more"):
            UltraDict(name=name, create=create)


def test_the_name_of_a_child_never_means_one_of_another_dict() -> None:
    with UltraDict({"a": {}}, name="nested-names", recurse=True) as d:
        name = d["a"].name
    with UltraDict({"a": {}}, name="nested-names", recurse=True), pytest.raises(Exceptions.CannotAttachSharedMemory):
        UltraDict(name=name)


def test_close_of_a_child_closes_that_handle_alone(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": {"y": 1}}
    child = d["a"]
    assert child.close() == {"x": {"y": 1}}
    assert child.closed
    assert repr(child).endswith("(closed)>")
    assert d["a"] == {"x": {"y": 1}}
    assert d["a"] is not child
    d["a"].close()
    assert list(d.values()) == [{"x": {"y": 1}}]
    d["a"].close()
    assert d.popitem() == ("a", {"x": {"y": 1}})


def test_unlink_of_a_child_is_refused(d: UltraDict[Any, Any]) -> None:
    d["a"] = {}
    child = d["a"]
    with pytest.raises(ValueError, match="delete those"):
        child.unlink()
    assert d["a"] == {}
    with pytest.raises(Exceptions.InvalidParameter, match="delete those"):
        UltraDict.unlink_by_name(child.name)
    closed = UltraDict(name=child.name, create=False)
    closed.close()
    with pytest.raises(Exceptions.InvalidParameter, match="delete those"):
        closed.unlink()


def _write_to(child: UltraDict[Any, Any], key: str) -> str:
    child[key] = {"pid": os.getpid()}
    return type(child).__name__


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_are_passed_to_other_processes(d: UltraDict[Any, Any], method: str) -> None:
    d["a"] = {"b": {}}
    process = get_context(method).Process(target=_write_to, args=(d["a"]["b"], method))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert d["a"]["b"][method]["pid"] == process.pid


def test_children_are_passed_to_a_pool(d: UltraDict[Any, Any]) -> None:
    d["a"] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert set(pool.map(_write_to, [d["a"]] * 4, "wxyz")) == {"UltraDict"}
    assert set(d["a"]) == set("wxyz")


def test_a_pickled_child_means_that_very_child(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    stored, lock = pickle.dumps(d["a"]), pickle.dumps(d["a"].lock)
    loaded = pickle.loads(stored)
    loaded["x"] = 2
    assert d["a"]["x"] == 2
    d["a"] = {"x": 3}
    for gone in (stored, lock):
        with pytest.raises(Exceptions.CannotAttachSharedMemory, match="no key refers to it any more"):
            pickle.loads(gone)
    with pytest.raises(Exceptions.DictDeleted):
        loaded["x"]


def test_what_only_this_process_knows_outlives_a_dropped_handle() -> None:
    nan = math.nan
    with UltraDict.open(recurse=True, cache_bytes=20_000) as d:
        d["a"] = {nan: 1, "inner": UltraDict({"x": 1}, name="held-by-nested")}
        for number in range(300):  # drives the handle out of the cache
            d[number] = {"n": number}
            assert d[number]["n"] == number
        gc.collect()
        assert d["a"][nan] == 1
        assert elsewhere(d.name, "print(d['a']['inner']['x'])") == "1"
        del d["a"]["inner"]
        assert UltraDict.unlink_by_name("held-by-nested", ignore_errors=True) is False


def test_handles_form_no_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        d = UltraDict({"a": {"b": {"c": 1}}}, name="no-cycles", recurse=True)
        assert d["a"]["b"]["c"] == 1
        assert d.lock is d.lock
        gone = weakref.ref(d["a"])
        del d
        assert gone() is None
        with pytest.raises(Exceptions.CannotAttachSharedMemory):
            UltraDict(name="no-cycles", create=False)
    finally:
        gc.enable()


def test_a_handle_of_a_child_keeps_working_when_its_parents_is_closed(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    with UltraDict(name=d.name) as other:
        child = other["a"]
    child["x"] = 2
    assert d["a"]["x"] == 2


def test_a_hundred_thousand_children_need_no_more_files_than_one_dict(d: UltraDict[Any, Any]) -> None:
    def resources() -> tuple[int, int]:
        with open("/proc/self/maps") as maps:
            return len(os.listdir("/proc/self/fd")), sum(1 for line in maps if "/ultradict" in line)

    count = 100_000
    with UltraDict() as flat:
        flat.update((number, b"x" * 24) for number in range(3 * count))
        flat_resources = resources()
    before = resources()
    for number in range(count):
        d[number] = {"n": number, "m": -number}
    nested = resources()
    assert nested[0] == before[0]
    assert nested[1] <= flat_resources[1] + 10
    assert d[count // 2] == {"n": count // 2, "m": -count // 2}
    assert len(d) == d.stats()["dict_count"] == count
    d.clear()
    assert d.stats()["dict_count"] == 0


def test_the_cache_bound_holds_for_a_dict_and_its_children_together() -> None:
    bound = 200_000
    with UltraDict.open(recurse=True, cache_bytes=bound) as d:
        for number in range(200):
            d[number] = {str(n): "x" * 50 for n in range(20)}
        for _ in range(2):
            for number in range(200):
                assert all(d[number][str(n)] for n in range(20))
        cached = d.stats()["cache_size"] + sum(child.stats()["cache_size"] for child in d.values())
        assert cached <= bound


def test_a_handle_of_a_nested_dict_does_not_keep_the_name_of_the_outermost() -> None:
    d: UltraDict[str, Any] = UltraDict({"n": {"x": 1}}, name="outermost", recurse=True)
    nested = d["n"]
    del d
    with pytest.raises(Exceptions.CannotAttachSharedMemory):
        UltraDict(name="outermost", create=False)
    nested["x"] += 1
    assert nested == {"x": 2}


def test_a_nested_dict_counts_together_with_the_one_whose_place_it_takes() -> None:
    with UltraDict({"n": {"x": "a" * 600}}, recurse=True, full_dump_size=1000) as d:
        with pytest.raises(Exceptions.FullDumpMemoryFull):
            d["n"] = {"x": "b" * 600}
        assert d == {"n": {"x": "a" * 600}}
        del d["n"]
        d["n"] = {"x": "b" * 600}
        assert d == {"n": {"x": "b" * 600}}
