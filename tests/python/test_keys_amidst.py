# SPDX-License-Identifier: Apache-2.0
"""Exotic keys whose hash, comparison, pickling or loading does something: writes to the dict, forks, fails once."""

from __future__ import annotations

import os
import signal
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict

Store = Callable[[UltraDict[Any, Any], Any], object]

STORES: dict[str, Store] = {
    "assignment": lambda d, key: d.__setitem__(key, "outer"),
    "setdefault": lambda d, key: d.setdefault(key, "outer"),
    "update": lambda d, key: d.update({key: "outer"}),
    "update of several": lambda d, key: d.update({"plain": 1, key: "outer", Acting("another"): 2}),
}


class Acting:
    """Its next hash, comparison, pickling or loading calls `act` first."""

    when = ""
    act: Callable[[], object]

    def __init__(self, name: object) -> None:
        self.name = name

    @classmethod
    def at(cls, when: str) -> None:
        if cls.when == when:
            cls.when = ""
            cls.act()

    def __hash__(self) -> int:
        self.at("hash")
        return 5

    def __eq__(self, other: object) -> bool:
        self.at("eq")
        return isinstance(other, Acting) and self.name == other.name

    def __reduce__(self) -> tuple[Any, ...]:
        self.at("reduce")
        return loaded, (self.name,)


def loaded(name: str) -> Acting:
    Acting.at("load")
    return Acting(name)


def fail() -> None:
    raise LookupError("once")


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    Acting.when = ""
    with UltraDict({Acting(0): 0, Acting("other"): 1}) as shared:
        yield shared
    Acting.when = ""


def until_it_waits_or_ends(child: int) -> None:
    """The child sleeps, which it does for the lock alone that its parent has; or it needed none, and is done."""
    while Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2][0] not in "SZ":
        os.sched_yield()


def names(d: UltraDict[Any, Any]) -> list[object]:
    return [key.name if isinstance(key, Acting) else key for key in d]


@pytest.mark.parametrize("when", ["hash", "eq", "reduce"])
@pytest.mark.parametrize("how", STORES)
def test_an_equal_key_that_is_stored_meanwhile_is_that_key(how: str, when: str, d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as fresh:  # which has to load the other keys first
        Acting.act = lambda: fresh.__setitem__(Acting("new"), "inner")
        key = Acting("new")
        Acting.when = when
        STORES[how](fresh, key)
        assert Acting.when == ""
        for each in (fresh, d):
            assert sorted(map(str, names(each))) == sorted(map(str, set(names(each))))
            assert each[Acting("new")] == ("inner" if how == "setdefault" and when != "reduce" else "outer")


@pytest.mark.parametrize("when", ["hash", "eq", "reduce", "load"])
@pytest.mark.parametrize("how", STORES)
def test_a_child_that_is_forked_meanwhile_stores_it_once(how: str, when: str, d: UltraDict[Any, Any]) -> None:
    child = None

    def fork() -> None:
        nonlocal child
        child = os.fork()
        if child != 0:
            until_it_waits_or_ends(child)

    with UltraDict(name=d.name) as fresh:
        Acting.act = fork
        Acting.when = when
        try:
            STORES[how](fresh, Acting("new"))
        finally:
            if child == 0:
                os._exit(names(fresh).count("new") != 1)
        if child is not None:
            assert os.waitpid(child, 0)[1] == 0
        assert names(d).count("new") == 1
        with d.lock(timeout=10):
            assert d[Acting("new")] == "outer"


TAKES: dict[str, tuple[str, Store, object, object]] = {
    "popitem": ("load", lambda d, key: d.popitem()[1], 1, 0),
    "popitem of the only one": ("load", lambda d, key: d.popitem()[1], 1, KeyError),
    "pop": ("eq", lambda d, key: d.pop(key), 1, KeyError),
    "del": ("eq", lambda d, key: d.__delitem__(key), None, KeyError),
}


@pytest.mark.parametrize("how", TAKES)
def test_a_child_that_is_forked_meanwhile_does_not_take_it_too(how: str, d: UltraDict[Any, Any]) -> None:
    when, take, by_parent, by_child = TAKES[how]
    child = taken = None
    if by_child is KeyError:
        del d[Acting(0)]

    def fork() -> None:
        nonlocal child
        child = os.fork()
        if child != 0:
            until_it_waits_or_ends(child)

    with UltraDict(name=d.name) as fresh:
        key = Acting("other")
        Acting.act = fork
        Acting.when = when
        try:
            taken = take(fresh, key)
        except KeyError:
            taken = KeyError
        finally:
            if child == 0:
                os._exit(taken != by_child)
        assert child is not None
        assert (taken, os.waitpid(child, 0)[1]) == (by_parent, 0)
        assert key not in d


def test_one_that_changes_the_dict_whenever_it_is_compared_is_refused(d: UltraDict[Any, Any]) -> None:
    def act() -> None:
        d["count"] = d.get("count", 0) + 1
        Acting.when = "eq"

    Acting.act = act
    Acting.when = "eq"
    with pytest.raises(RuntimeError, match="changes the dict each time"):
        d[Acting("new")] = 1
    Acting.when = ""
    assert "new" not in names(d)
    d[Acting("new")] = 2
    assert names(d).count("new") == 1


def test_a_signal_handler_that_stores_the_same_key(d: UltraDict[Any, Any]) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: d.__setitem__(Acting("new"), "by the handler"))
    try:
        Acting.act = lambda: signal.raise_signal(signal.SIGUSR1)
        Acting.when = "reduce"
        d[Acting("new")] = "by the program"
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert names(d).count("new") == 1
    assert d[Acting("new")] == "by the program"


