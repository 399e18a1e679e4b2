# SPDX-License-Identifier: Apache-2.0
"""Other users: processes that give up root for good before they do anything, and a place that they share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ALICE, MALLORY = 12345, 65534

PREAMBLE = """
import os, stat, sys
from pathlib import Path
import UltraDict.Exceptions
from UltraDict import UltraDict
def become(user):
    os.setgroups([]); os.setgid(user); os.setuid(user)
def say(*words): print(*words, flush=True)
def tried(use):
    try: return use()
    except Exception as error: return f"{type(error).__name__}: {error}"
"""


def as_user(user: int, program: str, place: Path | None, **environment: str) -> str:
    """What a program of this user prints; it must end well, and soon."""
    command = [sys.executable, "-c", f"{PREAMBLE}become({user})\n{program}"]
    settings = {**os.environ, **environment}
    settings.pop("ULTRADICT_DIR", None)
    if place is not None:
        settings["ULTRADICT_DIR"] = str(place)
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=settings)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@contextmanager
def sysctl(name: str, value: int) -> Iterator[None]:
    file = Path("/proc/sys") / name.replace(".", "/")
    before = file.read_text()
    file.write_text(f"{value}\n")
    try:
        yield
    finally:
        file.write_text(before)


def sticky_directory() -> Iterator[Path]:
    """A directory in shared memory where everybody may create, and nobody remove what is another's."""
    place = Path(tempfile.mkdtemp(prefix="strangers-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    place.chmod(0o1777)
    yield place
    shutil.rmtree(place)
