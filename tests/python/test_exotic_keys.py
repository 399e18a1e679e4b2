# SPDX-License-Identifier: Apache-2.0
"""Keys that only Python can compare: equality decides, in every process."""

from __future__ import annotations

import gc
import math
import pickle
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

import alphabet
from alphabet import CaseBlind, Letter, Level, SubStr, SubTuple, Tagged, Word
from UltraDict import UltraDict


class Alike:
    """All have one hash, none equals another."""

    gone = False

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        assert not self.gone, "this key was deleted"
        return self is other


class Vanishing:
    """A class that some processes do not have."""


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict() as shared:
        yield shared


@pytest.fixture
def other(d: UltraDict[Any, Any]) -> Iterator[UltraDict[Any, Any]]:
    """The same dict as another attachment sees it: nothing in its cache and its mirror is the writer's."""
    with UltraDict(name=d.name) as shared:
        yield shared


def test_a_number_finds_the_plain_key_it_equals(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d[1] = "one"
    assert other[Decimal(1)] == other[Fraction(1)] == other[1 + 0j] == other[Level.LOW] == "one"
    other[Decimal(1)] = "eins"
    assert d == {1: "eins"}
    assert [type(key) for key in d] == [int]


def test_a_plain_key_finds_the_number_that_was_first(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d[Decimal(2)] = "two"
    assert other[2] == other[2.0] == other[Fraction(2)] == "two"
    other[2] = "zwei"
    assert [(type(key), value) for key, value in d.items()] == [(Decimal, "zwei")]
    del other[2]
    assert d == {}
    assert Decimal(2) not in d


def test_a_class_of_its_own_finds_every_equal_key(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d["abc"] = 1
    assert other[Word("ABC")] == 1
    d[Word("new")] = 2
    assert other[Word("NEW")] == 2
    assert other["new"] == 2
    other.update({Word("New"): 3, Word("abc"): 4, Word("third"): 5})
    assert len(d) == 3
    assert d["new"] == 3
    assert d["abc"] == 4
    assert d[Word("THIRD")] == 5


def test_deleted_and_inserted_again_elsewhere(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    for turn in range(5):
        d[Word("w")] = turn
        assert other[Word("W")] == turn
        assert other.pop(Word("w")) == turn
        assert Word("w") not in d
    d.clear()
    other[Word("w")] = "again"
    assert d[Word("w")] == "again"


@pytest.mark.parametrize("key", [SubStr("w"), Word("w"), Letter.B, Level.LOW, Decimal(1), Tagged(1, "first")], ids=repr)
@pytest.mark.parametrize("write", ["set", "update", "setdefault"])
def test_who_writes_an_equal_key_keeps_the_first_ones_face(
    d: UltraDict[Any, Any], other: UltraDict[Any, Any], write: str, key: Any
) -> None:
    equal = {"w": "w", "b": "b", 1: 1}.get(key) or Tagged(1, "second")
    for insert in (lambda: other.update({key: 1}), lambda: d.update({key: 1}), lambda: d.__setitem__(key, 1)):
        insert()
        if write == "set":
            d[equal] = 2
        elif write == "update":
            d.update([(equal, 2)])
        else:
            d.setdefault(equal, 2)
        for handle in (d, other):
            assert [(type(face), repr(face)) for face in handle] == [(type(key), repr(key))]
        d.clear()


def test_many_deleted_keys_do_not_stay_in_the_mirror(d: UltraDict[Any, Any]) -> None:
    for number in range(1000):
        d[Word(str(number))] = number
        del d[Word(str(number))]
    d[Word("last")] = 1
    assert list(d.values()) == [1]
    assert d["last"] == 1


@pytest.mark.parametrize(
    "look",
    [list, lambda d: list(d.items()), UltraDict.to_dict, lambda d: d.data],
    ids=["keys", "items", "to_dict", "data"],
)
@pytest.mark.parametrize("cache_bytes", [0, 100_000])
def test_who_only_iterates_does_not_keep_the_keys_of_the_past(
    d: UltraDict[Any, Any], look: Callable[[UltraDict[Any, Any]], object], cache_bytes: int
) -> None:
    with UltraDict.open(d.name, cache_bytes=cache_bytes) as reader:
        counts = []
        for turn in range(60):
            d.clear()
            d.update({Word(f"{turn} {number}"): number for number in range(20)})
            look(reader)
            counts.append(sum(isinstance(each, Word) for each in gc.get_objects()))
        assert max(counts[30:]) <= max(counts[:30])
        assert list(reader) == list(d)


def test_nan_is_found_by_identity_only(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    nan = float("nan")
    d[nan] = 1
    d[float("nan")] = 2
    assert d[nan] == 1
    assert len(d) == 2
    assert next(iter(d)) is nan
    there = next(iter(other))
    assert math.isnan(there)
    assert other[there] == 1
    assert next(iter(other)) is there


def test_a_key_that_cannot_be_loaded_equals_nothing(
    d: UltraDict[Any, Any], other: UltraDict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    d["before"] = 1
    d[Vanishing()] = 2
    d[Word("after")] = 3
    with monkeypatch.context() as patch:
        patch.delitem(globals(), "Vanishing")
        assert other["before"] == 1
        assert other[Word("AFTER")] == 3
        assert "missing" not in other
        with pytest.raises(AttributeError, match="Vanishing"):
            list(other)


subclassed = {
    "an IntEnum": (Level.LOW, 1),
    "a str": (SubStr("a"), "a"),
    "a tuple": (SubTuple((1, "a")), (1, "a")),
    "inside a tuple": ((SubStr("a"), 2), ("a", 2)),
    "inside a frozenset": (frozenset([Level.LOW]), frozenset([1])),
}


@pytest.mark.parametrize(("key", "plain"), subclassed.values(), ids=subclassed)
def test_what_is_plain_but_for_its_class_is_found_without_the_class(
    d: UltraDict[Any, Any], other: UltraDict[Any, Any], monkeypatch: pytest.MonkeyPatch, key: object, plain: object
) -> None:
    d.update({key: 1})
    with monkeypatch.context() as patch:
        for name in ("Level", "SubStr", "SubTuple"):
            patch.delattr(alphabet, name)
        assert plain in other
        assert other[plain] == other[plain] == other.setdefault(plain, 2) == 1
        assert Word("other") not in other
        other[plain] = 2
        other.update({plain: 3})
        assert len(other) == len(d) == 1
        with pytest.raises(AttributeError):
            list(other)
        assert other[plain] == 3
    assert [(type(found), value) for found, value in other.items()] == [(type(key), 3)]
    assert [(type(found), value) for found, value in d.items()] == [(type(key), 3)]
    del other[plain]
    assert d == {}
    d[plain] = 4
    assert [type(found) for found in other] == [type(plain)]


@pytest.mark.parametrize("recurse", [False, True])
def test_what_is_plain_but_for_its_class_is_pickled_only_if_it_is_new(recurse: bool) -> None:
    class Local(str):
        """No pickle can name it."""

    with UltraDict({"a": 1}, recurse=recurse) as d:
        d[Local("a")] = 2
        d.update({Local("a"): 3})
        assert d.setdefault(Local("a")) == 3
        for use in (lambda: d.update({"b": 1, Local("new"): 1}), lambda: d.__setitem__(Local("new"), {})):
            with pytest.raises((AttributeError, pickle.PicklingError), match="Local"):
                use()
        assert d == {"a": 3}


def test_what_is_plain_but_for_its_class_needs_no_pickle_to_be_found(d: UltraDict[Any, Any]) -> None:
    d[Level.LOW] = {"deep": 1}
    with UltraDict.open(d.name, allow_pickle=False) as other:
        assert other[1] == {"deep": 1}
        other[1] = 2
        assert (len(other), other.pop(1)) == (1, 2)
        d[SubStr("k")] = 3
        with pytest.raises(UltraDict.Exceptions.Forbidden):
            list(other)


def test_what_is_plain_but_for_its_class_is_compared_without_the_class(
    d: UltraDict[Any, Any], other: UltraDict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    d[SubStr("abc")] = 1
    with monkeypatch.context() as patch:
        patch.delattr(alphabet, "SubStr")
        assert other[Word("ABC")] == 1
        other[Word("Abc")] = 2
    assert d == {SubStr("abc"): 2}


def test_what_is_plain_but_for_its_class_is_found_in_nested_dicts() -> None:
    with UltraDict({"n": {SubStr("a"): 1}}, recurse=True) as d, UltraDict(name=d.name) as other:
        nested = other["n"]
        assert nested["a"] == 1
        assert [type(key) for key in nested] == [SubStr]


def test_c9_an_exception_in_eq_or_hash_comes_through_and_changes_nothing(d: UltraDict[Any, Any]) -> None:
    class Broken:
        def __hash__(self) -> int:
            return hash("k")

        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError

    d["k"] = 1
    for use in (lambda: d[Broken()], lambda: d.pop(Broken()), lambda: d.update({Broken(): 1}), lambda: Broken() in d):
        with pytest.raises(ZeroDivisionError):
            use()
    with pytest.raises(ZeroDivisionError):
        d[Broken()] = 2
    assert d == {"k": 1}
    assert not d.lock.has_lock


def test_an_eq_that_uses_the_dict(d: UltraDict[Any, Any]) -> None:
    class Meddling:
        def __hash__(self) -> int:
            return hash("k")

        def __eq__(self, other: object) -> bool:
            for number in range(100):
                d[number] = number
            d.pop("gone", None)
            return other == "k"

    d["gone"] = 0
    d["k"] = 1
    assert d[Meddling()] == 1
    assert len(d) == 101


@pytest.mark.parametrize("drop", ["del", "pop", "popitem"])
def test_a_deleted_key_is_compared_with_no_longer(d: UltraDict[Any, Any], drop: str) -> None:
    key = Alike()
    d["first"] = d[Alike()] = d[key] = 1
    {"del": lambda: d.__delitem__(key), "pop": lambda: d.pop(key), "popitem": d.popitem}[drop]()
    key.gone = True
    d[Alike()] = 2
    assert Alike() not in d
    assert len(d) == 3


def test_a_deleted_key_does_not_speak_for_the_next_one(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    first, second, asked = CaseBlind("a"), SubStr("a"), CaseBlind("A")
    assert first == asked
    assert first == second
    model: dict[Any, Any] = {}
    for writer, reader in ((d, d), (d, other), (other, d)):
        for mapping in (model, writer):
            mapping[first] = 1
        assert asked in reader
        for mapping in (model, writer):
            del mapping[first]
            mapping[second] = 2
        assert (asked in reader) == (asked in model)
        assert reader.get(asked) == model.get(asked)
        for mapping in (model, reader):
            mapping[asked] = 3
        assert list(map(str, reader)) == list(map(str, model))
        for mapping in (model, writer):
            mapping.clear()
