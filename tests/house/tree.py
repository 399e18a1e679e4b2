# SPDX-License-Identifier: Apache-2.0
"""The files of this repository as the house tests see them: what is tracked or could be, never what a build made."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

root = Path(__file__).resolve().parents[2]
made_folders = {".git", ".venv", "build", "dist", "__pycache__"}
source_suffixes = {".cc", ".h", ".py", ".pyi", ".sh", ".cmake"}


def _asked_of_git() -> list[str]:
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [name for name in answer.split("\0") if name]


def _walked() -> Iterator[str]:
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if name not in made_folders and not name.endswith("_cache")]
        yield from (os.path.relpath(os.path.join(folder, name), root) for name in names)


def all_files() -> list[Path]:
    """Every file of the repository, relative to its root; without git (an unpacked archive) by walking the folders."""
    try:
        names = _asked_of_git()
    except (OSError, subprocess.CalledProcessError):
        names = list(_walked())
    return sorted(Path(name) for name in names if (root / name).is_file())


def sources(*suffixes: str) -> list[Path]:
    """The source files, or those with one of `suffixes`."""
    wanted = set(suffixes) or source_suffixes
    return [path for path in all_files() if path.suffix in wanted]


def text(path: Path) -> str:
    """The contents of a file; empty for one that is not text."""
    try:
        return (root / path).read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def expect_none(faults: list[str]) -> None:
    """Fails with every fault on a line of its own."""
    assert not faults, "\n" + "\n".join(faults)
