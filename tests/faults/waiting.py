# SPDX-License-Identifier: Apache-2.0
"""Seen from outside: whether a thread of this process waits for the lock of a dict."""

from __future__ import annotations

import platform
import threading
from pathlib import Path

import pytest

FUTEX_CALL = {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")
FUTEX_PRIVATE = 128


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
