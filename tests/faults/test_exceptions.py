# SPDX-License-Identifier: Apache-2.0
"""Exceptions out of keys, values and serializers, at every place where one can come: nothing is
published, the lock is free, the next use works. Destructors and callbacks that come at bad moments use the dict.

What else Python code may do inside an operation is in tests/python/test_reentrancy.py.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import pickle
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from repeating import runs

from alphabet import Hooked, Tagged, Word, fail
from outcomes import state
from UltraDict import UltraDict

start = {"a": 1, Hooked(1): "one", "b": [2], Hooked(2): [3], Word("w"): None}

operations: dict[str, Callable[[Any], Any]] = {
    "get": lambda d: d[Hooked(2)],
    "get absent": lambda d: d.get(Hooked(5)),
    "contains": lambda d: Hooked(2) in d,
    "set": lambda d: d.__setitem__(Hooked(1), Hooked(7)),
    "set new": lambda d: d.__setitem__(Hooked(5), Hooked(7)),
    "set value": lambda d: d.__setitem__("b", [Hooked(7)]),
    "delete": lambda d: d.__delitem__(Hooked(1)),
    "pop": lambda d: d.pop(Hooked(2)),
    "setdefault": lambda d: d.setdefault(Hooked(5), [Hooked(7)]),
    "update": lambda d: d.update([("c", 1), (Hooked(1), Hooked(7)), (Hooked(5), 2)]),
    "ior": lambda d: d.__ior__([("c", Hooked(7)), (Hooked(6), 2)]),
}


def expect_untouched(d: UltraDict[Any, Any], before: Any) -> None:
    """As it was, for the handle that failed and for another; free for both; and every key is found."""
    assert state(d) == before
    assert d.lock.get_remote_lock() == 0
    with UltraDict(name=d.name, create=False) as other:
        assert state(other) == before
        other["free"] = True
        assert d.pop("free")
        for handle in (d, other):
            assert all(key in handle for key in list(handle))
            assert len(handle) == len(before)


def expect_whole(d: UltraDict[Any, Any], before: Any, operation: str, kind: type[BaseException]) -> None:
    """Untouched. Or done, if what came is no Exception and came after the change: it is raised as soon as may be."""
    with UltraDict(start) as done:
        operations[operation](done)
        came_late = not issubclass(kind, Exception) and operation in ("delete", "pop") and state(d) == state(done)
        expect_untouched(d, state(done) if came_late else before)


class Stop(BaseException):
    """Not to be taken for an answer by anybody."""


@pytest.mark.parametrize("kind", [ZeroDivisionError, KeyError, MemoryError, RecursionError, KeyboardInterrupt, Stop])
@pytest.mark.parametrize("event", ["hash", "eq", "reduce", "setstate"])
@pytest.mark.parametrize("operation", operations)
def test_c9_an_exception_of_a_key_or_value(operation: str, event: str, kind: type[BaseException]) -> None:
    """At the first, second, third ... time that it could come in this operation, until it does not come any more."""
    for countdown in range(1000):
        with UltraDict.open(data=start, cache_bytes=0) as d:
            before, left = state(d), countdown
            handle = UltraDict(name=d.name, create=False)  # which has seen no key

            def hook() -> None:
                nonlocal left
                if left == 0:
                    fail("at a bad moment", kind)
                left -= 1
                Hooked.hook_of_all = (event, hook)

            came = False
            with Hooked.hooked(event, hook):
                try:
                    operations[operation](handle)
                except kind:
                    came = Hooked.hook_of_all is None
                except KeyError:  # a stored key that cannot be loaded or hashed here equals nothing here
                    assert issubclass(kind, Exception)
                    assert event in ("hash", "setstate")
            if came:
                expect_whole(handle, before, operation, kind)
            handle.close()
            if not came:
                return
    pytest.fail("so often nothing is asked")


def test_c9_a_key_that_could_not_be_loaded_for_lack_of_room_is_found_afterwards() -> None:
    """Once for each exception: what it says of the moment is not taken for what the key is."""
    for kind, key in itertools.product((MemoryError, RecursionError, KeyboardInterrupt), (Word("w"), Hooked(2))):
        with UltraDict(start) as d, UltraDict(name=d.name, create=False) as other:
            with Hooked.hooked("setstate", lambda kind=kind: fail("no room", kind)), pytest.raises(kind):
                other[key]
            assert other[Word("w")] is None
            assert other[Hooked(1)] == "one"
            assert other[Hooked(True)] == "one", "an equal key, and other bytes"
            other[Hooked(True)] = "changed"
            assert len(other) == len(d) == len(start)


class Colliding(Hooked):
    """All have one hash, so that a dict compares them."""

    def __hash__(self) -> int:
        return 7

    def __reduce__(self) -> tuple[Any, ...]:
        return Colliding, (self.number,)


def test_c9_a_key_that_was_not_learnt_since_another_one_failed_is_found_afterwards() -> None:
    with UltraDict({Colliding(1): "one", Colliding(2): "two"}) as d, UltraDict(name=d.name, create=False) as other:
        with Hooked.hooked("eq", lambda: fail("late", MemoryError)), pytest.raises(MemoryError):
            other[Colliding(3)]
        assert [other.get(Colliding(equal)) for equal in (True, 2.0)] == ["one", "two"]


def test_c9_a_key_is_stored_once_though_its_eq_fails_after_the_change() -> None:
    for kind in (ZeroDivisionError, MemoryError):
        with UltraDict(start) as d:
            for number in range(100, 108):
                with Hooked.hooked("eq", lambda kind=kind: fail("late", kind)), contextlib.suppress(kind):
                    d[Hooked(number)] = number
                d[Hooked(number)] = number
                assert d[Hooked(number)] == number
            assert len(d) == len(start) + 8
            assert len(set(d)) == len(d)


class Failing:
    """A serializer that raises when told so."""

    def __init__(self) -> None:
        self.fails: tuple[str, type[BaseException]] | None = None

    def act(self, what: str) -> None:
        if self.fails and self.fails[0] == what:
            raise self.fails[1](what)

    def dumps(self, value: Any) -> bytes:
        self.act("dumps")
        return pickle.dumps(value)

    def loads(self, data: Any) -> Any:
        self.act("loads")
        return pickle.loads(data)


@pytest.mark.parametrize("kind", [ZeroDivisionError, MemoryError, KeyboardInterrupt, Stop])
@pytest.mark.parametrize("what", ["dumps", "loads"])
@pytest.mark.parametrize("operation", operations)
def test_c9_an_exception_of_the_serializer(operation: str, what: str, kind: type[BaseException]) -> None:
    serializer = Failing()
    with UltraDict(start, serializer=serializer) as d:
        before = state(d)
        with UltraDict(name=d.name, create=False, serializer=serializer) as handle:
            serializer.fails = (what, kind)
            try:
                operations[operation](handle)
                failed = False
            except kind:
                failed = True
            serializer.fails = None
            assert d.lock.get_remote_lock() == 0
            if failed:
                assert state(d) == before == state(handle)
            handle["free"] = True
            assert d.pop("free")


# ---- C10 ----


class Cell:
    """Can be referenced weakly and does something when it goes."""

    def __init__(self, last: Callable[[], Any] | None = None) -> None:
        self.last = last

    def __del__(self) -> None:
        if self.last:
            self.last()

    def __reduce__(self) -> tuple[Any, ...]:
        return Cell, ()


uses: dict[str, Callable[[Any], Any]] = {
    "reads": lambda d: (dict(d), d.get(Tagged(1)), list(d)),
    "writes": lambda d: d.update(w=len(d), large=b"x" * 50_000),
    "deletes": lambda d: d.pop("a", None),
    "clears": lambda d: d.clear(),
    "locks": lambda d: d.lock.acquire() and (d.__setitem__("l", 1), d.lock.release()),
    "closes": lambda d: d.close(data=False),
    "collects": lambda d: (d.__setitem__("g", []), gc.collect()),
}


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict({"a": [1], "b": [2], Tagged(1): [3]}) as shared:
        yield shared


@pytest.mark.parametrize("use", uses)
def test_c10_a_destructor_among_the_values_a_callback_of_a_key(d: UltraDict[Any, Any], use: str) -> None:
    """What goes while an operation runs is a decoded value, a key object and what hangs on them."""
    for number in runs(3):
        handle = UltraDict(name=d.name)
        asked: list[int] = []

        def last(handle: Any = handle, asked: list[int] = asked) -> None:
            asked.append(1)
            with contextlib.suppress(UltraDict.Exceptions.AlreadyClosed):
                uses[use](handle)

        d["a"], d["cell"] = [number], Cell()
        handle["cell"].last = last
        reference = weakref.ref(handle["cell"], lambda _, last=last: last())  # type: ignore[misc]
        d["cell"] = 1
        with contextlib.suppress(UltraDict.Exceptions.AlreadyClosed, KeyError):
            handle["cell"]
            handle.load(force=True)
        handle.close(data=False)
        gc.collect()
        assert reference() is None
        assert len(asked) == 2
        assert d.lock.get_remote_lock() == 0
        d["b"] = number
        assert UltraDict(name=d.name, create=False)["b"] == number


@pytest.mark.parametrize("use", uses)
def test_c10_garbage_that_is_collected_in_the_middle_of_an_operation(d: UltraDict[Any, Any], use: str) -> None:
    before = gc.get_threshold()
    gone: list[int] = []

    def last(handle: Any) -> None:
        gone.append(1)
        with contextlib.suppress(UltraDict.Exceptions.AlreadyClosed):
            uses[use](handle)

    gc.set_threshold(1)
    try:
        for number in runs(20):
            handle = UltraDict(name=d.name)
            cell = Cell(lambda handle=handle: last(handle))  # type: ignore[misc]
            cell.me = cell  # type: ignore[attr-defined]
            del cell
            with contextlib.suppress(UltraDict.Exceptions.AlreadyClosed, KeyError, RuntimeError):
                handle[Tagged(number)] = [number]
                handle.update({"a": [number], Tagged(number + 1): {}})
                handle.items() >= {("a", 1)}
                handle.setdefault("s", []), handle.popitem(), handle.copy()
            handle.close(data=False)
            assert d.lock.get_remote_lock() == 0
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert len(gone) == len(runs(20))
    assert len(list(d.items())) == len(d)
    d["b"] = 1
    assert UltraDict(name=d.name, create=False) == dict(d)


def after_collecting(number: int) -> list[int]:
    gc.collect()
    return [number]


class Collecting:
    """Where it is decoded, garbage is collected."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return after_collecting, (self.number,)


def test_c10_garbage_that_is_collected_while_a_changed_value_is_decoded(d: UltraDict[Any, Any]) -> None:
    """A destructor reads so much that what is known of the key gives way, in the cache, to what is read."""
    d.update({n: f"value {n}" for n in range(100)})
    for number in runs(5):
        d["a"] = Collecting(number)
        handle = UltraDict.open(d.name, create=False, cache_bytes=2000)
        assert handle["a"] == [number]
        d["a"] = Collecting(number + 1)
        gc.disable()
        try:
            cell = Cell(lambda handle=handle: [handle[n] for n in range(100)])  # type: ignore[misc]
            cell.me = cell  # type: ignore[attr-defined]
            del cell
            assert handle["a"] == [number + 1]
        finally:
            gc.enable()
        assert [handle[n] for n in range(99, -1, -1)] == [d[n] for n in range(99, -1, -1)]
        assert handle["a"] == [number + 1]
        handle.close()
