# SPDX-License-Identifier: Apache-2.0
"""Code that runs inside an operation of a dict and uses that very dict: what comes of it is what comes of it with a
dict, or a clear error; never a crash, half a change, or a lock that stays taken."""

from __future__ import annotations

import contextlib
import pickle
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alphabet import Hooked, fail
from outcomes import answer_of, outcome, state
from UltraDict import UltraDict
from UltraDict.Exceptions import AlreadyClosed, DictDeleted

Use = Callable[[Any], Any]
start = {"a": 1, "b": [2], Hooked(1): "hooked", Hooked(2): "other", "z": None}


def nested_update(d: Any) -> None:
    """Enough to grow the table."""
    d.update({("more", number): number for number in range(100)})


def under_the_lock(d: Any) -> None:
    with d.lock if isinstance(d, UltraDict) else contextlib.nullcontext():
        d["locked"] = d.get("locked", 0) + 1


uses: dict[str, Use] = {
    "reads": lambda d: (d["a"], len(d), list(d), d.get("q"), repr(d)),
    "writes": lambda d: d.__setitem__("w", 1),
    "writes the same": lambda d: d.__setitem__(Hooked(1), "meanwhile"),
    "deletes": lambda d: d.pop("a", None),
    "deletes the same": lambda d: d.pop(Hooked(1), None),
    "takes the last": lambda d: d.popitem(),
    "clears": lambda d: d.clear(),
    "updates": nested_update,
    "locks": under_the_lock,
    "raises": lambda d: fail("inside"),
}

operations: dict[str, Use] = {
    "getitem": lambda d: d[Hooked(1)],
    "get": lambda d: d.get(Hooked(1), "none"),
    "get absent": lambda d: d.get(Hooked(5), "none"),
    "contains": lambda d: Hooked(1) in d,
    "set": lambda d: d.__setitem__(Hooked(1), "new"),
    "set new": lambda d: d.__setitem__(Hooked(5), "new"),
    "set value": lambda d: d.__setitem__("v", Hooked(7)),
    "set value of old": lambda d: d.__setitem__("b", [Hooked(7)]),
    "delete": lambda d: d.__delitem__(Hooked(1)),
    "pop": lambda d: d.pop(Hooked(1)),
    "pop default": lambda d: d.pop(Hooked(1), "none"),
    "setdefault": lambda d: d.setdefault(Hooked(1), "default"),
    "setdefault new": lambda d: d.setdefault(Hooked(5), "default"),
    "update": lambda d: d.update([(Hooked(1), "new"), ("c", 1), (Hooked(5), 2)]),
    "ior": lambda d: d.__ior__([("c", Hooked(1))]) is d,
    "keys and": lambda d: len(d.keys() & [Hooked(1), "a"]),
}


def act(mapping: Any, event: str, use: Use, operation: Use) -> tuple[Any, bool]:
    """The outcome of an operation with a use of the mapping inside, and whether that came about."""
    with Hooked.hooked(event, lambda: use(mapping)):
        answer = answer_of(operation, mapping)
        came_about = Hooked.hook_of_all is None
    return (answer, state(mapping)), came_about


def expected(event: str, use: Use, operation: Use, came_about: bool) -> Any:
    """The outcome with a dict. What a dict does not ask, but an UltraDict does, it asks before it does anything.

    A stored key that cannot be hashed here equals nothing here, where a dict has hashed it when it was inserted.
    """
    result, asked = act(dict(start), event, use, operation)
    if asked or not came_about:
        return result
    if event == "hash" and use is uses["raises"]:
        return outcome(operation, dict(start))
    return outcome(lambda d: (use(d), operation(d))[1], dict(start))


def expect_free(d: UltraDict[Any, Any]) -> None:
    """Nobody holds the lock, and other handles see what this one sees, and write."""
    assert d.lock.get_remote_lock() == 0
    with UltraDict(name=d.name, create=False) as other:
        assert state(other) == state(d)
        other["free"] = True
        assert d.pop("free")


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
@pytest.mark.parametrize("event", ["hash", "eq", "reduce"])
@pytest.mark.parametrize("use", uses)
@pytest.mark.parametrize("operation", operations)
def test_c9_an_operation_with_another_inside(operation: str, use: str, event: str, cache_bytes: int) -> None:
    with UltraDict.open(data=start, cache_bytes=cache_bytes) as d:
        result, came_about = act(d, event, uses[use], operations[operation])
        expect_free(d)
        assert result == expected(event, uses[use], operations[operation], came_about)


@pytest.mark.parametrize("event", ["hash", "eq", "reduce", "setstate"])
@pytest.mark.parametrize("operation", operations)
def test_an_operation_in_which_its_handle_is_closed(operation: str, event: str) -> None:
    with UltraDict(start) as d:
        handle = UltraDict(name=d.name, create=False)
        with Hooked.hooked(event, handle.close):
            with contextlib.suppress(AlreadyClosed, AttributeError):
                operations[operation](handle)
            closed = Hooked.hook_of_all is None
        assert handle.closed == closed
        handle.close()
        expect_free(d)
        before, after = state(start), outcome(operations[operation], dict(start))[1]
        assert state(d) in (before, after)


