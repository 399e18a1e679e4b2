# SPDX-License-Identifier: Apache-2.0
"""Serializers that people use: values are what each makes of them, in every process, and what it refuses it refuses."""

from __future__ import annotations

import json
import marshal
import math
import pickle
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import cloudpickle
import dill
import msgpack
import msgspec
import orjson
import pytest

import alphabet
from outcomes import shape
from peer import Peer
from UltraDict import UltraDict
from UltraDict.Exceptions import ParameterMismatch


class Adapted:
    """A module with encode and decode, as a serializer with dumps and loads."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def dumps(self, value: Any) -> bytes:
        encoded: bytes = self.module.encode(value)
        return encoded

    def loads(self, data: bytes) -> Any:
        return self.module.decode(data)

    def __reduce__(self) -> tuple[Any, ...]:
        return Adapted.by_name, (self.module.__name__,)

    @staticmethod
    def by_name(name: str) -> Adapted:
        return Adapted(sys.modules[name])


class Case(NamedTuple):
    """Values that come back as they are, values that come back as something else, and values that raise."""

    serializer: Any
    same: list[Any]
    changed: list[tuple[Any, Any]]
    refused: list[tuple[Any, type[Exception]]]


scalars = [
    None,
    True,
    0,
    -5,
    2**53 + 1,
    0.5,
    math.inf,
    "",
    "text",
    "\0",
    "\U0001f986",
    [],
    [1, "a", None],
    {"a": {"b": [1]}},
]
finite = [value for value in scalars if value != math.inf]
pythonic = [*scalars, (1, (2,)), {1: 2, (3,): 4}, {1, 2}, frozenset("ab"), b"\0\xff", 2**200, "\ud800", 1j]
objects = [alphabet.Color.RED, alphabet.Tagged(1, "x"), alphabet.Point(1, 2), alphabet.fail, int, range(3)]
tuples = [((1, 2), [1, 2]), ({"a": (1, (2,))}, {"a": [1, [2]]}), ([()], [[]])]
generator = (number for number in ())
everything = object()

cases = {
    "pickle": Case(pickle, [*pythonic, *objects], [], [(generator, TypeError), (lambda: 0, Exception)]),
    "dill": Case(dill, [*pythonic, *objects], [], [(generator, TypeError)]),
    "cloudpickle": Case(cloudpickle, [*pythonic, *objects], [], [(generator, TypeError)]),
    "marshal": Case(
        marshal,
        pythonic,
        [(bytearray(b"a"), b"a")],
        [(everything, ValueError), (alphabet.Color.RED, ValueError), ([generator], ValueError)],
    ),
    "json": Case(
        json,
        [*scalars, 2**200, "\ud800"],
        [*tuples, ({1: 2, None: 3}, {"1": 2, "null": 3}), (alphabet.Level.LOW, 1), (alphabet.SubStr("a"), "a")],
        [({1}, TypeError), (b"a", TypeError), ({(1,): 1}, TypeError), (everything, TypeError)],
    ),
    "orjson": Case(
        orjson,
        finite,
        [*tuples, (math.inf, None), (alphabet.Color.RED, "red"), (alphabet.SubStr("a"), "a")],
        [({1: 2}, TypeError), ({1}, TypeError), (2**70, TypeError), ("\ud800", TypeError), (everything, TypeError)],
    ),
    "msgpack": Case(
        msgpack,
        [*scalars, b"\0\xff"],
        [*tuples, (bytearray(b"a"), b"a"), (alphabet.SubInt(5), 5)],
        [({1}, TypeError), (2**70, OverflowError), ("\ud800", UnicodeEncodeError), (everything, TypeError)],
    ),
    "msgspec.json": Case(
        Adapted(msgspec.json),
        finite,
        [*tuples, (math.inf, None), ({1}, [1]), ({1: 2}, {"1": 2}), (b"a", "YQ=="), (alphabet.Color.RED, "red")],
        [(everything, TypeError), ({(1,): 1}, TypeError), ([generator], TypeError)],
    ),
    "msgspec.msgpack": Case(
        Adapted(msgspec.msgpack),
        [*scalars, b"\0\xff", {1: 2}],
        [*tuples, ({1}, [1]), (alphabet.Color.RED, "red")],
        [(everything, TypeError), (2**70, OverflowError), ([generator], TypeError)],
    ),
}
each = pytest.mark.parametrize("name", cases)


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as other:
        yield other


def read(name: str, serializer: Any) -> Any:
    """What another process reads; one that is given no serializer takes the recorded one."""
    with UltraDict(name=name, create=False, **({} if serializer is None else {"serializer": serializer})) as d:
        return [(shape(d[key]), shape(d.get(key))) for key in d]


def to_pass(serializer: Any) -> Any:
    """An instance has no name by which others could import it."""
    return serializer if isinstance(serializer, Adapted) else None


@each
def test_values_are_what_the_serializer_makes_of_them_for_everybody(name: str, peer: Peer) -> None:
    case = cases[name]
    pairs = [*((value, value) for value in case.same), *case.changed]
    with UltraDict(serializer=case.serializer) as d:
        for number, (value, expected) in enumerate(pairs):
            d[number] = value
            assert shape(d[number]) == shape(expected), "the writer, right after it"
        assert peer(read, d.name, to_pass(case.serializer)) == [(shape(made), shape(made)) for _, made in pairs]
        assert d.to_dict().keys() == set(range(len(pairs)))


@each
def test_every_way_to_write_goes_through_it(name: str, peer: Peer) -> None:
    case = cases[name]
    value, expected = [*case.changed, ([1, {"a": None}], [1, {"a": None}])][0]
    with UltraDict({"initial": value}, serializer=case.serializer, word=value) as d:
        d["set"] = value
        assert shape(d.setdefault("default", value)) == shape(expected)
        d.update({"update": value}, updated=value)
        d |= {"or": value}
        assert {key: shape(value) for key, value in d.items()} == dict.fromkeys(d, shape(expected))
        assert peer(read, d.name, to_pass(case.serializer)) == [(shape(expected), shape(expected))] * 7
        assert shape(d.pop("set")) == shape(d.popitem()[1]) == shape(expected)


@each
def test_what_it_refuses_raises_and_changes_nothing(name: str) -> None:
    case = cases[name]
    with UltraDict(a=1, serializer=case.serializer) as d:
        for value, error in case.refused:
            with pytest.raises(error):
                case.serializer.dumps(value)
            for write in (
                lambda value=value: d.__setitem__("a", value),
                lambda value=value: d.__setitem__("new", value),
                lambda value=value: d.setdefault("new", value),
                lambda value=value: d.update({"a": 2, "new": value}),
                lambda value=value: d.__ior__([("b", 2), ("a", value)]),
            ):
                with pytest.raises(error):
                    write()
                assert list(d.items()) == [("a", 1)]
                assert d.lock.get_remote_lock() == 0


@each
def test_keys_do_not_go_through_it(name: str, peer: Peer) -> None:
    case = cases[name]
    keys = [(1, (2,)), frozenset([1]), b"\xff", 2**200, "\ud800", None, alphabet.Color.RED, alphabet.Tagged(1)]
    with UltraDict(dict.fromkeys(keys, 1), serializer=case.serializer) as d:
        assert shape(list(d)) == shape(keys)
        assert all(d[key] == 1 for key in keys)
        assert len(peer(read, d.name, to_pass(case.serializer))) == len(keys)


@each
def test_another_serializer_is_refused_and_both_are_named(name: str) -> None:
    case = cases[name]
    other = marshal if name != "marshal" else json
    recorded = "Adapted" if isinstance(case.serializer, Adapted) else name
    with UltraDict(a=1, serializer=case.serializer) as d:
        if name != "pickle":
            with pytest.raises(
                ParameterMismatch, match=rf"(?s){recorded}.*{other.__name__}|{other.__name__}.*{recorded}"
            ):
                UltraDict(name=d.name, serializer=other)
        assert d == {"a": 1}


@each
def test_without_one_the_recorded_one_is_taken_or_asked_for(name: str) -> None:
    serializer = cases[name].serializer
    with UltraDict(a=1, serializer=serializer) as d:
        if isinstance(serializer, Adapted):
            with pytest.raises(ParameterMismatch, match="pass serializer="):
                UltraDict(name=d.name)
            with UltraDict(name=d.name, serializer=serializer) as other:
                assert other == {"a": 1}
        else:
            with UltraDict(name=d.name) as other:
                assert other.serializer is serializer
                assert other == {"a": 1}


@each
def test_a_pickled_handle_takes_it_along(name: str, peer: Peer) -> None:
    with UltraDict(a=[1], serializer=cases[name].serializer) as d:
        assert peer(values_of, d) == [[1]]


def values_of(d: UltraDict[Any, Any]) -> list[Any]:
    with d:
        return list(d.values())


def test_what_the_default_cannot_pickle_others_can() -> None:
    for serializer in (dill, cloudpickle):
        with UltraDict(serializer=serializer, double=lambda value: value * 2) as d, UltraDict(name=d.name) as other:
            assert other["double"](21) == 42


def test_what_cannot_be_loaded_raises_on_access_and_can_be_replaced() -> None:
    with UltraDict(serializer=msgpack, a=1) as d:
        d["a"] = {1: 2}  # msgpack packs such a key, and refuses to unpack it
        for use in (
            lambda: d["a"],
            lambda: d.get("a"),
            lambda: list(d.values()),
            lambda: dict(d),
            lambda: d == {"a": 1},
        ):
            with pytest.raises(ValueError, match="strict_map_key"):
                use()
        assert list(d) == ["a"]
        assert d.lock.get_remote_lock() == 0
        d["a"] = 2
        assert d == {"a": 2}
        d["b"] = {1: 2}
        del d["b"]
        assert d == {"a": 2}


class TextSerializer:
    """Its dumps answers a str, with characters of every width."""

    @staticmethod
    def dumps(value: Any) -> str:
        return f"\0\xff\u20ac\U0001f986{value!r}"

    @staticmethod
    def loads(text: str) -> Any:
        assert text[:4] == "\0\xff\u20ac\U0001f986"
        return text[4:]


def test_a_str_comes_back_as_a_str(peer: Peer) -> None:
    with UltraDict(serializer=TextSerializer, a=[1, "\u20ac"]) as d:
        assert d["a"] == "[1, '\u20ac']"
        assert peer(read, d.name, TextSerializer) == [(shape(d["a"]), shape(d["a"]))]


attaching = """
import sys
from UltraDict import UltraDict
try:
    d = UltraDict.open(sys.argv[1], create=False, allow_pickle=False{more})
    print(d["a"], end=" ")
except Exception as error:
    print(type(error).__name__, error, end=" ")
print({module!r} in sys.modules)
"""


def attach_without_pickle(name: str, module: str, more: str = "") -> str:
    """What a process says that trusts the dict's writer less."""
    program = attaching.format(module=module, more=more)
    done = subprocess.run([sys.executable, "-c", program, name], capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("name", ["msgpack", "dill", "orjson"])
def test_without_trust_nothing_is_imported_but_what_was_passed_is_used(name: str) -> None:
    with UltraDict(a=1, serializer=cases[name].serializer) as d:
        refusal = attach_without_pickle(d.name, name)
        assert refusal.endswith(" False")
        assert refusal.startswith("Forbidden")
        assert name in refusal
        assert "pass serializer=" in refusal
        assert attach_without_pickle(d.name, name, f", serializer=__import__({name!r})") == "1 True"


def test_without_trust_a_pickled_value_raises_on_access_and_imports_nothing() -> None:
    with UltraDict(a=orjson.JSONDecodeError) as d:
        said = attach_without_pickle(d.name, "orjson")
        assert said.startswith("Forbidden")
        assert said.endswith(" False")
