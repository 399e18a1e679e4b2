# SPDX-License-Identifier: Apache-2.0
"""What several handles, or a handle and its lock, own together: the cyclic collector clears nothing of it that one of
them needs, and everything when all of them are garbage."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from typing import Any

import pytest

from alphabet import Hooked
from UltraDict import UltraDict


class Key:
    """Equals nothing else: found again only through the objects that the handles of the dict keep."""


def exists(name: str) -> bool:
    try:
        UltraDict(name=name, create=False).close()
    except UltraDict.Exceptions.CannotAttachSharedMemory:
        return False
    except UltraDict.Exceptions.ParameterMismatch:  # a serializer that only its maker has
        return True
    return True


def in_a_cycle(d: UltraDict[Any, Any]) -> None:
    d.me = d  # type: ignore[attr-defined]


def test_exotic_keys_are_found_through_a_nested_handle_that_outlives_the_dict() -> None:
    key, nan = Key(), float("nan")
    d: UltraDict[Any, Any] = UltraDict({"m": {"n": {key: "x", nan: "y"}}}, recurse=True)
    held = d["m"]
    in_a_cycle(d)
    del d
    gc.collect()
    assert (held["n"].get(key), held["n"].get(nan), key in list(held["n"])) == ("x", "y", True)


def test_exotic_keys_are_found_through_the_dict_that_outlives_a_nested_handle() -> None:
    key = Key()
    d: UltraDict[Any, Any] = UltraDict.open(data={"n": {key: "x"}}, recurse=True, cache_bytes=0)
    in_a_cycle(d["n"])
    gc.collect()
    assert d["n"].get(key) == "x"


def test_what_a_nested_handle_knew_outlives_it_if_a_destructor_saves_it_or_not() -> None:
    class Saves:
        def __init__(self, handle: Any) -> None:
            self.handle = handle
            handle.saves = self

        def __del__(self) -> None:
            saved.append(self.handle)

    key, stored, saved = Key(), UltraDict(v=1), list[Any]()
    name = stored.name
    d: UltraDict[Any, Any] = UltraDict.open(data={"n": {}}, recurse=True, cache_bytes=0)
    d["n"].update({key: "x", "h": stored})
    del stored
    Saves(d["n"])
    gc.collect()
    assert saved == [d["n"]]
    assert saved[0] is d["n"]
    for _ in range(2):  # with the saved one, and without it
        assert (d["n"].get(key), d["n"]["h"]) == ("x", {"v": 1})
        saved.clear()
        gc.collect()
    d["n"]["h"] = None
    gc.collect()
    assert not exists(name)


def test_a_stored_handle_stays_while_a_nested_handle_does() -> None:
    stored: UltraDict[str, int] = UltraDict(v=1)
    d: UltraDict[Any, Any] = UltraDict({"m": {"n": {"h": stored}}}, recurse=True)
    held = d["m"]
    in_a_cycle(d)
    del d, stored
    gc.collect()
    assert held["n"]["h"]["v"] == 1


def test_handles_that_are_stored_while_the_old_ones_are_looked_through_stay() -> None:
    d: UltraDict[Any, Any] = UltraDict()
    inner: list[str] = []

    def store_another() -> None:
        inner.append(f"inner {len(inner)}")
        d[inner[-1]] = UltraDict(v=inner[-1])

    for number in range(16):
        d[Hooked(number)] = UltraDict(v=number)

    def again() -> None:
        if len(d) > 16:  # the outer one is stored, and the old ones come
            store_another()
        Hooked.hook_of_all = ("hash", again)

    with Hooked.hooked("hash", again):
        d[Hooked(16)] = UltraDict(v="outer")
    d.load(force=True)
    gc.collect()
    assert len(inner) > 16
    assert [d[key]["v"] for key in inner] == inner
    assert d[Hooked(16)]["v"] == "outer"
    for number in range(16):
        assert d[Hooked(number)]["v"] == number


def test_a_stored_handle_stays_while_a_lock_does() -> None:
    stored: UltraDict[str, int] = UltraDict(v=1)
    d: UltraDict[Any, Any] = UltraDict(h=stored)
    lock, name = d.lock, d.name
    in_a_cycle(d)
    del d, stored
    gc.collect()
    with lock:
        assert UltraDict(name=name, create=False)["h"] == {"v": 1}


def test_cycles_through_a_lock_or_a_nested_handle_that_outlived_the_dict_are_collected_with_it() -> None:
    d: UltraDict[Any, Any] = UltraDict({"m": {"n": {}}}, recurse=True)
    d["m"]["n"]["lock"] = d.lock
    d["m"]["n"][1, d.lock] = 1
    name, owners = d.name, [d.lock, d["m"], d["m"]["n"]]
    in_a_cycle(d)
    del d
    while owners:
        gc.collect()
        assert exists(name)
        owners.pop()
    gc.collect()
    assert not exists(name)


class Own(UltraDict[Any, Any]):
    """Its own serializer."""

    def __init__(self) -> None:
        super().__init__(serializer=self)

    def dumps(self, value: Any) -> str:
        return json.dumps(value)

    def loads(self, text: str) -> Any:
        return json.loads(text)


class Changing:
    dumps, loads = Own.dumps, Own.loads


class Immutable(tuple[Any, ...]):
    __slots__ = ()
    dumps, loads = Own.dumps, Own.loads


def with_changing() -> UltraDict[Any, Any]:
    serializer: Any = Changing()
    serializer.dict = UltraDict(serializer=serializer)
    return serializer.dict


def with_immutable() -> UltraDict[Any, Any]:
    d: UltraDict[Any, Any] = UltraDict.__new__(UltraDict)
    d.__init__(serializer=Immutable((d,)))  # type: ignore[misc]
    return d


@pytest.mark.parametrize("make", [Own, with_changing, with_immutable])
@pytest.mark.parametrize("locked", [False, True])
def test_a_dict_whose_serializer_refers_to_it_is_collected(
    make: Callable[[], UltraDict[Any, Any]], locked: bool
) -> None:
    d = make()
    d["a"] = [1]
    assert d["a"] == [1]
    name, lock = d.name, d.lock if locked else None
    del d
    gc.collect()
    assert exists(name) == locked
    del lock
    gc.collect()
    assert not exists(name)
