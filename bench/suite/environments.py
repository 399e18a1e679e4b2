# SPDX-License-Identifier: Apache-2.0
"""An environment for each peer, under build/peers/, made once. What cannot be installed is told, not skipped."""

from __future__ import annotations

import subprocess
import sys

from machine import REPOSITORY, first_line
from stores.base import Store

PEERS = REPOSITORY / "build" / "peers"
SECONDS_MAX = 600
VERSIONS = "versions"


class NotInstalled(Exception):
    """Why not."""


def python_of(store: type[Store]) -> str:
    """The interpreter that has what a store needs."""
    if not store.environment:
        return sys.executable
    folder = PEERS / store.environment
    python, stamp = folder / "bin" / "python", folder / "requirements"
    wanted = "\n".join(store.requirements)
    if not (folder / VERSIONS).is_file() or not stamp.is_file() or stamp.read_text() != wanted:
        print(f"installing {', '.join(store.requirements)}", flush=True)
        run([sys.executable, "-m", "venv", "--clear", str(folder)])
        run([str(python), "-m", "pip", "--disable-pip-version-check", "install", "-q", *store.requirements])
        command = [str(python), "-m", "pip", "--disable-pip-version-check", "freeze"]
        installed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        (folder / VERSIONS).write_text(", ".join(installed.split()))
        stamp.write_text(wanted)
    return str(python)


def versions_of(store: type[Store]) -> str:
    """Everything that is installed there, as pip names it, and the library behind it."""
    installed = (PEERS / store.environment / VERSIONS).read_text() if store.environment else ""
    return ", ".join(filter(None, (installed, library_of(store))))


def library_of(store: type[Store]) -> str:
    """What the library under a store says that it is."""
    return first_line(python_of(store), "-c", store.library) if store.library else ""


def run(command: list[str]) -> None:
    """Run it, or say with its last line of output why it did not work."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalled(str(error)) from None
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise NotInstalled(f"{' '.join(command[-3:])}: {errors[-1].strip()[:200]}")
