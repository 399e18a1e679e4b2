# SPDX-License-Identifier: Apache-2.0
"""Other users: processes that give up root for good before they do anything, and a place that they share."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import traceback
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


def _live_as(user: int, program: str, place: Path | None, output: int) -> None:
    """The life of a forked child, to its end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(60)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    os.environ.pop("ULTRADICT_DIR", None)
    if place is not None:
        os.environ["ULTRADICT_DIR"] = str(place)
    status, names = 1, {}
    try:
        exec(f"{PREAMBLE}become({user})\n{program}", names)
        names.clear()
        gc.collect()
        status = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def as_user(user: int, program: str, place: Path | None) -> str:
    """What a program of this user prints; it must end well, and soon. Its dicts end with its names."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _live_as(user, program, place, writing)
    os.close(writing)
    with os.fdopen(reading) as output:
        said = output.read()
    assert os.waitpid(pid, 0)[1] == 0, said
    return said.strip()


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
