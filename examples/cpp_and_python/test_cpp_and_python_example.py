# SPDX-License-Identifier: Apache-2.0
"""A C++ program and a Python program write to one dict at once, and each reads what the other wrote."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / os.environ.get("ULTRADICT_BUILD", "build/dev")
STATION = BUILD / "examples" / "cpp_and_python" / "station"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


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


def test_the_station_is_a_project_of_its_own(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("CMake is not installed")
    configured = run("cmake", "-S", HERE, "-B", tmp_path, "-DCMAKE_CXX_FLAGS=-O0")
    assert configured.returncode == 0, configured.stderr
    built = run("cmake", "--build", tmp_path, "--target", "station", "--parallel", "2")
    assert built.returncode == 0, built.stdout + built.stderr
    finished = run(sys.executable, HERE / "weather.py", tmp_path / "station")
    assert finished.stdout.splitlines()[-1] == "2000 readings", finished.stderr


def test_a_station_without_a_dict_says_so(station: Path) -> None:
    finished = run(station, "no_such_weather", "Oslo", "1")
    assert finished.returncode == 1
    assert "no_such_weather" in finished.stderr
