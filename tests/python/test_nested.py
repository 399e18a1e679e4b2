# SPDX-License-Identifier: Apache-2.0
"""Nested dicts (recurse=True): what they hold and how they behave."""

from __future__ import annotations

import copy
import json
import math
import pickle
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from python.elsewhere import elsewhere
from UltraDict import Exceptions, UltraDict


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(recurse=True) as made:
        yield made


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
    assert d["b"] == {"x": 2} == child.data
    walk = iter(child)
    d["b"] = None
    reads: list[Callable[[], Any]] = [lambda: child["x"], lambda: child.data, lambda: list(child), lambda: next(walk)]
    for read in reads:
        with pytest.raises(Exceptions.DictDeleted, match=f"'{child.name}': .* no key refers to it"):
            read()
    assert d.stats()["dict_count"] == 0


def test_a_cycle_is_refused_and_nothing_is_left_of_it(d: UltraDict[Any, Any]) -> None:
    d["a"] = {"b": {"c": {}}}
    for make in (
        lambda: d["a"].__setitem__("self", d["a"]),
        lambda: d["a"]["b"]["c"].__setitem__("up", d["a"]),
        lambda: d["a"]["b"].update(one=1, wrapped={"inner": {"a": d["a"]}}),
        lambda: d.__setitem__("root", d),
        lambda: d["a"]["b"].__setitem__("root", UltraDict(name=d.name)),
        lambda: d.update(one=1, wrapped={"inner": d}),
        lambda: d.setdefault("root", d),
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


def test_json_copies_comparison_and_repr_go_deep(d: UltraDict[Any, Any]) -> None:
    plain = {"a": {"b": {"c": [1, {"d": 2}]}}, "e": {}}
    d.update(plain)
    assert json.loads(json.dumps(d)) == plain
    assert json.loads(json.dumps(d, indent=1)) == plain
    assert json.dumps(d["a"], indent=1, sort_keys=True) == json.dumps(plain["a"], indent=1, sort_keys=True)
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
