# SPDX-License-Identifier: Apache-2.0
"""CPython's own tests of mappings, run on UltraDict and on a subclass.

Left out: test_copy (a copy is a plain dict here), and those whose local classes no pickle can name; what they ask is
asked with classes that can be named below.
"""

from __future__ import annotations

import unittest
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from UltraDict import UltraDict

mapping_tests = pytest.importorskip("test.mapping_tests", reason="this Python comes without its own tests")

LEFT_OUT = {"test_copy", "test_eq", "test_getitem", "test_pop", "test_repr", "test_setdefault"}


class Subclass(UltraDict[Any, Any]):
    """Nothing of its own."""


def names() -> list[str]:
    """Of all tests that are run."""
    loaded = unittest.defaultTestLoader.getTestCaseNames(mapping_tests.TestHashMappingProtocol)
    return [name for name in loaded if name not in LEFT_OUT]


@pytest.mark.parametrize("kind", [UltraDict, Subclass])
@pytest.mark.parametrize("name", names())
def test_of_cpython(name: str, kind: type) -> None:
    case = type("Case", (mapping_tests.TestHashMappingProtocol,), {"type2test": kind})(name)
    result = unittest.TestResult()
    case.run(result)
    assert result.testsRun == 1
    assert not result.errors + result.failures, (result.errors + result.failures)[0][1]


class Refused(Exception):
    """Raised by the classes below."""


class Refuses:
    """Its __eq__ or __hash__ raises while `fails` says so."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.fails = False

    def __eq__(self, other: object) -> bool:
        if self.fails and self.what == "eq":
            raise Refused
        return self is other

    def __hash__(self) -> int:
        if self.fails and self.what == "hash":
            raise Refused
        return 24


class RefusesRepr:
    """Its repr raises."""

    def __repr__(self) -> str:
        raise Refused


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict() as made:
        yield made


@pytest.mark.parametrize("what", ["eq", "hash"])
@pytest.mark.parametrize(
    "use",
    [
        lambda d, key: d[key],
        lambda d, key: d.get(key),
        lambda d, key: key in d,
        lambda d, key: d.setdefault(key, 1),
        lambda d, key: d.pop(key),
        lambda d, key: d.pop(key, None),
        lambda d, key: d.__setitem__(key, 1),
        lambda d, key: d.__delitem__(key),
        lambda d, key: d.update([(key, 1)]),
    ],
)
def test_an_exception_of_a_key_passes_and_nothing_changes(
    d: UltraDict[Any, Any], what: str, use: Callable[[Any, Any], object]
) -> None:
    stored, key = Refuses(what), Refuses(what)
    for mapping in (d, {}):
        mapping[stored] = 42
        key.fails = True
        stored.fails = what == "eq"  # dict asks the key that it has
        with pytest.raises(Refused):
            use(mapping, key)
        key.fails = stored.fails = False
        assert list(mapping.items()) == [(stored, 42)]
        assert not isinstance(mapping, UltraDict) or not d.lock.has_lock


def test_an_exception_of_a_repr_passes(d: UltraDict[Any, Any]) -> None:
    d[1] = RefusesRepr()
    with pytest.raises(Refused):
        repr(d)
    d.clear()
    assert repr(d) == "{}"
