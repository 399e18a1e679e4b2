# SPDX-License-Identifier: Apache-2.0
"""max_bytes: a hard bound on all memory of a dict, set aside when it is created."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict

BOUND = 1 << 20


def memory(d: UltraDict[Any, Any], directory: Path) -> int:
    """Bytes of all files of a dict."""
    files = (directory / "d" / d._shared_id).iterdir()
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in files)


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict[Any, Any].open(max_bytes=BOUND) as made:
        yield made


def fill(d: UltraDict[Any, Any], size: int = 100) -> None:
    """Until it raises."""
    for number in range(1_000_000):
        d[number] = "v" * size


def test_it_is_set_aside_and_never_exceeded(d: UltraDict[Any, Any], shared_directory: Path) -> None:
    assert (d.max_bytes, memory(d, shared_directory)) == (BOUND, BOUND)
    before = d.free_bytes
    assert before is not None
    assert 0 < before < BOUND
    with pytest.raises(UltraDict.Exceptions.SharedMemoryFull, match=f"max_bytes={BOUND}"):
        fill(d)
    assert memory(d, shared_directory) <= BOUND
    assert len(d) > 500
    assert list(d) == list(range(len(d)))


def test_d1_deleting_works_when_it_is_full_and_writing_after_that(d: UltraDict[Any, Any]) -> None:
    with pytest.raises(MemoryError):
        fill(d)
    for number in list(d)[:200]:
        del d[number]
    d["after"] = "v" * 100
    assert d["after"] == "v" * 100
    with pytest.raises(MemoryError):
        d.update((str(number), "v" * 100) for number in range(1_000_000))
    assert "0" not in d
    d.clear()
    d["again"] = b"x" * 500_000


def test_d1_d7_large_values(d: UltraDict[Any, Any]) -> None:
    for number in range(50):
        d["frame"] = bytes([number]) * 300_000
    with pytest.raises(MemoryError, match="delete keys, or create it with a larger max_bytes"):
        d["frame"] = b"x" * BOUND
    assert d["frame"] == b"\x31" * 300_000
    view = d.view("frame")
    del d["frame"]
    d["next"] = b"y" * 300_000  # the bound is of files: what a view pins is told by stats()
    assert view == b"\x31" * 300_000
    assert d.stats()["pinned_bytes"] > 0


@pytest.mark.parametrize(("bound", "share"), [(4 << 20, 0.80), (1 << 20, 0.45), (100_000, 0.10)])
def test_how_much_of_the_bound_is_content(bound: int, share: float) -> None:
    with UltraDict[Any, Any].open(max_bytes=bound) as d:
        with pytest.raises(MemoryError):
            fill(d, 1000)
        assert share * bound < d.stats()["content_size"] < bound


def test_who_attaches_takes_the_creators(d: UltraDict[Any, Any]) -> None:
    with UltraDict[Any, Any].open(d.name, create=False, max_bytes=10 * BOUND) as other:
        assert other.max_bytes == BOUND
        assert other.free_bytes == d.free_bytes
        other["k"] = b"x" * 300_000
        assert other.free_bytes == d.free_bytes


def test_without_it_there_is_no_bound() -> None:
    with UltraDict[Any, Any]() as d:
        assert d.max_bytes is None
        assert d.free_bytes is None


@pytest.mark.parametrize("bound", [0, 1, 65_535, -1, 2**63])
def test_what_cannot_be(bound: int) -> None:
    with pytest.raises(ValueError, match="max_bytes must be between 65536"):
        UltraDict.open(max_bytes=bound)


def test_a_buffer_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="buffer_size does not fit into max_bytes"):
        UltraDict.open(max_bytes=65_536, buffer_size=1_000_000)


def test_d1_more_than_there_is_fails_at_once(shared_directory: Path) -> None:
    with pytest.raises(MemoryError):
        UltraDict.open("greedy", max_bytes=1 << 50)
    with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
        UltraDict(name="greedy", create=False)
    assert not list((shared_directory / "d").iterdir())


def test_max_bytes_is_no_parameter_of_the_constructor() -> None:
    with UltraDict(max_bytes=5) as d:
        assert d == {"max_bytes": 5}
