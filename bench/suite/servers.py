# SPDX-License-Identifier: Apache-2.0
"""Servers of stores that have one: on loopback or a unix socket, nothing kept on disk, ended with the suite."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from machine import REPOSITORY

from suite.environments import NotInstalled
from suite.lifetime import die_with_parent

PACKAGES = REPOSITORY / "tools" / "debian_packages.sh"
START_SECONDS = 20.0
STASH = """
import os, sys
from gunicorn.config import Config
from gunicorn.dirty.arbiter import DirtyArbiter
from gunicorn.glogging import Logger
settings = Config()
settings.set("dirty_workers", 0)
settings.set("errorlog", "-")
arbiter = DirtyArbiter(settings, Logger(settings), socket_path=sys.argv[1])
arbiter.ppid = os.getppid()  # it is made to be forked by who makes it, and ends with that
arbiter.run()
"""


def redis(address: dict[str, Any], directory: str, python: str) -> list[str]:
    quiet = ["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", directory]
    where = ["--bind", "127.0.0.1", "--port", str(address["port"]), "--unixsocket", address["socket"]]
    return ["redis-server", *where, *quiet]


def memcached(address: dict[str, Any], directory: str, python: str) -> list[str]:
    limits = ["-t", "2", "-m", "2048", "-I", "32m", "-c", "64", "-u", "nobody"]
    return ["memcached", "-l", "127.0.0.1", "-p", str(address["port"]), "-U", "0", *limits]


def dirty_stash(address: dict[str, Any], directory: str, python: str) -> list[str]:
    return [python, "-c", STASH, address["socket"]]


COMMANDS = {"redis": redis, "memcached": memcached, "dirty_stash": dirty_stash}
FROM_DEBIAN = {"redis": "redis-server", "memcached": "memcached"}


def install() -> dict[str, str]:
    """Install the servers that come as Debian packages; the reasons where that did not work."""
    answer = subprocess.run([str(PACKAGES), "peers"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    reason = "" if answer.returncode == 0 else (answer.stderr.strip().splitlines() or ["cannot be installed"])[-1]
    return {name: reason for name, program in FROM_DEBIAN.items() if reason and version(name) == ""}


def version(name: str) -> str:
    """What the server says it is; nothing if it is not there."""
    if name not in FROM_DEBIAN:
        return ""
    try:
        answer = subprocess.run([FROM_DEBIAN[name], "--version"], capture_output=True, text=True)
    except OSError:
        return ""
    return answer.stdout.strip().split(" sha=")[0]


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def answers(address: dict[str, Any], name: str) -> bool:
    """Whether it can be connected to yet."""
    family, where = (
        (socket.AF_INET, ("127.0.0.1", address["port"])) if name == "memcached" else (socket.AF_UNIX, address["socket"])
    )
    with socket.socket(family) as probe:
        return probe.connect_ex(where) == 0


@contextmanager
def awake() -> Iterator[None]:
    """A process on each processor that runs where nothing else does: none of them sleeps."""
    spinner = "import os\nos.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))\nwhile True: pass"
    processes = [
        subprocess.Popen([sys.executable, "-c", spinner], preexec_fn=partial(pinned, cpu))  # noqa: PLW1509
        for cpu in os.sched_getaffinity(0)
    ]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def pinned(cpu: int) -> None:
    """Of a child, before its program begins."""
    die_with_parent()
    os.sched_setaffinity(0, [cpu])


@contextmanager
def running(name: str, directory: str, python: str) -> Iterator[tuple[dict[str, Any], int | None]]:
    """The server of a store: its address and its process, or nothing where it needs none."""
    if not name:
        yield {}, None
        return
    address = {"port": free_port(), "socket": str(Path(directory, f"{name}.server"))}
    with Path(directory, "log").open("ab") as log:
        process = subprocess.Popen(
            COMMANDS[name](address, directory, python),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 (the suite has no threads)
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(address, name):
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotInstalled(f"the server of {name} does not answer")
            time.sleep(0.01)
        yield address, process.pid
    finally:
        process.kill()
        process.wait()
