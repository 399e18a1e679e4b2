# SPDX-License-Identifier: Apache-2.0
"""Classes derived from UltraDict behave as the same class derived from dict does, and travel as themselves."""

from __future__ import annotations

import ast
import collections
import copy
import gc
import json
import operator
import pickle
import pprint
import types
import weakref
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import pytest

from outcomes import outcome
from peer import Peer
from UltraDict import UltraDict

start = {"a": 1, "b": [2], 3: None}
K = TypeVar("K")
V = TypeVar("V")


class Talking:
    """What both classes below add: it is seen when Python's own methods call an override, and when they do not."""

    def __missing__(self, key: Any) -> Any:
        if key == "really missing":
            raise LookupError(key)
        return ("missing", key)

    def __getitem__(self, key: Any) -> Any:
        return ("got", super().__getitem__(key))  # type: ignore[misc]

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, ("set", value))  # type: ignore[misc]

    def __delitem__(self, key: Any) -> None:
        super().__setitem__("deleted", key)  # type: ignore[misc]
        super().__delitem__(key)  # type: ignore[misc]

    def __contains__(self, key: Any) -> bool:
        return key == "everywhere" or super().__contains__(key)  # type: ignore[misc]


class TalkingPlain(Talking, dict):  # type: ignore[type-arg]
    pass


class TalkingShared(Talking, UltraDict[Any, Any]):
    pass


class Counting(UltraDict[Any, int]):
    """An __init__, a class attribute, a method and a property of its own."""

    unit = "pieces"

    def __init__(self, *arg: Any, step: int = 1, **words: Any) -> None:
        super().__init__(*arg, **words)
        self.step = step

    def count(self, key: Any) -> int:
        with self.lock:
            self[key] = self.get(key, 0) + self.step
            return self[key]

    @property
    def total(self) -> int:
        return sum(self.values())


class Slotted(UltraDict[Any, Any]):
    __slots__ = ("slot",)


class Stateful(UltraDict[Any, Any]):
    """Says itself what of it is pickled."""

    secret = "none"

    def __getstate__(self) -> Any:
        return {"taken": self.secret}

    def __setstate__(self, state: Any) -> None:
        self.given = state


class Typed(UltraDict[K, V], Generic[K, V]):
    pass


class Mixed(collections.abc.Sized, UltraDict[Any, Any]):
    """Another base beside it."""


cases = {
    "getitem": lambda d: (d["a"], d["absent"]),
    "missing raises": lambda d: d["really missing"],
    "get": lambda d: (d.get("a"), d.get("absent"), d.get("absent", 1)),
    "setitem": lambda d: d.__setitem__("n", 1),
    "operator": lambda d: (operator.setitem(d, "n", 1), operator.getitem(d, "n"), operator.delitem(d, "a")),
    "update": lambda d: d.update(n=1, a=2),
    "ior": lambda d: operator.ior(d, {"n": 1}) is d,
    "setdefault": lambda d: (d.setdefault("n", 1), d.setdefault("a", 5)),
    "pop": lambda d: (d.pop("a"), d.pop("absent", 1)),
    "pop missing": lambda d: d.pop("absent"),
    "popitem": lambda d: d.popitem(),
    "del": lambda d: operator.delitem(d, "a"),
    "del missing": lambda d: operator.delitem(d, "absent"),
    "contains": lambda d: ("everywhere" in d, "everywhere" in d.keys(), d.get("everywhere"), "a" in d),  # noqa: SIM118
    "items contain": lambda d: (("a", 1) in d.items(), ("absent", "absent") in d.items(), ("n", 1) in d.items()),
    "items and": lambda d: d.items() & {("a", 1), ("absent", "absent")},
    "values": lambda d: (list(d.values()), list(d.items()), list(reversed(d))),
    "equal": lambda d: (d == start, start == d, d != start),
    "or": lambda d: d | {"n": 1},
    "repr": repr,
    "clear": lambda d: d.clear(),
    "augmented": lambda d: operator.setitem(d, "a", (d["a"], 1)),
    "format_map": lambda d: "{a} {absent}".format_map(d),
    "percent": lambda d: "%(a)s %(absent)s" % d,  # noqa: UP031
    "chain map": lambda d: collections.ChainMap({}, d)["absent"],
    "proxy": lambda d: (types.MappingProxyType(d)["a"], types.MappingProxyType(d)["absent"]),
}