@pytest.mark.parametrize("when", ["hash", "eq", "load"])
def test_what_fails_once_is_found_the_next_time(when: str, d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as fresh:
        Acting.act = fail
        key = Acting(0)
        hash(key)
        Acting.when = when
        try:
            found = fresh.get(key)
        except LookupError:
            found = fresh.get(key)
        assert found == 0
        fresh[Acting(0)] = "again"
        assert names(d) == [0, "other"]
        assert d[Acting(0)] == "again"


def test_a_class_that_comes_later(d: UltraDict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(globals(), "loaded")
    with UltraDict(name=d.name) as early:
        assert early.get(object()) is None  # it has asked for all keys by now
        monkeypatch.undo()
        assert early[Acting(0)] == 0
        early.update({Acting("other"): 2})
        assert len(early) == len(d) == 2
        del early[Acting(0)]
        assert len(d) == 1


def test_load_by_force_asks_for_the_keys_anew(d: UltraDict[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(globals(), "loaded")
    with UltraDict(name=d.name) as early:
        assert Acting(0) not in early
        monkeypatch.undo()
        early.data = None
        early.load(force=True)
        assert early[Acting(0)] == 0


@pytest.mark.parametrize("end", [UltraDict.__delitem__, UltraDict.pop, lambda d, key: d.popitem()])
def test_the_object_of_a_deleted_key_goes(end: Store, d: UltraDict[Any, Any]) -> None:
    key = Acting("new")
    gone = weakref.ref(key)
    d[key] = 1
    assert d[key] == 1
    end(d, key)
    del key
    assert gone() is None


class Picky:
    """Not to be compared with what is not of its kind."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return 5

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Picky):
            raise TypeError("not comparable")
        return self.name == other.name

    def __reduce__(self) -> tuple[Any, ...]:
        return Picky, (self.name,)


@pytest.mark.parametrize("by_other", [False, True])
def test_a_key_that_is_gone_is_not_compared(by_other: bool) -> None:
    with UltraDict[Any, Any]() as d, UltraDict[Any, Any](name=d.name) as other:
        d[Picky("a")] = "x"
        assert list(d.values()) == ["x"]
        del (other if by_other else d)[Picky("a")]
        key = Acting("b")
        other[key] = "y"
        assert list(d) == [key]
        assert d[key] == "y"
        assert key in d
        d.update({key: "z"})
        assert dict(d) == {key: "z"}
        assert d.pop(key) == "z"
        with pytest.raises(TypeError, match="not comparable"):
            d.update({Picky("a"): 1, key: 2})


@pytest.mark.parametrize(
    "use", [lambda d: d.popitem(), lambda d: d.__delitem__(Acting("a")), lambda d: d.pop(Acting("a"))]
)
def test_c9_an_interrupt_in_any_comparison_is_raised(use: Callable[[Any], object]) -> None:
    with UltraDict[Any, Any]() as d:
        sent = raised = 0

        def interrupt() -> None:
            nonlocal sent
            sent += 1
            signal.raise_signal(signal.SIGINT)

        for number in range(1, 12):
            d.clear()
            d.update({Acting("a"): 1, Acting("b"): 2})
            try:
                with comparison(number, interrupt):
                    use(d)
                    for _ in range(3):  # what came too late for the operation is raised in Python code
                        pass
            except KeyboardInterrupt:
                raised += 1
        assert sent > 0
        assert raised == sent


class Stopped(BaseException):
    """Says why."""

    def __init__(self, why: object) -> None:
        super().__init__(why)


@pytest.mark.parametrize("raised", [SystemExit(3), Stopped("why")])
def test_c9_what_is_no_exception_is_raised_as_it_is(raised: BaseException) -> None:
    def stop() -> None:
        raise raised

    seen: list[BaseException] = []
    with UltraDict[Any, Any]() as d:
        for number in range(1, 8):
            d.clear()
            d.update({Acting("a"): 1, Acting("b"): 2})
            try:
                with comparison(number, stop) as left:
                    d.popitem()
                    for _ in range(3):
                        pass
                assert left() > 0
            except (SystemExit, Stopped) as error:
                seen.append(error)
    assert seen
    assert all(error is raised for error in seen)


@contextmanager
def comparison(number: int, act: Callable[[], object]) -> Iterator[Callable[[], int]]:
    """The n-th comparison from now on acts. Says how many are left until then."""
    left = number

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            act()
        elif left > 0:
            Acting.when = "eq"

    Acting.act = staticmethod(count)  # type: ignore[assignment]
    Acting.when = "eq"
    try:
        yield lambda: left
    finally:
        Acting.when = ""