reads: dict[str, Use] = {
    "getitem": lambda d: d["v"],
    "values": lambda d: list(d.values()),
    "pop": lambda d: d.pop("v"),
    "to_dict": lambda d: d.to_dict(),
    "dict": dict,
    "repr": repr,
}


@pytest.mark.parametrize("use", uses)
@pytest.mark.parametrize("read", reads)
def test_loading_a_value_that_uses_the_dict(read: str, use: str) -> None:
    """A clear error here is a key that is gone, or a size that changed."""
    with UltraDict.open(data={"v": Hooked(7), "a": 1}, cache_bytes=0) as d:
        with Hooked.hooked("setstate", lambda: uses[use](d)):
            with contextlib.suppress(ZeroDivisionError, RuntimeError, KeyError):
                reads[read](d)
            assert Hooked.hook_of_all is None, "it was loaded"
        expect_free(d)


@pytest.mark.parametrize(
    ("change", "expected"),
    {
        "deletes": (lambda d: d.__delitem__("v"), (("a", 1), {})),
        "overwrites": (lambda d: d.__setitem__("v", 2), (("v", 2), {"a": 1})),
        "adds": (lambda d: d.__setitem__("w", 3), (("v", Hooked(7)), {"a": 1, "w": 3})),
    }.values(),
    ids=["deletes", "overwrites", "adds"],
)
def test_popitem_takes_what_is_last_when_the_value_is_loaded(change: Use, expected: Any) -> None:
    with UltraDict.open(data={"a": 1, "v": Hooked(7)}, cache_bytes=0) as d:
        with Hooked.hooked("setstate", lambda: change(d)):
            taken = d.popitem()
        assert (taken, d.copy()) == expected


def test_popitem_gives_up_when_the_last_value_is_never_the_same() -> None:
    with UltraDict.open(data={"v": Hooked(7)}, cache_bytes=0) as d:

        def again() -> None:
            d["v"] = Hooked(7)
            Hooked.hook_of_all = "setstate", again

        with Hooked.hooked("setstate", again), pytest.raises(RuntimeError, match="popitem"):
            d.popitem()
        assert len(d) == 1


drops: dict[str, Use] = {
    "deleted": lambda d: d.__delitem__("v"),
    "overwritten": lambda d: d.__setitem__("v", 1),
    "cleared": lambda d: d.clear(),
    "taken": lambda d: d.pop("v") and None,
}


@pytest.mark.parametrize("use", uses)
@pytest.mark.parametrize("drop", drops)
def test_c10_a_value_that_uses_the_dict_when_it_goes(drop: str, use: str) -> None:
    """It goes when the change is done, in a dict and here. (What `update` replaces goes when the key is read again.)"""

    def hook(mapping: Any) -> None:
        with contextlib.suppress(KeyError, ZeroDivisionError):
            uses[use](mapping)

    with UltraDict() as d:
        model: dict[Any, Any] = {}
        for mapping in (d, model):
            mapping.update({"v": Hooked(7), **start})
            assert mapping["v"].number == 7
            with Hooked.hooked("del", lambda mapping=mapping: hook(mapping)):  # type: ignore[misc]
                drops[drop](mapping)
                assert Hooked.hook_of_all is None
        assert state(d) == state(model)
        expect_free(d)


@pytest.mark.parametrize("use", uses)
def test_a_repr_that_uses_the_dict(use: str) -> None:
    with UltraDict(start) as d:
        with Hooked.hooked("repr", lambda: uses[use](d)), contextlib.suppress(ZeroDivisionError, RuntimeError):
            repr(d)
        expect_free(d)


@pytest.mark.parametrize("use", uses)
@pytest.mark.parametrize("apply", [lambda d, source: d.update(source), lambda d, source: d.__ior__(source)])
def test_a_source_that_uses_the_dict_is_read_to_its_end_first(apply: Any, use: str) -> None:
    with UltraDict(start) as d:
        model = dict(start)

        def source(mapping: Any) -> Iterator[tuple[Any, Any]]:
            yield "new", 1
            uses[use](mapping)
            yield "a", "changed"

        def run(mapping: Any) -> Any:
            pairs = list(source(mapping))
            return apply(mapping, pairs) is mapping

        assert answer_of(lambda d: apply(d, source(d)) is d, d) == answer_of(run, model)
        assert state(d) == state(model)
        expect_free(d)


def test_a_source_that_closes_the_dict() -> None:
    with UltraDict(start) as d:
        handle = UltraDict(name=d.name, create=False)
        with pytest.raises(AlreadyClosed):
            handle.update((key, handle.close()) for key in "xy")
        assert d == start
        expect_free(d)


