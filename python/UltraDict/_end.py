# SPDX-License-Identifier: Apache-2.0
"""The end of a process: what it has open is left, also where multiprocessing ends a child without the interpreter."""

from __future__ import annotations

import atexit
import os
import sys

from ._core import after_fork_in_child, interpreter_ends, leave_all

_knows_multiprocessing = False


def prepare() -> None:
    """Children that multiprocessing forks end without the interpreter: its own list of last things must know of us."""
    global _knows_multiprocessing  # noqa: PLW0603
    util = sys.modules.get("multiprocessing.util")
    if util is None or _knows_multiprocessing:
        return
    _knows_multiprocessing = True
    util.register_after_fork(_leave_last, _leave_last)
    if sys.modules["multiprocessing.process"].parent_process() is not None:
        _leave_last()


def _leave_last(_: object = None) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, leave_all, exitpriority=-1000)


os.register_at_fork(after_in_child=prepare)
os.register_at_fork(after_in_child=after_fork_in_child)
atexit.register(interpreter_ends)
