# SPDX-License-Identifier: Apache-2.0
"""A C++ program and a Python program write to one dict at once, and each reads what the other wrote."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / os.environ.get("ULTRADICT_BUILD", "build/dev")
STATION = BUILD / "examples" / "cpp_and_python" / "station"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def station() -> Path:
    """The built C++ program. Without a build there is none; `make test` names its build and must have one."""
    if not STATION.exists() and "ULTRADICT_BUILD" not in os.environ:
        pytest.skip("the C++ program is not built: make test does it")
    return STATION


def test_both_languages_read_and_write_the_same_dict(station: Path) -> None:
    finished = run(sys.executable, HERE / "weather.py", station)
    assert finished.stderr == ""
    assert finished.stdout.splitlines() == [
        "Oslo: 0.5 to 29.5 degrees",
        "Bergen: -28.5 to 0.5 degrees",
        "2000 readings",
    ]


def test_a_station_without_a_dict_says_so(station: Path) -> None:
    finished = run(station, "no_such_weather", "Oslo", "1")
    assert finished.returncode == 1
    assert "no_such_weather" in finished.stderr
