# SPDX-License-Identifier: Apache-2.0
"""Every run has a directory of its own in shared memory; every test must leave it as empty as it found it."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_collection_finish() -> None:
    """What all modules have loaded stays: no collection, in a test or a child of it, looks through that again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def shared_directory() -> Iterator[Path]:
    """Where the dicts of this run are; processes that tests start inherit it."""
    before = os.environ.get("ULTRADICT_DIR")
    place = "/dev/shm" if os.path.isdir("/dev/shm") else None
    directory = Path(tempfile.mkdtemp(prefix="ultradict-test-", dir=place))
    os.environ["ULTRADICT_DIR"] = str(directory)
    yield directory
    if before is None:
        del os.environ["ULTRADICT_DIR"]
    else:
        os.environ["ULTRADICT_DIR"] = before
    shutil.rmtree(directory, ignore_errors=True)


def left_over(directory: Path) -> set[str]:
    """What is in the directory beside the files that stay."""
    places = [directory / "n", directory / "d"]
    return {str(path.relative_to(directory)) for place in places if place.exists() for path in place.iterdir()}


@pytest.fixture(autouse=True)
def nothing_left(shared_directory: Path) -> Iterator[None]:
    """A dict that a test made and that outlives it has leaked."""
    before = left_over(shared_directory)
    yield
    if not left_over(shared_directory) <= before:
        gc.collect()
    assert left_over(shared_directory) <= before
