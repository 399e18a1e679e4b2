# SPDX-License-Identifier: Apache-2.0
"""Nested dicts: recurse=True."""

from __future__ import annotations

import copy
import gc
import json
import math
import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from typing import Any

import pytest

from UltraDict import Exceptions, UltraDict


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(recurse=True) as made:
        yield made


def elsewhere(name: str, code: str) -> str:
    """What an unrelated process prints that runs `code` with the dict as `d`."""
    program = f"from UltraDict import UltraDict\nd = UltraDict(name={name!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_plain_dict_becomes_a_shared_one_at_any_depth(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"b": {"c": {"d": 1}}}
    assert type(d["a"]) is UltraDict
    assert type(d["a"]["b"]["c"]) is UltraDict
    d["a"]["b"]["c"]["d"] += 1
    assert elsewhere(d.name, "d['a']['b']['new'] = {}; print(d['a']['b']['c']['d'])") == "2"
    assert d == {"a": {"b": {"c": {"d": 2}, "new": {}}}}
    assert type(d["a"]["b"]["new"]) is UltraDict


def test_initial_items_update_and_or_make_them_too() -> None:
    with UltraDict({"a": {"x": 1}}, b={"y": {"z": 2}}, recurse=True) as d:
        d.update(c={"u": 3})
        d |= {"d": {"v": 4}}
        assert all(type(child) is UltraDict for child in d.values())
        assert type(d["b"]["y"]) is UltraDict
        assert d == {"a": {"x": 1}, "b": {"y": {"z": 2}}, "c": {"u": 3}, "d": {"v": 4}}


def test_only_exact_dicts_become_children(d: UltraDict[Any, Any]) -> None:
    class Mine(dict):  # type: ignore[type-arg]
        pass

    globals()["Mine"] = Mine
    Mine.__qualname__ = "Mine"
    d["list"] = [{"x": 1}]
    d["tuple"] = ({"x": 1},)
    d["sub"] = Mine(x=1)
    assert type(d["list"][0]) is dict
    assert type(d["tuple"][0]) is dict
    assert type(d["sub"]) is Mine


def test_without_recurse_a_dict_is_a_plain_value() -> None:
    with UltraDict() as d:
        assert d.recurse is False
        d["a"] = {"x": 1}
        assert type(d["a"]) is dict


