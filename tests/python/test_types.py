# SPDX-License-Identifier: Apache-2.0
"""The types that a dict hands out are made by it alone: one made by hand would be the handle of nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from programs import run
from UltraDict import UltraDict

handed_out: dict[str, Callable[[UltraDict[Any, Any]], Any]] = {
    "keys": lambda d: d.keys(),
    "values": lambda d: d.values(),
    "items": lambda d: d.items(),
    "iterator": iter,
    "reversed iterator": reversed,
    "lock": lambda d: d.lock,
    "request for the lock": lambda d: d.lock(timeout=1),
}

making = """
from test_types import handed_out
from UltraDict import UltraDict
d = UltraDict(a=1)
kind = type(handed_out[sys.argv[1]](d))
try:
    made = kind() if sys.argv[2] == "called" else kind.__new__(kind)
except TypeError as error:
    say(error)
"""


@pytest.mark.parametrize("name", handed_out)
@pytest.mark.parametrize("how", ["called", "new"])
def test_cannot_be_made_by_hand(name: str, how: str) -> None:
    """In an interpreter of its own, which would end with such an object."""
    done = run(f"sys.path[:] = {sys.path!r}\n{making}", name, how)
    assert done.returncode == 0, done.stderr
    assert "cannot create" in done.stdout


@pytest.mark.parametrize("name", ["keys", "values", "items", "iterator"])
def test_cannot_be_derived_from(name: str) -> None:
    with UltraDict(a=1) as d, pytest.raises(TypeError, match="not an acceptable base type"):
        type("Derived", (type(handed_out[name](d)),), {})


def test_outlive_their_dict() -> None:
    d = UltraDict(a=1)
    things = {name: make(d) for name, make in handed_out.items()}
    d.close()
    del d
    for name in ("keys", "values", "items"):
        for use in (list, len, repr, lambda view: ("a", 1) in view):
            with pytest.raises(UltraDict.Exceptions.AlreadyClosed):
                use(things[name])
    for name in ("iterator", "reversed iterator"):
        with pytest.raises(UltraDict.Exceptions.AlreadyClosed):
            next(things[name])
    with pytest.raises(UltraDict.Exceptions.AlreadyClosed):
        things["lock"].acquire()
    with pytest.raises(UltraDict.Exceptions.AlreadyClosed), things["request for the lock"]:
        pass
