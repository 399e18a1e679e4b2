# SPDX-License-Identifier: Apache-2.0
"""Locks, views and iterators come from a dict alone: made by hand they would belong to none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import AlreadyClosed


@pytest.mark.parametrize(
    "part",
    [
        lambda d: d.lock,
        lambda d: d.lock(),
        lambda d: d.keys(),
        lambda d: d.values(),
        lambda d: d.items(),
        lambda d: iter(d),
        lambda d: next(iter(dict.keys(d))),
    ],
)
def test_what_only_a_dict_makes(part: Callable[[UltraDict[Any, Any]], object]) -> None:
    with UltraDict[Any, Any]() as d:
        kind = type(part(d))
        with pytest.raises(TypeError, match="cannot create"):
            kind()
        with pytest.raises(TypeError):
            object.__new__(kind)


@pytest.mark.parametrize("part", [lambda d: d.keys(), lambda d: d.values(), lambda d: d.items(), iter])
def test_what_nobody_derives_from(part: Callable[[UltraDict[Any, Any]], object]) -> None:
    with UltraDict[Any, Any]() as d, pytest.raises(TypeError, match="not an acceptable base type"):
        type("Derived", (type(part(d)),), {})


def test_what_outlives_its_dict() -> None:
    d = UltraDict(a=1)
    views = [d.keys(), d.values(), d.items()]
    iterators = [iter(d), iter(d.items()), reversed(d), reversed(d.values())]
    lock, request = d.lock, d.lock(timeout=1)
    d.close()
    del d
    for view in views:
        for use in (list, len, repr, lambda view: ("a", 1) in view):
            with pytest.raises(AlreadyClosed):
                use(view)
    for iterator in iterators:
        with pytest.raises(AlreadyClosed):
            next(iterator)
    with pytest.raises(AlreadyClosed):
        lock.acquire()
    with pytest.raises(AlreadyClosed), request:
        pass
