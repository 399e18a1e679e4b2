# SPDX-License-Identifier: Apache-2.0
"""The attributes are shared, and a missing one is an AttributeError, whatever one does with it."""

import subprocess
import sys
from pathlib import Path

import pytest
from shared_object import Shared

from UltraDict import UltraDict


def test_another_process_changes_the_attributes() -> None:
    script = Path(__file__).with_name("shared_object.py")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=60)
    assert finished.stdout == "colour BLUE, seen by ['child'], still a draft: False\n"
    assert finished.stderr == ""


def test_two_objects_of_one_name_are_one() -> None:
    first, second, other = Shared("one"), Shared("one"), Shared("other")
    first.x = 1
    assert (second.x, vars(second)) == (1, {"x": 1})
    second.x += 1
    assert first.x == 2
    assert type(first.__dict__) is UltraDict
    assert not hasattr(other, "x")


def test_a_missing_attribute_is_an_attribute_error() -> None:
    thing = Shared("missing")
    with pytest.raises(AttributeError, match="'Shared' object has no attribute 'x'"):
        thing.x  # noqa: B018
    with pytest.raises(AttributeError, match="'Shared' object has no attribute 'x'"):
        del thing.x
    assert getattr(thing, "x", 5) == 5
    assert not hasattr(thing, "x")
