# SPDX-License-Identifier: Apache-2.0
"""What help() and an editor say of a method: its parameters and what it does."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any, get_type_hints

import pytest

from programs import run
from UltraDict import UltraDict


def public_methods(cls: type) -> dict[str, Any]:
    return {name: getattr(cls, name) for name in vars(cls) if not name.startswith("_") and callable(getattr(cls, name))}


@pytest.mark.parametrize("cls", [*UltraDict.__mro__[:2], UltraDict.SharedLock], ids=lambda cls: cls.__name__)
def test_every_method_tells_its_parameters(cls: type) -> None:
    for name, found in public_methods(cls).items():
        assert found.__doc__, name
        if not isinstance(found, type):
            assert inspect.signature(found), name


@pytest.mark.parametrize("name", ["get", "setdefault", "popitem"])
def test_methods_of_dict_have_the_parameters_of_dict(name: str) -> None:
    assert str(inspect.signature(getattr(UltraDict, name))) == str(inspect.signature(getattr(dict, name)))


def test_pop_takes_one_default_or_none() -> None:
    assert str(inspect.signature(UltraDict.pop)) == "(self, key, /, *default)"


@pytest.mark.parametrize("opening", [UltraDict, UltraDict.open], ids=["class", "open"])
def test_every_parameter_is_explained(opening: Any) -> None:
    named = {word for word, found in inspect.signature(opening).parameters.items() if found.kind is found.KEYWORD_ONLY}
    explained = re.findall(r"^ +([a-z_]+)  ", UltraDict.__doc__ or "", re.MULTILINE)
    if opening is not UltraDict:
        explained += re.findall(r"^ +([a-z_]+)  ", UltraDict.open.__doc__ or "", re.MULTILINE)
    assert named <= set(explained) <= named | {"name"}


def test_every_word_of_acquire_is_in_its_signature_and_its_text() -> None:
    words = {"block", "timeout", "sleep_time", "steal_after_timeout", "steal"}
    found = UltraDict.SharedLock.acquire
    assert inspect.signature(found).parameters.keys() == {"self", *words}
    assert all(word in (found.__doc__ or "") for word in words)
    with UltraDict() as d:
        assert d.lock.acquire(**dict.fromkeys(words, 1))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="`int | None` cannot be evaluated there")
@pytest.mark.parametrize("name", [*public_methods(UltraDict), "__init__", "__enter__", "__exit__"])
def test_annotations_can_be_evaluated(name: str) -> None:
    found = getattr(UltraDict, name)
    assert isinstance(found, type) or get_type_hints(found).keys() >= getattr(found, "__annotations__", {}).keys()


def test_typing_is_imported_only_by_who_evaluates_annotations() -> None:
    program = """
known = set(sys.modules)
import UltraDict
print(sorted({"typing", "importlib.metadata", "UltraDict._types"} & (set(sys.modules) - known)))
"""
    assert run(program).stdout == "[]\n"
