# SPDX-License-Identifier: Apache-2.0
"""How often a fault is provoked, and in which processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from programs import run
from strategies import stressed

# A child that is stuck is ended by the kernel, and its test fails.
stuck_after_s = 120


def runs(few: int, many: int = 1000) -> range:
    """Many under `make stress`, a few in the ordinary suite; fewer of what starts a dozen programs each time."""
    return range(many if stressed else few)


def start(work: Callable[[], object]) -> int:
    """The process id of a forked child that does the work and ends by os._exit: 0, or 2 if it raised."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(stuck_after_s)
        try:
            work()
            os._exit(0)
        finally:
            os._exit(2)
    return pid


def end_of(pid: int) -> int:
    """The exit code of a child; that of a signal is negative."""
    status = os.waitpid(pid, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def sweep() -> None:
    """What killed processes left goes when the next one opens its first dict."""
    assert run("from UltraDict import UltraDict; UltraDict().close()").returncode == 0


class Step:
    """Something that one process waits for and another says: an end that is closed by a death counts, too."""

    def __init__(self) -> None:
        self.waits, self.says = os.pipe()

    def wait(self) -> bool:
        """Whether it was said; False if all who could say it are gone. The waiting process says nothing itself."""
        os.close(self.says)
        said = os.read(self.waits, 1)
        os.close(self.waits)
        return bool(said)

    def say(self) -> None:
        os.write(self.says, b".")
        self.drop()

    def drop(self) -> None:
        os.close(self.says)
        os.close(self.waits)
