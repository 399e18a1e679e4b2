# SPDX-License-Identifier: Apache-2.0
"""What dict does, with the types that dict has."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, MutableMapping, ValuesView
from typing import Any, Optional, Union

from claims import assert_type

from UltraDict import UltraDict


def read(d: UltraDict[str, int]) -> None:
    assert_type(d["a"], int)
    assert_type(d.get("a"), Optional[int])
    assert_type(d.get("a", 0), int)
    assert_type(d.get("x", "none"), Union[int, str])
    assert_type("a" in d, bool)
    assert_type(d.has_key("a"), bool)
    assert_type(len(d), int)
    assert_type(list(d), list[str])
    assert_type(list(reversed(d)), list[str])
    assert_type(d == {"a": 1}, bool)
    assert_type(sorted(d, key=d.__getitem__), list[str])


def views(d: UltraDict[str, int]) -> None:
    keys: KeysView[str] = d.keys()
    values: ValuesView[int] = d.values()
    items: ItemsView[str, int] = d.items()
    assert_type(list(d.keys()), list[str])
    assert_type(list(d.values()), list[int])
    assert_type(list(d.items()), list[tuple[str, int]])
    assert_type(list(reversed(d.items())), list[tuple[str, int]])
    assert_type(keys & {"a"}, set[str])
    assert_type(items - {("b", 1)}, set[tuple[str, int]])
    assert_type(len(values), int)


def write(d: UltraDict[str, int]) -> None:
    d["b"] = 2
    del d["b"]
    assert_type(d.setdefault("c", 3), int)
    assert_type(d.pop("c"), int)
    assert_type(d.pop("c", None), Optional[int])
    assert_type(d.pop("c", "none"), Union[int, str])
    assert_type(d.update({"b": 2}), None)
    assert_type(d.update([("b", 2)], c=3), None)
    assert_type(d.update({"b": 2}, c=3), None)
    assert_type(d.update(c=3), None)
    assert_type(d.update(None), None)
    assert_type(d.update(None, c=3), None)
    assert_type(d.update(), None)
    assert_type(d.popitem(), tuple[str, int])


def merge(d: UltraDict[str, int]) -> None:
    assert_type(d | {"b": 2}, dict[str, int])
    assert_type({"b": 2} | d, dict[str, int])
    assert_type(d | d, dict[str, int])
    assert_type(d | {"b": "x"}, dict[str, Union[int, str]])
    d |= {"b": 2}
    d |= [("b", 2)]
    assert_type(d, UltraDict[str, int])


def copies(d: UltraDict[str, int]) -> None:
    assert_type(d.copy(), dict[str, int])
    assert_type(d.to_dict(), dict[str, int])
    assert_type(d.as_pure_dictionary(), dict[str, int])
    assert_type(dict(d), dict[str, int])
    assert_type({**d}, dict[str, int])


def optional_values(d: UltraDict[str, int | None]) -> None:
    assert_type(d.setdefault("x"), Optional[int])
    assert_type(d.clear(), None)


def as_parameter(plain: dict[str, int], mapping: MutableMapping[str, int]) -> None:
    assert plain is mapping


def nested(d: UltraDict[str, dict[str, int]]) -> None:
    d.setdefault("b", {})["c"] = 1
    d["b"]["c"] += 1
    assert_type(d["b"]["c"], int)
    assert_type(d.pop("b"), dict[str, int])


def any_value(d: UltraDict[str, Any]) -> None:
    d["a"] = [1]
    d["a"] = "text"
    assert_type(d["a"], Any)


def view(d: UltraDict[str, bytes]) -> None:
    assert_type(d.view("a"), Any)


if __name__ == "__main__":
    with UltraDict(a=1) as shared:
        for use in (read, views, write, merge, copies):
            use(shared)
        as_parameter(shared, shared)
    optional_values(UltraDict(a=None))
    nested(UltraDict(a={"b": 1}, recurse=True))
    any_value(UltraDict(a=1))
    view(UltraDict(a=b"1"))
