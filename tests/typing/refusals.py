# SPDX-License-Identifier: Apache-2.0
"""What both checkers must refuse. An ignore that is not needed is an error to each of them, so each line proves itself.

Nothing of this runs: some of it would do no harm, some would raise.
"""

from __future__ import annotations

from UltraDict import Exceptions, SharedLock, UltraDict


class Stock(UltraDict[str, int]):
    pass


class OnlyDumps:
    def dumps(self, value: object) -> bytes:
        return repr(value).encode()


def construction() -> None:
    UltraDict(name=1)  # type: ignore[call-overload]  # pyright: ignore
    UltraDict(create="yes")  # type: ignore[call-overload]  # pyright: ignore
    UltraDict(buffer_size=None)  # type: ignore[call-overload]  # pyright: ignore
    UltraDict(serializer="json")  # type: ignore[call-overload]  # pyright: ignore
    UltraDict(serializer=OnlyDumps())  # type: ignore[call-overload]  # pyright: ignore
    UltraDict(recurse_register=1)  # type: ignore[call-overload]  # pyright: ignore
    UltraDict({}, {})  # type: ignore[call-overload]  # pyright: ignore
    UltraDict(3)  # type: ignore[call-overload]  # pyright: ignore
    UltraDict[str, int]({1: "a"})  # type: ignore[arg-type]  # pyright: ignore
    UltraDict[str, int](a="b")  # type: ignore[call-overload]  # pyright: ignore
    Stock(pears="three")  # type: ignore[call-overload]  # pyright: ignore
    UltraDict[str, int].open("x", a=1)  # type: ignore[call-arg]  # pyright: ignore
    UltraDict[str, int].open("x", {"a": "b"})  # type: ignore[arg-type]  # pyright: ignore
    UltraDict[str, int].open("x", {}, True)  # type: ignore[call-arg]  # pyright: ignore
    UltraDict[str, int].open("x", mode="rw")  # type: ignore[arg-type]  # pyright: ignore
    Stock.open("x", {1: 1})  # type: ignore[arg-type]  # pyright: ignore
    UltraDict.fromkeys(3)  # type: ignore[call-overload]  # pyright: ignore


def mapping(d: UltraDict[str, int]) -> None:
    d[1]  # type: ignore[index]  # pyright: ignore
    d["a"] = "b"  # type: ignore[assignment]  # pyright: ignore
    del d[1]  # type: ignore[arg-type]  # pyright: ignore
    d.get("a").bit_length()  # type: ignore[union-attr]  # pyright: ignore
    d.get(key="a")  # type: ignore[call-overload]  # pyright: ignore
    d.setdefault("a", "b")  # type: ignore[arg-type]  # pyright: ignore
    d.setdefault("a")  # type: ignore[call-arg]  # pyright: ignore
    d.pop()  # type: ignore[call-overload]  # pyright: ignore
    d.pop("a", default=1)  # type: ignore[call-overload]  # pyright: ignore
    d.update({1: 1})  # type: ignore[arg-type]  # pyright: ignore
    d.update(a="b")  # type: ignore[call-overload]  # pyright: ignore
    d.update(3)  # type: ignore[call-overload]  # pyright: ignore
    d.copy().lock  # type: ignore[attr-defined]  # pyright: ignore
    d.has_key()  # type: ignore[call-arg]  # pyright: ignore


def variance(d: UltraDict[str, int]) -> UltraDict[str, float]:
    return d  # type: ignore[return-value]  # pyright: ignore


def lifetime(d: UltraDict[str, int]) -> None:
    d.name = "other"  # type: ignore[misc]  # pyright: ignore
    d.lock = d.lock  # type: ignore[misc]  # pyright: ignore
    d.recurse = True  # type: ignore[misc]  # pyright: ignore
    d.data = {"a": 1}  # type: ignore[assignment]  # pyright: ignore
    d.full_dump_size.bit_length()  # type: ignore[union-attr]  # pyright: ignore
    d.load(1, 2)  # type: ignore[arg-type, call-arg]  # pyright: ignore
    d.print_status(3)  # type: ignore[arg-type]  # pyright: ignore
    d.close().items()  # type: ignore[union-attr]  # pyright: ignore
    d.close(data=False).items()  # type: ignore[attr-defined]  # pyright: ignore
    d.unlink_by_name(3)  # type: ignore[arg-type]  # pyright: ignore
    UltraDict.unlink_by_name()  # type: ignore[call-arg]  # pyright: ignore
    d.missing  # type: ignore[attr-defined]  # pyright: ignore


def lock(lock: SharedLock) -> None:
    lock.acquire(timeout="soon")  # type: ignore[call-overload]  # pyright: ignore
    lock.acquire(blocking=True)  # type: ignore[call-overload]  # pyright: ignore
    lock.acquire(True, None, None)  # type: ignore[call-overload]  # pyright: ignore
    lock(timeout="soon")  # type: ignore[arg-type]  # pyright: ignore
    lock(wait=True)  # type: ignore[call-arg]  # pyright: ignore
    lock.has_lock = True  # type: ignore[misc]  # pyright: ignore
    lock.steal("me")  # type: ignore[arg-type]  # pyright: ignore
    with lock.acquire():  # type: ignore[attr-defined]  # pyright: ignore
        pass
    with lock as taken:
        taken["a"]  # type: ignore[index]  # pyright: ignore


def exceptions() -> None:
    Exceptions.CannotAcquireLock(blocking_pid="me")  # type: ignore[arg-type]  # pyright: ignore
    Exceptions.CannotAcquireLock(time_passed=1.0)  # type: ignore[call-arg]  # pyright: ignore
    Exceptions.AlreadyClosed().blocking_pid  # type: ignore[attr-defined]  # pyright: ignore
    Exceptions.Missing  # type: ignore[attr-defined]  # pyright: ignore
