# SPDX-License-Identifier: Apache-2.0
"""C++ reads and writes large values of every kind as Python has them, and says what it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from UltraDict import UltraDict

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[1] / os.environ.get("ULTRADICT_BUILD", "build/dev")
FLIP = BUILD / "examples" / "cpp_frames" / "flip"
ROWS, ROW_SIZE = 1200, 100


class Buffers:
    """An object of two buffers; C++ takes the first."""

    def __init__(self, *buffers: bytes) -> None:
        self.buffers = [np.frombuffer(buffer, np.uint8) for buffer in buffers]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def flip() -> Path:
    """The built C++ program. Without a build there is none; `make test` names its build and must have one."""
    if not FLIP.exists() and "ULTRADICT_BUILD" not in os.environ:
        pytest.skip("the C++ program is not built: make test does it")
    return FLIP


def test_a_picture_goes_to_cpp_and_back(flip: Path) -> None:
    finished = run(sys.executable, HERE / "flip.py", flip)
    assert finished.stderr == ""
    assert finished.stdout == "6220800 bytes, upside down: True\n"


def content() -> bytes:
    return np.random.default_rng(1).integers(0, 128, ROWS * ROW_SIZE, np.uint8).tobytes()


def flipped(data: bytes) -> bytes:
    return np.frombuffer(data, np.uint8).reshape(-1, ROW_SIZE)[::-1].tobytes()


@pytest.mark.parametrize(
    "make",
    [
        bytes,
        bytearray,
        lambda data: data.decode("ascii"),
        lambda data: "ä" * 50 + data[100:].decode("ascii"),
        lambda data: np.frombuffer(data, np.uint8),
        lambda data: np.frombuffer(data, np.float32).reshape(ROWS, -1),
        lambda data: np.frombuffer(data, np.uint8).reshape(ROWS, -1).T,
        lambda data: Buffers(data, b"other" * 10_000),
    ],
    ids=["bytes", "bytearray", "ascii", "text", "array", "floats", "fortran", "object"],
)
def test_whatever_has_one_run_of_bytes_is_seen_as_they_lie(flip: Path, make: Any) -> None:
    data = content()
    value = make(data)
    if isinstance(value, str):
        data = value.encode()
    with UltraDict(frame=value, row_size=ROW_SIZE) as shared:
        assert run(flip, shared.name).stderr == ""
        assert shared["flipped"] == flipped(data)
        assert bytes(shared.view("flipped")) == flipped(data)
        assert list(shared) == ["frame", "row_size", "flipped"]


def test_a_small_answer_is_an_ordinary_value(flip: Path) -> None:
    with UltraDict(frame=content(), row_size=ROWS * ROW_SIZE - 1) as shared:
        assert run(flip, shared.name).stderr == ""
        shared["frame"], shared["row_size"] = content(), ROWS * ROW_SIZE + 1
        assert run(flip, shared.name).stderr == ""
        assert shared["flipped"] == b""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"small", "a value of so few bytes cannot be mapped, get() it (7, at least 32769)"),
        ([0] * 50_000, "is a list: nothing in it can be mapped; get() it"),
        (np.zeros((400, 400), np.uint8)[::2, ::2], "is pickled without buffers of its own"),
        (np.array([None] * 50_000), "is pickled without buffers of its own"),
    ],
    ids=["small", "list", "gaps", "objects"],
)
def test_what_cannot_be_mapped_is_said(flip: Path, value: Any, message: str) -> None:
    with UltraDict(frame=value, row_size=ROW_SIZE) as shared:
        finished = run(flip, shared.name)
        assert finished.returncode == 1
        assert finished.stderr.startswith("flip: dict '")
        assert message in finished.stderr
        assert "flipped" not in shared


def test_a_frame_that_is_not_there_is_said(flip: Path) -> None:
    with UltraDict(row_size=ROW_SIZE) as shared:
        finished = run(flip, shared.name)
        assert (finished.returncode, finished.stderr) == (1, "flip: no frame in the dict\n")
