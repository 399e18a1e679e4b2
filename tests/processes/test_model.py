# SPDX-License-Identifier: Apache-2.0
"""Random operations with keys and values of every kind, done by two processes in turn on one dict and on a plain dict:
the same at every step, though the processes hash strings, and objects, differently."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alphabet import SubStr
from outcomes import answer_of, shape, state
from peer import Peer
from strategies import any_key, few_keys, histories, keys, lonely, long_text, values
from UltraDict import UltraDict


def operations(key: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """What is done, with the keys it is done to: more comes than goes."""
    pairs = st.lists(st.tuples(key, values), max_size=5)
    put = st.tuples(st.sampled_from(["put", "put", "setdefault"]), key, values)
    look = st.tuples(st.sampled_from(["get", "item", "contains"]), key)
    remove = st.tuples(st.sampled_from(["delete", "pop", "pop it"]), key)
    update = st.tuples(st.sampled_from(["update", "ior"]), pairs)
    look_at_all = st.tuples(st.sampled_from(["items", "backwards", "copy", "dump", "reattach"]))
    look_at_many = st.tuples(st.just("has items"), pairs)
    take = st.tuples(st.sampled_from(["popitem", "popitem", "popitem", "clear"]))
    return st.sampled_from(
        [put] * 10 + [look] * 10 + [remove] * 3 + [update] * 3 + [look_at_all] * 2 + [look_at_many, take]
    ).flatmap(lambda chosen: chosen)


def script_over(few: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Operations on keys that meet again and again, and now and then any other; short ones if they will do."""
    steps = st.tuples(st.booleans(), operations(st.one_of(few, few, few, few, any_key)))
    return st.one_of(st.lists(steps, max_size=8), st.lists(steps, min_size=25, max_size=80))


scripts = few_keys.map(st.sampled_from).flatmap(script_over)


def equals_its_copy(value: Any) -> bool:
    """A NaN in a value does not, and which copy a process has of it is its own business."""
    return bool(pickle.loads(pickle.dumps(value)) == value)


def whole(d: Any, items: Any) -> Any:
    """All or nothing is what an UltraDict makes of a source that a dict takes as far as it goes."""
    return items if isinstance(d, UltraDict) else dict(items)


actions: dict[str, Callable[..., Any]] = {
    "put": lambda d, key, value: d.__setitem__(key, value),
    "get": lambda d, key: d.get(key, "none"),
    "item": lambda d, key: d[key],
    "contains": lambda d, key: (key in d, key in d.keys()),  # noqa: SIM118
    "delete": lambda d, key: d.__delitem__(key),
    "pop": lambda d, key: d.pop(key, "none"),
    "pop it": lambda d, key: d.pop(key),
    "setdefault": lambda d, key, value: d.setdefault(key, value),
    "update": lambda d, items: d.update(whole(d, items)),
    "ior": lambda d, items: d.__ior__(whole(d, items)) is d,
    "popitem": lambda d: d.popitem(),
    "items": lambda d: [list(d.items()), len(d), bool(d)],
    "has items": lambda d, items: [item in d.items() for item in items if equals_its_copy(item[1])],
    "backwards": lambda d: [list(reversed(d)), list(reversed(d.values()))],
    "copy": lambda d: d.copy(),
    "dump": lambda d: d.dump() if isinstance(d, UltraDict) else None,
    "reattach": lambda d: None,
    "clear": lambda d: d.clear(),
}


def act(d: Any, operation: tuple[Any, ...]) -> Any:
    """What an operation answers or raises; a key in an exception says no more than its kind."""
    answer = answer_of(lambda d: actions[operation[0]](d, *operation[1:]), d)
    return answer[0] if answer[0] == "KeyError" else answer


class There:
    """What the other process has: one dict at a time."""

    shared: UltraDict[Any, Any]

    @classmethod
    def attach(cls, name: str, cache_bytes: int) -> None:
        cls.shared = UltraDict.open(name, create=False, cache_bytes=cache_bytes)

    @classmethod
    def act(cls, operation: tuple[Any, ...]) -> Any:
        return act(cls.shared, operation)

    @classmethod
    def state(cls) -> Any:
        return state(cls.shared)

    @classmethod
    def close(cls) -> None:
        cls.shared.close(data=False)


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as other:
        yield other


def as_there(operation: tuple[Any, ...]) -> tuple[Any, ...]:
    """The objects that arrive in the other process: a NaN is another one there, and equals nothing."""
    arrived: tuple[Any, ...] = pickle.loads(pickle.dumps(operation))
    return arrived


@contextlib.contextmanager
def opened_here_and_there(cache_bytes: int, peer: Peer) -> Iterator[UltraDict[Any, Any]]:
    with UltraDict.open(cache_bytes=cache_bytes) as d:
        peer(There.attach, d.name, cache_bytes)
        try:
            yield d
        finally:
            peer(There.close)


each_lonely_key = [(here, ("put", key, 1)) for key in lonely for here in (True, False, True)]
a_long_key = [(True, ("put", long_text, long_text)), (False, ("item", long_text)), (False, ("popitem",))]
first_face = [(False, ("update", [(SubStr("a"), 1)])), (False, ("put", "a", 2))]


@histories(400)
@given(cache_bytes=st.sampled_from([0, 20_000, 1 << 26]), script=scripts)
@example(cache_bytes=0, script=each_lonely_key)
@example(cache_bytes=1 << 26, script=a_long_key)
@example(cache_bytes=1 << 26, script=first_face)
def test_two_processes_do_what_one_dict_does(cache_bytes: int, script: list[Any], peer: Peer) -> None:
    model: dict[Any, Any] = {}
    with opened_here_and_there(cache_bytes, peer) as d:
        for is_here, operation in script:
            expected = act(model, operation if is_here else as_there(operation))
            answer = act(d, operation) if is_here else peer(There.act, operation)
            assert answer == expected, operation
            assert len(d) == len(model)
            if operation[0] == "reattach":
                peer(There.close)
                peer(There.attach, d.name, cache_bytes)
        assert state(d) == state(model)
        assert peer(There.state) == state(model)


@histories(100)
@given(items=st.lists(st.tuples(keys, values), max_size=12))
def test_a_dict_compares_like_its_copy(items: list[Any], peer: Peer) -> None:
    model = dict(items)
    with UltraDict(items) as d, UltraDict(name=d.name) as other:
        assert shape(d) == shape(model)
        assert d.keys() == model.keys()
        changed = {**model, "one more": 1}
        for handle in (d, other):
            assert handle != changed
            assert (handle == changed) is False
