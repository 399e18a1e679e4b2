# SPDX-License-Identifier: Apache-2.0
"""A dict that a C++ program made, without a word about Python's parameters, is one that was made without any."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import ParameterMismatch

ROOT = Path(__file__).resolve().parents[2]
CREATOR = ROOT / os.environ.get("ULTRADICT_BUILD", "build/dev") / "tests" / "processes" / "creator"


@pytest.fixture
def name() -> Iterator[str]:
    """Of a dict that a C++ program keeps. Without a build there is none; `make test` names its and must have one."""
    if not CREATOR.exists() and "ULTRADICT_BUILD" not in os.environ:
        pytest.skip("the C++ program is not built: make test does it")
    chosen = f"made in C++ by {os.getpid()}"
    with subprocess.Popen([CREATOR, chosen], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        yield chosen


def test_it_is_read_and_written_with_the_default_serializer(name: str) -> None:
    with UltraDict(name=name, create=False, serializer=pickle) as d:
        d["set"] = {1, 2}
        assert d == {"colour": "blue", "set": {1, 2}}
        assert d.serializer is pickle


@pytest.mark.parametrize(("word", "value"), [("serializer", json), ("recurse", True), ("shared_lock", True)])
def test_another_parameter_does_not_go_with_it(name: str, word: str, value: object) -> None:
    with pytest.raises(ParameterMismatch, match=word):
        UltraDict(name=name, create=False, **{word: value})
