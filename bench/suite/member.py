# SPDX-License-Identifier: Apache-2.0
"""The side of a process that uses a store: it is told to call functions, one JSON line each, and answers with a line.

It runs under the interpreter of the store's own environment, which has nothing of ours: plain CPython is enough here.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import resource
import socket
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from harness import WrongAnswer
from stores import adapter
from stores.base import Place, Store

from suite.lifetime import die_with_parent

TEXT_MAX = 120  # of what an exception says


class Member:
    """One process of a store, with what it prepared for the next measurement."""

    def __init__(self, adapter_name: str, address: str) -> None:
        self.adapter = adapter(adapter_name)
        self.address = address
        self.place = Place("", "")
        self.ready: Any = None
        self._store: Store | None = None
        self._keys: list[Any] = []

    @property
    def store(self) -> Store:
        assert self._store is not None, "not opened"
        return self._store

    def open(self, place: Place, create: bool) -> None:
        """Begin to use the store."""
        self.place = place
        self._store = self.adapter(place, create)

    def close(self, last: bool) -> None:
        """Let go of it."""
        if self._store is not None:
            self._store.close(last)
        self._store = None

    def keys(self, count: int) -> Sequence[Any]:
        """The first keys, as the store takes them; the value of each is at first its number."""
        if len(self._keys) < count:
            self._keys = [self.store.key(f"key{number}") for number in range(count)]
        return self._keys[:count]


def open_store(member: Member, place: dict[str, Any], create: bool, fill: int) -> None:
    """Create it with so many keys, or join it."""
    member.open(Place(**place), create)
    if create and fill:
        member.store.fill(list(zip(member.keys(fill), range(fill))))


def close_store(member: Member, last: bool) -> None:
    """Leave."""
    member.close(last)


def pin(member: Member, cpus: list[int]) -> None:
    """Run on these processors from now on."""
    os.sched_setaffinity(0, cpus)


def cpu_seconds(member: Member, seconds: float) -> float:
    """Processor time of this process while it does nothing for some time."""
    before = time.process_time()
    time.sleep(seconds)
    return time.process_time() - before


def fork(member: Member) -> int:
    """One more process, with the store and its lock as this one has them."""
    process = multiprocessing.get_context("fork").Process(target=serve_forked, args=(member,))
    process.start()
    return process.pid or 0


def serve_forked(member: Member) -> None:
    """What that process does."""
    die_with_parent()
    serve(member)


def called(member: Member, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to one line."""
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(message["module"]), message["function"])
        return {"value": function(member, **message["arguments"])}
    except WrongAnswer as error:
        return {"wrong": str(error)}
    except Exception as error:
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {error}".split("\n")[0][:TEXT_MAX]}


def serve(member: Member) -> None:
    """Answer until the suite closes the connection, then go without cleaning up: that was told before, if wanted."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(member.address)
    with connection, connection.makefile("rw") as lines:
        lines.write(json.dumps({"pid": os.getpid()}) + "\n")
        lines.flush()
        for line in lines:
            lines.write(json.dumps(called(member, json.loads(line))) + "\n")
            lines.flush()
    os._exit(0)
