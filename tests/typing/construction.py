# SPDX-License-Identifier: Apache-2.0
"""How K and V of UltraDict[K, V] follow from what it is made from, or from what it is assigned to."""

from __future__ import annotations

import json
import marshal
import pickle
from collections import ChainMap, Counter
from typing import Any, Optional, TypeVar

from claims import assert_type

from UltraDict import UltraDict

V = TypeVar("V")


class Stock(UltraDict[str, int]):
    def total(self) -> int:
        return sum(self.values())


class ByName(UltraDict[str, V]):
    """A subclass that leaves V open."""


class Backwards:
    def dumps(self, value: object) -> bytes:
        return pickle.dumps(value)[::-1]

    def loads(self, stored: bytes) -> Any:
        return pickle.loads(stored[::-1])


def inferred() -> None:
    pairs = [("a", 1)]
    assert_type(UltraDict({"a": 1}), UltraDict[str, int])
    assert_type(UltraDict(pairs), UltraDict[str, int])
    assert_type(UltraDict((name, len(name)) for name in ["a"]), UltraDict[str, int])
    assert_type(UltraDict(a=1), UltraDict[str, int])
    assert_type(UltraDict({"a": 1}, b=2), UltraDict[str, int])
    assert_type(UltraDict([("a", 1)], b=2), UltraDict[str, int])
    assert_type(UltraDict(None, a=1), UltraDict[str, int])
    assert_type(UltraDict({1: b"x"}, name=None, create=None), UltraDict[int, bytes])
    assert_type(UltraDict(a=1, buffer_size=1000, auto_unlink=True), UltraDict[str, int])
    assert_type(UltraDict(Counter("a")), UltraDict[str, int])
    assert_type(UltraDict(ChainMap({"a": 1})), UltraDict[str, int])
    assert_type(UltraDict(UltraDict(a=1)), UltraDict[str, int])
    assert_type(UltraDict(line.split("=") for line in ["a=b"]), UltraDict[str, str])
    assert_type(UltraDict(line.split(b"=") for line in [b"a=b"]), UltraDict[bytes, bytes])


def annotated() -> None:
    named: UltraDict[str, int] = UltraDict(name="typed")
    from_none: UltraDict[str, int] = UltraDict(None)
    empty: UltraDict[str, int] = UltraDict({}, shared_lock=True)
    pairs: UltraDict[str, int] = UltraDict([("a", 1)])
    no_pairs: UltraDict[str, int] = UltraDict([])
    wider: UltraDict[str, float] = UltraDict({"a": 1})
    wider_still: UltraDict[str, float | None] = UltraDict(a=1)
    anything: UltraDict[Any, Any] = UltraDict({"a": 1}, b="c")
    nested: UltraDict[str, dict[str, int]] = UltraDict({"a": {"b": 1}}, recurse=True, recurse_register=anything)
    assert_type(named, UltraDict[str, int])
    assert_type(from_none, UltraDict[str, int])
    assert_type(empty, UltraDict[str, int])
    assert_type(pairs, UltraDict[str, int])
    assert_type(no_pairs, UltraDict[str, int])
    assert_type(wider["a"], float)
    assert_type(wider_still["a"], Optional[float])
    assert_type(anything, UltraDict[Any, Any])
    assert_type(nested.to_dict(), dict[str, dict[str, int]])
    assert_type(nested["a"]["b"], int)


def serializers() -> None:
    assert_type(UltraDict(a=1, serializer=json), UltraDict[str, int])
    assert_type(UltraDict(a=1, serializer=pickle), UltraDict[str, int])
    assert_type(UltraDict(a=1, serializer=marshal), UltraDict[str, int])
    assert_type(UltraDict(a=1, serializer=Backwards()), UltraDict[str, int])
    assert_type(UltraDict(a=1, serializer=None), UltraDict[str, int])
    assert_type(UltraDict[str, int].open(serializer=json), UltraDict[str, int])


def opened() -> None:
    assert_type(UltraDict[str, int].open(), UltraDict[str, int])
    assert_type(UltraDict[str, int].open("opened", {"a": 1}), UltraDict[str, int])
    assert_type(UltraDict[str, int].open("opened", [("a", 1)], cache_bytes=0, mode=0o600), UltraDict[str, int])
    assert_type(UltraDict.open(name="opened"), UltraDict[Any, Any])
    assert_type(UltraDict(name="opened"), UltraDict[Any, Any])
    assert_type(UltraDict[str, int].open(data=None, allow_pickle=False, full_dump_size=1000), UltraDict[str, int])


def from_keys() -> None:
    assert_type(UltraDict.fromkeys(["a"]), UltraDict[str, Optional[Any]])
    assert_type(UltraDict.fromkeys(["a"], 1), UltraDict[str, int])


def subclasses() -> None:
    assert_type(Stock(pears=3), Stock)
    assert_type(Stock({"pears": 3}), Stock)
    assert_type(Stock(name="stock").total(), int)
    assert_type(Stock.open("stock"), Stock)
    assert_type(Stock.open("stock", {"pears": 3}), Stock)
    with Stock(pears=3) as entered:
        assert_type(entered, Stock)
    with Stock.open("stock", {"pears": 3}) as entered:
        assert_type(entered["pears"], int)
    assert_type(ByName({"a": b"x"}), ByName[bytes])
    assert_type(ByName[int].open("by_name"), ByName[int])


if __name__ == "__main__":
    inferred()
    annotated()
    serializers()
    opened()
    from_keys()
    subclasses()
