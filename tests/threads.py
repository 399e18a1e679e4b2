# SPDX-License-Identifier: Apache-2.0
"""Threads of this process: what one answers, and, seen from outside, whether it waits for the lock of a dict."""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FUTEX_CALL = {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")
FUTEX_PRIVATE = 128


def in_thread(work: Callable[[], Any]) -> Any:
    """What `work` answers, or raises, in a thread that has ended."""
    answers: list[Any] = []

    def run() -> None:
        try:
            answers.append(work())
        except Exception as error:
            answers.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return answers[0]


def waits_for_a_lock_of_processes(thread: int) -> bool:
    """Whether the kernel has the thread asleep in a futex that processes share; those of CPython are private."""
    if not FUTEX_CALL:
        pytest.skip("the number of the futex call is not known here")
    call = Path(f"/proc/self/task/{thread}/syscall").read_text().split()
    return call[0] == FUTEX_CALL and int(call[2], 16) & FUTEX_PRIVATE == 0


def until_it_waits(thread: threading.Thread) -> None:
    assert thread.native_id is not None
    while not waits_for_a_lock_of_processes(thread.native_id):
        pass
