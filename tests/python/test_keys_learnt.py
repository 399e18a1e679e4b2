# SPDX-License-Identifier: Apache-2.0
"""Exotic keys are loaded when a handle is first asked: whoever asks meanwhile, from within a loading, from another
thread or in a child of fork, finds them as well, and does not make a second key of one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from UltraDict import UltraDict

Use = Callable[[UltraDict[Any, Any]], object]


class Slow:
    """Whose loading and comparing call `act` first, once."""

    act: ClassVar[dict[str, Callable[[], object]]] = {}

    def __init__(self, name: object) -> None:
        self.name = name

    def __hash__(self) -> int:
        return 5

    def __eq__(self, other: object) -> bool:
        Slow.act.pop("eq", int)()
        return isinstance(other, Slow) and self.name == other.name

    def __reduce__(self) -> tuple[Any, ...]:
        return loaded, (self.name,)


def loaded(name: object) -> Slow:
    Slow.act.pop("load", int)()
    return Slow(name)


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    Slow.act.clear()
    with UltraDict({Slow(0): 0, "plain": 1, Slow(1): 1}) as shared:
        yield shared
    Slow.act.clear()


@contextmanager
def looked_for_by_another(fresh: UltraDict[Any, Any], when: str = "load") -> Iterator[None]:
    """In the block another thread is loading a key for that handle, or comparing one."""
    inside, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        go_on.wait()

    Slow.act[when] = wait
    thread = threading.Thread(target=lambda: Slow("none") in fresh)
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        go_on.set()
        thread.join()


def names(d: UltraDict[Any, Any]) -> list[object]:
    return [key.name if isinstance(key, Slow) else key for key in d]


@pytest.mark.parametrize("when", ["load", "eq"])
def test_another_thread_finds_a_key_that_is_being_learnt(d: UltraDict[Any, Any], when: str) -> None:
    with UltraDict(name=d.name) as fresh, looked_for_by_another(fresh, when):
        assert [fresh.get(Slow(number)) for number in (0, 1, 2)] == [0, 1, None]
        assert fresh["plain"] == 1
        assert "other" not in fresh


def over(d: UltraDict[Any, Any]) -> None:
    d[Slow(0)] = "over"


def anew(d: UltraDict[Any, Any]) -> None:
    del d[Slow(0)]
    over(d)


def cleared(d: UltraDict[Any, Any]) -> None:
    d.clear()
    over(d)


CHANGES: dict[str, tuple[Use, dict[object, object]]] = {
    "overwritten": (over, {0: "over", "plain": 1, 1: 1}),
    "updated": (lambda d: d.update({Slow(1): 2, Slow(2): 3}), {0: 0, "plain": 1, 1: 2, 2: 3}),
    "deleted": (lambda d: d.__delitem__(Slow(0)), {"plain": 1, 1: 1}),
    "taken": (lambda d: d.popitem(), {0: 0, "plain": 1}),
    "inserted anew": (anew, {"plain": 1, 1: 1, 0: "over"}),
    "cleared": (lambda d: d.clear(), {}),
    "cleared and filled": (cleared, {0: "over"}),
}


@pytest.mark.parametrize("when", ["load", "eq"])
@pytest.mark.parametrize("by_same", [True, False])
@pytest.mark.parametrize("how", CHANGES)
def test_a_key_that_is_changed_while_it_is_learnt(d: UltraDict[Any, Any], how: str, by_same: bool, when: str) -> None:
    change, expected = CHANGES[how]
    with UltraDict(name=d.name) as fresh:
        with looked_for_by_another(fresh, when):
            change(fresh if by_same else d)
        for handle in (fresh, d):
            assert dict(zip(names(handle), handle.values())) == expected
            assert len(handle) == len(expected)
            assert {name: handle.get(Slow(name)) for name in range(3) if Slow(name) in handle} == {
                name: value for name, value in expected.items() if name != "plain"
            }
        over(fresh)
        assert names(fresh).count(0) == 1


def test_keys_that_come_while_others_are_learnt(d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as fresh:
        with looked_for_by_another(fresh):
            d.update({Slow(number): number for number in range(2, 20)})
            assert [fresh.get(Slow(number)) for number in range(20)] == list(range(20))
        assert [fresh.get(Slow(number)) for number in range(20)] == list(range(20))


def test_a_key_whose_loading_looks_it_up(d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as fresh:
        found: list[object] = []
        Slow.act["load"] = lambda: found.append(fresh.get(Slow(0)))
        assert fresh.get(Slow(0)) == 0
        assert found == [0]


def test_a_key_whose_loading_always_looks_it_up(d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as fresh:
        found: list[object] = []

        def again() -> None:
            Slow.act["load"] = again
            found.append(fresh.get(Slow(0)))

        again()
        assert found[-1] == 0
        assert fresh.get(Slow(1)) == 1


def test_a_child_that_is_forked_while_a_thread_learns_a_key_learns_it(d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as fresh, looked_for_by_another(fresh):
        child = os.fork()
        if child == 0:
            try:
                found = [fresh.get(Slow(number)) for number in (0, 1)]
                over(fresh)
                os._exit(found != [0, 1] or names(fresh) != [0, "plain", 1])
            finally:
                os._exit(2)
        assert os.waitpid(child, 0)[1] == 0
        assert fresh[Slow(0)] == "over"


def test_an_interrupted_loading_is_done_again(d: UltraDict[Any, Any]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with UltraDict(name=d.name) as fresh:
        with looked_for_by_another(fresh):
            Slow.act["load"] = interrupt
            with pytest.raises(KeyboardInterrupt):
                fresh.get(Slow(1))
            assert fresh.get(Slow(1)) == 1
        assert [fresh.get(Slow(number)) for number in (0, 1)] == [0, 1]


def test_a_key_that_goes_while_an_equal_one_takes_its_place(d: UltraDict[Any, Any]) -> None:
    """At the first comparison, the second, the third ... that learning it takes."""
    with UltraDict(name=d.name) as fresh:
        for number in range(1, 12):
            assert fresh.get(Slow(0)) is not None
            del d[Slow(0)]
            d[Slow(0)] = "anew"
            left = number

            def count() -> None:
                nonlocal left
                left -= 1
                if left:
                    Slow.act["eq"] = count
                else:
                    del d[Slow(0)]
                    assert fresh.pop(Slow(0), None) is None
                    over(d)

            Slow.act["eq"] = count
            fresh.get(Slow(0))  # there, or not there any more
            Slow.act.clear()
            assert fresh.get(Slow(0)) in ("over", "anew")
            over(fresh)
            assert names(d).count(0) == 1
