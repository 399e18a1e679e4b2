# SPDX-License-Identifier: Apache-2.0
"""Random operations, done by two processes in turn on one dict and on a plain dict: the same at every step."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from UltraDict import UltraDict

keys = st.one_of(
    st.integers(-3, 12),
    st.sampled_from(["a", "b", "longer key" * 20, b"a", None, True, 1.0, 2.5, (1, "x"), (), frozenset({1, "y"})]),
)
values = st.one_of(
    st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=3), st.sampled_from([None, "v" * 40_000])
)
operations = st.one_of(
    st.tuples(st.just("put"), keys, values),
    st.tuples(st.just("put"), keys, values),
    st.tuples(st.just("get"), keys),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("pop"), keys),
    st.tuples(st.just("setdefault"), keys, values),
    st.tuples(st.just("update"), st.dictionaries(keys, values, max_size=5)),
    st.tuples(st.just("popitem")),
    st.tuples(st.just("contains"), keys),
    st.tuples(st.just("items")),
    st.tuples(st.just("backwards")),
    st.tuples(st.just("dump")),
    st.tuples(st.just("clear")),
)

actions: dict[str, Any] = {
    "put": lambda d, key, value: d.__setitem__(key, value),
    "get": lambda d, key: d.get(key, "none"),
    "delete": lambda d, key: d.__delitem__(key),
    "pop": lambda d, key: d.pop(key, "none"),
    "setdefault": lambda d, key, value: d.setdefault(key, value),
    "update": lambda d, items: d.update(items),
    "popitem": lambda d: d.popitem(),
    "contains": lambda d, key: key in d,
    "items": lambda d: list(d.items()),
    "backwards": lambda d: list(reversed(d)),
    "dump": lambda d: d.dump() if isinstance(d, UltraDict) else None,
    "clear": lambda d: d.clear(),
}


def act(d: Any, operation: tuple[Any, ...]) -> Any:
    """What an operation answers, or raises."""
    try:
        return actions[operation[0]](d, *operation[1:])
    except KeyError as error:
        return "KeyError", error.args


def serve(connection: Connection) -> None:
    """The other process: does operations on the dict it is told to attach to, until told to stop."""
    shared: UltraDict[Any, Any] | None = None
    with contextlib.suppress(EOFError):
        while True:
            message = connection.recv()
            if isinstance(message, str):
                shared = UltraDict.open(message, create=False, cache_bytes=20_000)
                connection.send("attached")
            elif message is None and shared is not None:
                connection.send(shared.close(data=False))
            else:
                connection.send(act(shared, message))


@pytest.fixture(scope="module")
def other_process() -> Iterator[Connection]:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,))
    server.start()
    there.close()
    yield here
    here.close()
    server.join()
    assert server.exitcode == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(st.tuples(st.booleans(), operations), max_size=60))
def test_two_processes_do_what_one_dict_does(other_process: Connection, script: list[Any]) -> None:
    model: dict[Any, Any] = {}
    with UltraDict() as d:
        other_process.send(d.name)
        other_process.recv()
        for is_here, operation in script:
            expected = act(model, operation)
            if is_here:
                answer = act(d, operation)
            else:
                other_process.send(operation)
                answer = other_process.recv()
            assert answer == expected, operation
            assert len(d) == len(model)
        assert list(d.items()) == list(model.items())
        assert [type(key) for key in d] == [type(key) for key in model]
        other_process.send(None)
        other_process.recv()
