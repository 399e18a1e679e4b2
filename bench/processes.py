# SPDX-License-Identifier: Apache-2.0
"""Work in processes of its own, and how much memory processes use, as the kernel counts it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
DEADLINE_SECONDS = 300


def in_new_process(function: Callable[..., T], *arguments: Any) -> T:
    """What a function returns in a spawned process: nothing that happened here before is in its memory."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, function, arguments))
    process.start()
    sender.close()
    answer: T = received(receiver, process)
    process.join()
    return answer


def _answer(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    sender.send(function(*arguments))


def received(receiver: Connection, process: Any) -> Any:
    """What a process sends next; one that says nothing for minutes is killed, and EOFError raised here."""
    if not receiver.poll(DEADLINE_SECONDS):
        process.kill()
    return receiver.recv()


def rss_anon(pid: int | str = "self") -> int:
    """Bytes of a process that are its own and no file's: heap, stack, and what it wrote to after a fork."""
    return _bytes_of(Path(f"/proc/{pid}/status"), "RssAnon:")


def pss(pids: Iterable[int]) -> int:
    """Bytes of these processes together, each page that several of them map divided among those who do."""
    return sum(_bytes_of(Path(f"/proc/{pid}/smaps_rollup"), "Pss:") for pid in pids)


def _bytes_of(file: Path, name: str) -> int:
    found = (line.split()[1] for line in file.read_text().splitlines() if line.startswith(name))
    return int(next(found)) * 1024
