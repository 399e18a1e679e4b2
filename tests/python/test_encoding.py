# SPDX-License-Identifier: Apache-2.0
"""What goes into a dict comes out of it, in the process that wrote it and in any other: values equal and of the same
types, keys as they were inserted, and two keys are one exactly when Python calls them equal."""

from __future__ import annotations

import ctypes
import json
import marshal
import math
import mmap
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from multiprocessing.connection import Connection
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alphabet import CaseBlind, Framed, Level, Point, SubStr
from outcomes import shape
from strategies import histories
from UltraDict import UltraDict

Ask = Callable[[str, Any], Any]


class Fiveish:
    """Serializes to what no serializer may return."""

    @staticmethod
    def dumps(value: object) -> int:
        return 5

    @staticmethod
    def loads(data: object) -> object:
        return data


def _answer(pipe: Connection) -> None:
    """The other process: for every (name, key) the value, and the keys as it sees them."""
    dicts: dict[str, Any] = {}
    while (question := pipe.recv()) is not None:
        name, key = question
        if name not in dicts:
            dicts[name] = UltraDict(name=name, create=False)
        pipe.send((dicts[name][key], list(dicts[name])))


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """A function from a dict's name and a key to (value, keys) as another process sees them."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_answer, args=(there,))
    process.start()
    there.close()

    def question(name: str, key: Any) -> Any:
        here.send((name, key))
        return here.recv()

    yield question
    here.send(None)
    process.join(30)
    assert process.exitcode == 0


@pytest.fixture(scope="module")
def shared() -> Iterator[UltraDict]:
    """One dict for all examples; each clears it."""
    with UltraDict() as opened:
        yield opened


def same(left: Any, right: Any) -> bool:
    return bool(shape(left) == shape(right))


texts = st.text(max_size=20)
surrogates = st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010), max_size=5)
numbers = st.one_of(st.integers(), st.integers(-(2**70), 2**70), st.floats(), st.integers(2**52, 2**1020).map(float))
scalars = st.one_of(st.none(), st.booleans(), numbers, texts, surrogates, st.binary(max_size=20))
plain_scalars = scalars.filter(lambda key: repr(key) != "nan")
plain_keys = st.recursive(
    plain_scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(frozenset),
    ),
    max_leaves=6,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(plain_scalars, inner, max_size=4),
    ),
    max_leaves=15,
)


@histories(200)
@given(value=values)
@example(value=[(), ((),), [[]], {}])
@example(value={1: {True: -0.0}, "\ud800": "\udfff\ud800"})
def test_a_typed_value_is_the_same_everywhere(shared: UltraDict, ask: Ask, value: Any) -> None:
    shared.clear()
    shared["key"] = value
    assert same(shared["key"], value)
    seen, _ = ask(shared.name, "key")
    assert same(seen, value)


@histories(200)
@given(key=plain_keys)
@example(key=True)
@example(key=-0.0)
@example(key=(1.0, frozenset([True, (2.0,)])))
@example(key=float(2**63))
@example(key=math.inf)
def test_a_plain_key_looks_as_it_was_inserted(shared: UltraDict, ask: Ask, key: Any) -> None:
    shared.clear()
    shared[key] = 1
    assert same(list(shared), [key])
    _, keys = ask(shared.name, key)
    assert same(keys, [key])


@histories(200)
@given(keys=st.lists(plain_keys, max_size=8))
@example(keys=[1, True, 1.0, "1", b"1", (1,), (True,), frozenset([1]), frozenset([1.0])])
@example(keys=[2**63, float(2**63), -(2**63), -float(2**63), 2**1000, float(2**1000), 2**53 + 1, float(2**53 + 1)])
@example(keys=[0, -0.0, False, (), frozenset(), "", b"", None])
def test_keys_are_one_exactly_when_python_says_so(shared: UltraDict, keys: list[Any]) -> None:
    shared.clear()
    model: dict[Any, int] = {}
    for number, key in enumerate(keys):
        model[key] = shared[key] = number
    assert same(list(shared.items()), list(model.items()))


@pytest.mark.parametrize(
    ("like", "plain"),
    [
        (Level.LOW, 1),
        (SubStr("a"), "a"),
        (Point(1, 2.0), (1, 2)),
        (Point(Level.LOW, "x"), (1, "x")),
        (Decimal(1), 1),
        (Decimal("0.5"), 0.5),
        (Decimal(10**30), 10**30),
        (Fraction(1, 2), 0.5),
        (Fraction(10**400), 10**400),
        (1 + 0j, 1),
        (complex(0.5, -0.0), 0.5),
        ((Decimal(1), 2), (1, 2)),
        (frozenset([Decimal(1), Level.HIGH]), frozenset([1, 2])),
        (CaseBlind("a"), "a"),
    ],
)
def test_a_key_of_another_class_finds_the_plain_key_it_equals(shared: UltraDict, like: Any, plain: Any) -> None:
    shared.clear()
    shared[plain] = "value"
    assert shared[like] == "value"
    shared.clear()
    shared[like] = "value"
    assert shared[plain] == "value"
    assert [type(key) for key in shared] == [type(like)]


@pytest.mark.parametrize(
    ("key", "missing"),
    [
        (Decimal("0.1"), 0.1),
        (Fraction(1, 3), 1 / 3),
        (1j, 1),
        (Decimal("1e400"), math.inf),
        (CaseBlind("A"), "A "),
        (SubStr("1"), 1),
    ],
)
def test_a_key_of_another_class_equals_nothing_else(shared: UltraDict, key: Any, missing: Any) -> None:
    shared.clear()
    shared[key] = "value"
    assert missing not in shared
    assert shared[key] == "value"


@pytest.mark.parametrize("key", [[], {}, (1, []), {1}, Decimal("sNaN"), (Decimal(1), {})], ids=repr)
def test_an_unhashable_key_is_refused_like_by_a_dict(shared: UltraDict, key: Any) -> None:
    shared.clear()
    with pytest.raises(TypeError):
        shared[key] = 1
    with pytest.raises(TypeError):
        shared[key]
    assert len(shared) == 0


def test_what_a_key_raises_propagates(shared: UltraDict) -> None:
    class Angry:
        def __hash__(self) -> int:
            raise ZeroDivisionError

    shared.clear()
    for key in (Angry(), (1, Angry())):
        with pytest.raises(ZeroDivisionError):
            shared[key] = 1
    assert len(shared) == 0


@pytest.mark.parametrize(
    "value",
    [
        Level.LOW,
        SubStr("a"),
        Point(1, 2),
        {1, 2},
        frozenset([1]),
        Decimal(1),
        bytearray(b"x"),
        1j,
        [Level.LOW],
        Framed(b"x" * 100),
        Framed(bytearray(b"x" * 50_000)),  # type: ignore[arg-type]
    ],
    ids=repr,
)
def test_other_types_keep_theirs(shared: UltraDict, ask: Ask, value: Any) -> None:
    shared["key"] = value
    seen, _ = ask(shared.name, "key")
    for back in (shared["key"], seen):
        assert back == value
        assert type(back) is type(value)
    if isinstance(value, list):
        assert type(shared["key"][0]) is Level


def test_a_bytearray_is_no_pickle(shared: UltraDict) -> None:
    value = [bytearray(b"x"), {"k": bytearray()}, (bytearray(b"y" * 1000),)]
    shared["key"] = value
    with UltraDict.open(shared.name, allow_pickle=False) as wary:
        assert wary["key"] == value
        assert type(wary["key"][0]) is bytearray


def test_a_container_that_occurs_twice_is_one(shared: UltraDict) -> None:
    twice = [1]
    endless: list[Any] = []
    endless.append(endless)
    shared["list"] = [twice, {"again": twice}]
    shared["tuple"] = ((twice, 1), (twice, 2))
    shared["endless"] = endless
    read_list, read_tuple, read_endless = shared["list"], shared["tuple"], shared["endless"]
    assert read_list[0] is read_list[1]["again"]
    shared["bytearray"] = [one := bytearray(b"x"), one]
    assert shared["bytearray"][0] is shared["bytearray"][1]
    assert read_tuple[0][0] is read_tuple[1][0]
    assert read_endless[0] is read_endless


@pytest.mark.parametrize("depth", [63, 64, 65, 300])
def test_nesting_may_be_deep(shared: UltraDict, ask: Ask, depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    shared["key"] = value
    assert shared["key"] == value
    assert ask(shared.name, "key")[0] == value


def test_a_tuple_that_is_met_more_often_than_anybody_could_count(shared: UltraDict, ask: Ask) -> None:
    value: Any = (1,)
    for _ in range(60):
        value = (value, value)
    for store in (lambda: shared.__setitem__("key", value), lambda: shared.update(key=value)):
        store()
        for left in (shared["key"], ask(shared.name, "key")[0]):
            for _ in range(60):
                assert left[0] is left[1]
                left = left[0]  # noqa: PLW2901
            assert left == (1,)


def test_a_set_that_is_met_more_often_than_anybody_could_count(shared: UltraDict) -> None:
    key, other = frozenset([1]), frozenset([2])
    for _ in range(28):
        key, other = (frozenset([each, frozenset([each])]) for each in (key, other))
    shared.clear()
    assert key not in shared
    shared[key] = 1
    shared.update({key: 2, other: 3})
    assert (shared[key], shared[other], len(shared)) == (2, 3, 2)
    del shared[key]
    assert list(shared.values()) == [3]


@pytest.mark.parametrize("size", [1, 1 << 19, 1 << 21])
def test_sets_in_sets_are_one_whatever_the_order_of_their_members(shared: UltraDict, size: int) -> None:
    long, inner = "x" * size, [frozenset([str(number)]) for number in range(20)]
    shared.clear()
    shared[frozenset([long, *inner])] = 1
    with UltraDict(name=shared.name, create=False) as other:
        other[frozenset([*reversed(inner), long])] = 2
        assert list(shared.values()) == [2]
        assert frozenset([long]) not in other


def test_a_buffer_that_pickle_refuses_is_stored_as_bytes(shared: UltraDict) -> None:
    with mmap.mmap(-1, 4096) as mapped:
        mapped[:3] = b"abc"
        buffers = [memoryview(b"abc"), memoryview(b"abcdef")[::2], mapped, (ctypes.c_int * 3)(1, 2, 3)]
        for buffer in buffers:
            shared["key"] = buffer
            assert same(shared["key"], bytes(buffer))


def test_a_value_that_cannot_be_pickled_changes_nothing(shared: UltraDict) -> None:
    class Refusing:
        def __reduce__(self) -> Any:
            raise ZeroDivisionError

    shared["key"] = "old"
    for value in (Refusing(), [1, Refusing()]):
        with pytest.raises(ZeroDivisionError):
            shared["key"] = value
    assert shared["key"] == "old"


def test_a_value_changed_after_the_assignment_is_not_changed_here(shared: UltraDict) -> None:
    value = {"list": [1]}
    shared["key"] = value
    value["list"].append(2)
    assert shared["key"] == {"list": [1]}


def test_the_writer_reads_what_a_lossy_serializer_makes_of_a_value() -> None:
    with UltraDict(serializer=json) as lossy:
        lossy["key"] = {1: (2, "\ud800")}
        assert lossy["key"] == {"1": [2, "\ud800"]}
        with pytest.raises(TypeError, match="JSON"):
            lossy["key"] = {1, 2}
        assert lossy["key"] == {"1": [2, "\ud800"]}


def test_every_value_goes_through_another_serializer() -> None:
    with UltraDict(serializer=marshal) as dictionary:
        for value in (None, 1, "a", (1, 2), {"a": [1.5]}):
            dictionary["key"] = value
            assert same(dictionary["key"], value)


def test_a_serializer_must_return_bytes_or_str() -> None:
    with UltraDict(serializer=Fiveish) as dictionary:
        with pytest.raises(TypeError, match=r"Fiveish.*int"):
            dictionary["key"] = 1
        assert len(dictionary) == 0


def test_a_serializer_must_have_dumps_and_loads() -> None:
    with pytest.raises(TypeError, match="dumps"):
        UltraDict(serializer=math)


class Pointers(ctypes.Structure):
    _fields_ = (("number", ctypes.c_int), ("text", ctypes.c_char_p))


def test_addresses_are_not_stored_as_bytes() -> None:
    """What a serializer refuses is stored as its bytes only if those mean the same in every process."""
    numpy = pytest.importorskip("numpy")
    objects = numpy.array([1, "two", lambda: 3], dtype=object)
    fields = numpy.zeros(2, dtype=[("number", "i4"), ("object", "O")])
    fields["object"][:] = lambda: 3
    for serializer in (None, json):
        with UltraDict(serializer=serializer) as d:
            for value in (objects, fields, (Pointers * 2)(), (ctypes.c_void_p * 2)()):
                with pytest.raises((pickle.PicklingError, TypeError, ValueError, AttributeError)):
                    d["k"] = value
                assert "k" not in d
            if serializer is not json:
                d["k"] = (ctypes.c_int * 2)(3, 4)
                assert d["k"] == bytes((ctypes.c_int * 2)(3, 4))


class Failing(bytearray):
    def __reduce_ex__(self, protocol: Any) -> Any:
        raise ZeroDivisionError("a fault of this class")


def test_what_fails_to_be_stored_raises_that() -> None:
    with UltraDict() as d:
        with pytest.raises(ZeroDivisionError, match="a fault of this class"):
            d["k"] = Failing(b"x")
        assert not d