@pytest.mark.parametrize("use", uses)
@pytest.mark.parametrize("operation", ["max", "sorted", "min"])
def test_an_order_that_uses_the_dict(operation: str, use: str) -> None:
    def run(mapping: Any) -> Any:
        asked: list[Any] = []
        order = {"max": max, "sorted": sorted, "min": min}[operation]
        return order(mapping, key=lambda key: str(asked.append(key) or len(asked) > 1 or uses[use](mapping)) and 1)

    with UltraDict(start) as d:
        assert outcome(run, d) == outcome(run, dict(start))
        expect_free(d)


class Meddling:
    """A serializer that does something else, once, when it is asked to dump or to load."""

    def __init__(self) -> None:
        self.hooks: dict[str, Callable[[], Any]] = {}

    def asked(self, what: str) -> None:
        self.hooks.pop(what, lambda: None)()

    def dumps(self, value: Any) -> bytes:
        self.asked("dumps")
        return pickle.dumps(value)

    def loads(self, data: Any) -> Any:
        self.asked("loads")
        return pickle.loads(data)


@pytest.mark.parametrize("use", [*uses, "closes"])
@pytest.mark.parametrize("what", ["dumps", "loads"])
@pytest.mark.parametrize("operation", operations)
def test_c9_a_serializer_that_uses_the_dict(operation: str, what: str, use: str) -> None:
    serializer = Meddling()
    with UltraDict(start, serializer=serializer) as d:
        handle = UltraDict(name=d.name, serializer=serializer, create=False)
        serializer.hooks[what] = lambda: handle.close() if use == "closes" else uses[use](handle)
        with contextlib.suppress(AlreadyClosed, ZeroDivisionError, KeyError, RuntimeError):
            operations[operation](handle)
        serializer.hooks.clear()
        assert d.lock.get_remote_lock() == 0
        assert len(list(d.items())) == len(d)
        d["free"] = True
        assert handle.closed or handle["free"]
        handle.close()


class Overwriting:
    """Loaded, it overwrites the value of its key; but not the next time."""

    times = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return Overwriting.load, ()

    @staticmethod
    def load() -> Overwriting:
        Overwriting.times += 1
        if Overwriting.times == 1:
            dicts[0]["last"] = [Overwriting(), b"x" * 50_000]
        return Overwriting()


dicts: list[UltraDict[Any, Any]] = []


@pytest.mark.parametrize("recurse", [False, True])
def test_popitem_takes_what_loading_the_last_value_stored_instead(recurse: bool) -> None:
    with UltraDict.open(recurse=recurse, cache_bytes=0) as d:
        dicts[:] = [d]
        Overwriting.times = 0
        d["last"] = {"inner": Overwriting()} if recurse else [Overwriting(), b"x" * 40_000]
        key, value = d.popitem()
        assert (key, value[1], Overwriting.times) == ("last", b"x" * 50_000, 2)
        assert not d
    dicts.clear()


class Emptying:
    """All have one hash, none equals another; one comparison empties the dict."""

    left = -1

    def __hash__(self) -> int:
        return 5

    def __eq__(self, other: object) -> bool:
        Emptying.left -= 1
        if Emptying.left == 0:
            dicts[0].clear()
        return self is other


def test_setdefault_of_a_nested_dict_that_a_comparison_deletes() -> None:
    ended = set()
    for when in range(1, 14):
        with UltraDict(recurse=True) as d:
            dicts[:] = [d]
            Emptying.left = -1
            d[Emptying()] = 1
            Emptying.left = when
            try:
                ended.add(d.setdefault(Emptying(), {}) == {})
            except DictDeleted:
                ended.add(True)
            except RuntimeError as error:
                ended.add(str(error))
    dicts.clear()
    assert ended == {True, "setdefault(): comparing keys has deleted the key that was just stored"}


class Equal:
    """Equal to all of its kind; the next comparison calls `on_eq` first."""

    on_eq: Callable[[], object] | None = None

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        if (on_eq := Equal.on_eq) is not None:
            Equal.on_eq = None
            on_eq()
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        return Equal, ()


@pytest.mark.parametrize("use", [lambda d: d.get(Equal()), lambda d: d.__setitem__(Equal(), 1)], ids=["read", "write"])
def test_letting_go_of_a_compared_key_changes_the_dict(use: Use) -> None:
    with UltraDict[Any, Any]() as d:
        key = Equal()
        d[key] = 0
        last = weakref.ref(key, lambda _: d.clear())  # once the comparison lets go of it
        del key

        def refill() -> None:
            d.clear()
            d[Equal()] = 0

        Equal.on_eq = refill
        use(d)
        assert last() is None
        d[Equal()] = 2
        assert list(d.values()) == [2]