@pytest.mark.parametrize("name", cases)
def test_overrides_are_called_where_dict_calls_them(name: str) -> None:
    plain = TalkingPlain(start)
    with TalkingShared(start) as shared:
        assert outcome(cases[name], shared) == outcome(cases[name], plain)


def test_who_merges_it_into_a_plain_dict_asks_its_getitem() -> None:
    """As with every subclass of dict that has an __iter__ of its own: CPython asks keys() and []."""
    with TalkingShared(start) as shared:
        got = {key: ("got", value) for key, value in start.items()}
        assert dict(shared) == {**shared} == got


def test_where_it_is_merged_by_an_ultradict_its_items_are_taken_as_those_of_a_subclass_of_dict() -> None:
    with TalkingShared(start) as shared, UltraDict() as merged:
        merged.update(shared)
        assert {} | shared == {} | TalkingPlain(start) == start
        assert shared | {} == merged == start


@pytest.fixture
def counting() -> Iterator[Counting]:
    with Counting({"a": 1}, step=5) as made:
        yield made


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as other:
        yield other


def test_an_init_of_its_own(counting: Counting) -> None:
    assert counting.count("a") == counting.count("a") - 5 == 6
    assert counting.total == 11
    assert counting.unit == "pieces"
    with Counting(name=counting.name, step=2) as other:
        assert other.count("a") == 13
    assert counting["a"] == 13


def describe(d: Counting) -> Any:
    """What arrives in another process."""
    with d:
        return type(d).__qualname__, d.step, d.count("a"), vars(d)


def test_pickled_it_arrives_as_itself_with_its_attributes(counting: Counting, peer: Peer) -> None:
    counting.note = ["kept"]
    assert peer(describe, counting) == ("Counting", 5, 6, {"step": 5, "note": ["kept"]})
    assert counting["a"] == 6
    for there in (pickle.loads(pickle.dumps(counting)), pickle.loads(pickle.dumps([counting], 2))[0]):
        assert type(there) is Counting
        assert there is not counting
        assert (there.step, there.note) == (5, ["kept"])
        there.close()


def test_attributes_belong_to_a_handle_and_are_no_items(counting: Counting) -> None:
    counting.extra = 1
    with Counting(name=counting.name) as other:
        assert not hasattr(other, "extra")
        assert other.step == 1
    del counting.extra
    with pytest.raises(AttributeError, match="extra"):
        counting.extra
    with pytest.raises(KeyError):
        counting["step"]
    with pytest.raises(AttributeError):
        counting.name = "other"


def test_slots() -> None:
    with Slotted(a=1) as d:
        d.slot = 5
        assert d.slot == 5
        there = pickle.loads(pickle.dumps(d))
        assert type(there) is Slotted
        assert there.slot == 5
        there.close()


def test_what_is_pickled_of_it_is_its_own_affair() -> None:
    with Stateful(a=1) as d:
        d.secret = "mine"
        with pickle.loads(pickle.dumps(d)) as there:
            assert there.given == {"taken": "mine"}
            assert there.secret == "none"
            assert there == {"a": 1}


def test_weak_references() -> None:
    d = Counting(a=1)
    gone: list[Any] = []
    reference = weakref.ref(d, gone.append)
    names = weakref.WeakValueDictionary({"d": d})
    assert reference() is d
    assert names["d"] is d
    d.close()
    del d
    gc.collect()
    assert reference() is None
    assert gone == [reference]
    assert "d" not in names