def test_recurse_is_recorded_and_compared(d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as other:
        assert other.recurse is True
    with pytest.raises(Exceptions.ParameterMismatch, match=r"recurse=True.*False"):
        UltraDict(name=d.name, recurse=False)
    with pytest.raises(ValueError, match="pickle"):
        UltraDict(recurse=True, serializer=json)


def test_setdefault_returns_the_child(d: UltraDict[Any, Any]) -> None:
    child = d.setdefault("a", {})
    assert type(child) is UltraDict
    child["x"] = 1
    assert d.setdefault("a", {}) is child
    assert d.setdefault("a", None)["x"] == 1
    d.setdefault("counts", {}).setdefault("deep", {})["n"] = 1
    assert d["counts"] == {"deep": {"n": 1}}


def test_the_same_child_is_the_same_object_while_it_is_cached(d: UltraDict[Any, Any]) -> None:
    d["a"] = {}
    assert d["a"] is d["a"]
    assert next(iter(d.values())) is d["a"]


def test_a_child_is_linked_and_not_copied(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    d["b"] = d["a"]
    d["b"]["x"] = 2
    assert d["a"]["x"] == 2
    child = d["a"]
    del d["a"]
    assert child["x"] == 2
    assert d["b"] == {"x": 2}
    d["b"] = None
    with pytest.raises(Exceptions.DictDeleted, match="no key refers to it"):
        child["x"]
    assert d.stats()["dict_count"] == 0


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


def test_a_cycle_is_refused_and_nothing_is_left_of_it(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"b": {"c": {}}}
    for make in (
        lambda: d["a"].__setitem__("self", d["a"]),
        lambda: d["a"]["b"]["c"].__setitem__("up", d["a"]),
        lambda: d["a"]["b"].update(one=1, wrapped={"inner": {"a": d["a"]}}),
    ):
        with pytest.raises(ValueError, match="its own content"):
            make()
    plain: dict[str, Any] = {"x": {}}
    plain["x"]["up"] = plain
    with pytest.raises(ValueError, match="its own content"):
        d["plain"] = plain
    assert d == {"a": {"b": {"c": {}}}}
    assert d.stats()["dict_count"] == 3


def test_a_dict_that_occurs_twice_is_one_child(d: UltraDict[Any, Any]) -> None:
    shared = {"n": 1}
    d["both"] = {"left": shared, "right": shared}
    d["both"]["left"]["n"] = 2
    assert d["both"]["right"]["n"] == 2
    plain = d.to_dict()
    assert plain["both"]["left"] is plain["both"]["right"]


def test_a_child_of_another_dict_is_copied(d: UltraDict[Any, Any]) -> None:
    with UltraDict({"a": {"x": {"y": 1}}}, recurse=True) as other:
        d["a"] = other["a"]
        other["a"]["x"]["y"] = 2
        assert d == {"a": {"x": {"y": 1}}}
        assert type(d["a"]["x"]) is UltraDict


def test_assigning_a_child_to_its_own_key_keeps_it(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    d["a"] = d["a"]
    d.update(a=d["a"])
    assert d == {"a": {"x": 1}}


def test_moving_a_child_in_one_update(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    d.update(a=None, b=d["a"])
    assert d == {"a": None, "b": {"x": 1}}


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
        with pytest.raises((Exceptions.CannotAttachSharedMemory, Exceptions.DictDeleted)):
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
    with pytest.raises(ValueError):
        UltraDict.unlink_by_name(child.name)


def test_a_child_has_the_lock_and_the_parameters_of_its_parent() -> None:
    with UltraDict(recurse=True, shared_lock=True, buffer_size=4321, full_dump_size=100_000) as d:
        d["a"] = {}
        child = d["a"]
        assert (child.shared_lock, child.buffer_size, child.full_dump_size) == (True, 4321, 100_000)
        assert child.serializer is pickle
        with d.lock:
            assert child.lock.has_lock
            with child.lock:
                child["x"] = 1
            assert d.lock.has_lock
        assert not child.lock.has_lock


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
    stored = pickle.dumps(d["a"])
    loaded = pickle.loads(stored)
    loaded["x"] = 2
    assert d["a"]["x"] == 2
    d["a"] = {"x": 3}
    with pytest.raises((Exceptions.CannotAttachSharedMemory, Exceptions.DictDeleted)):
        pickle.loads(stored)


def test_json_copies_comparison_and_repr_go_deep(d: UltraDict[Any, Any]) -> None:
    plain = {"a": {"b": {"c": [1, {"d": 2}]}}, "e": {}}
    d.update(plain)
    assert json.loads(json.dumps(d)) == plain
    assert json.dumps(d, indent=1, sort_keys=True) == json.dumps(plain, indent=1, sort_keys=True)
    assert repr(d) == repr(plain)
    assert d == plain
    assert plain == d
    assert d != {"a": {"b": {}}, "e": {}}
    for whole in (d.to_dict(), d.as_pure_dictionary(), copy.deepcopy(d)):
        assert whole == plain
        assert type(whole["a"]["b"]) is dict
    shallow = d.copy()
    assert type(shallow) is dict
    assert type(shallow["a"]) is UltraDict
    assert d.close() == plain


def test_one_with_itself_as_an_outer_dict_prints_as_a_cycle() -> None:
    with UltraDict() as d:
        d["me"] = d
        assert repr(d) == "{'me': {...}}"


def test_it_is_as_deep_as_memory_allows(d: UltraDict[Any, Any]) -> None:
    depth = 5000
    plain: dict[str, Any] = {}
    for _ in range(depth):
        plain = {"n": plain}
    d["n"] = plain
    assert d.stats()["dict_count"] == depth + 1
    at, levels = d.to_dict(), 0
    while at:
        at, levels = at["n"], levels + 1
    assert levels == depth + 1
    del d["n"]
    assert d.stats()["dict_count"] == 0
    while plain:  # one after the other: the interpreter would free them by recursion
        plain = plain.pop("n")


def test_exotic_keys_in_children(d: UltraDict[Any, Any]) -> None:
    nan = math.nan
    d["a"] = {Decimal("1.5"): "half", nan: "nan", 2.0: "two"}
    child = d["a"]
    assert child[Decimal("1.5")] == child[1.5] == "half"
    assert child[nan] == "nan"
    assert child[2] == "two"
    assert [type(key) for key in child] == [Decimal, float, float]
    assert elsewhere(d.name, "from decimal import Decimal; print(d['a'][Decimal('1.5')], len(d['a']))") == "half 3"


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


def test_a_full_dict_keeps_the_old_value_of_a_key_that_was_to_become_nested() -> None:
    with UltraDict(recurse=True, full_dump_size=5000) as d:
        d["a"] = {"x": 1}
        with pytest.raises(Exceptions.FullDumpMemoryFull):
            d["a"] = {str(number): b"x" * 100 for number in range(100)}
        assert d == {"a": {"x": 1}}
        assert d.stats()["dict_count"] == 1


def test_a_value_that_cannot_be_pickled_changes_nothing(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"x": 1}
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        d["a"] = {"y": {"z": lambda: None}}
    with pytest.raises(TypeError):
        d.update(b={}, c={"deep": {("un", "hashable", "not"): sys._getframe()}})
    assert d == {"a": {"x": 1}}
    assert d.stats()["dict_count"] == 1