def test_generic_aliases() -> None:
    assert UltraDict[str, int].__origin__ is UltraDict
    assert UltraDict[str, int].__args__ == (str, int)
    with Typed[str, int](a=1) as d, UltraDict[str, int](b=2) as e:
        assert type(d) is Typed
        assert type(e) is UltraDict
        assert (d, e) == ({"a": 1}, {"b": 2})


def test_another_base_beside_it() -> None:
    with Mixed(a=1) as d:
        assert d == {"a": 1}
        assert isinstance(d, (dict, collections.abc.Sized))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda d: d.copy()])
def test_copies_are_plain_dicts(counting: Counting, copied: Any) -> None:
    result = copied(counting)
    assert type(result) is dict
    assert result == {"a": 1}


def test_fromkeys_makes_one_of_the_class() -> None:
    with Counting.fromkeys("ab", 1) as d:
        assert type(d) is Counting
        assert (d, d.step) == ({"a": 1, "b": 1}, 1)
    with TalkingShared.fromkeys("ab") as talking:
        assert dict(talking.items()) == dict(TalkingPlain.fromkeys("ab").items())


def test_operators_make_plain_dicts(counting: Counting) -> None:
    for result in (counting | {"b": 2}, {"b": 2} | counting):
        assert type(result) is dict
    before = counting
    counting |= {"b": 2}
    assert counting is before


def test_consumers_take_it_for_a_dict(counting: Counting) -> None:
    counting["long"] = int("1" * 100)
    plain = counting.to_dict()
    assert json.loads(json.dumps(counting)) == plain
    assert ast.literal_eval(pprint.pformat(counting)) == plain
    assert dict(collections.ChainMap(counting)) == plain
    assert types.MappingProxyType(counting) == plain
    assert sorted(counting) == ["a", "long"]
    assert dict(**counting) == plain


def test_an_instance_as_a_value(counting: Counting) -> None:
    with UltraDict(inner=counting) as outer:
        assert type(outer["inner"]) is Counting
        assert outer["inner"].count("a") == 6
        assert outer["inner"].step == 5


def test_init_does_not_call_an_update_of_its_own() -> None:
    """Which may need what the own __init__ does afterwards."""

    class Noting(UltraDict[str, int]):
        def __init__(self, *arg: Any, **items: Any) -> None:
            super().__init__(*arg, **items)
            self.noted: list[Any] = []

        def update(self, *arg: Any, **items: Any) -> None:
            self.noted.append(arg)
            super().update(*arg, **items)

    with Noting({"a": 1}, b=2) as d:
        d.update(c=3)
        assert d == {"a": 1, "b": 2, "c": 3}
        assert d.noted == [()]


def test_an_init_that_calls_no_super_is_a_clear_error() -> None:
    class Forgetful(UltraDict[Any, Any]):
        def __init__(self) -> None:
            pass

    with pytest.raises(UltraDict.Exceptions.AlreadyClosed, match="__init__"):
        Forgetful()["a"]


def test_a_close_of_its_own_is_called_by_nobody_else() -> None:
    class Closing(UltraDict[Any, Any]):
        closed_by = 0

        def close(self, unlink: bool = False, data: bool = True) -> Any:
            self.closed_by += 1
            return super().close(unlink, data)

    with Closing(a=1) as d:
        assert d.close() == {"a": 1}
        assert d.closed_by == 1
    assert d.closed


def test_missing_is_looked_up_in_the_class_alone() -> None:
    class WithMissing(UltraDict[Any, Any]):
        def __missing__(self, key: Any) -> Any:
            return "of the class"

    class Meta(type(UltraDict)):  # type: ignore[misc]
        def __missing__(cls, key: Any) -> Any:
            return "of the metaclass"

    class OfMeta(UltraDict[Any, Any], metaclass=Meta):
        pass

    with WithMissing() as d:
        d.__missing__ = lambda key: "of the instance"  # type: ignore[method-assign]
        assert d["absent"] == "of the class"
    with OfMeta() as d, pytest.raises(KeyError):
        d["absent"]
