# SPDX-License-Identifier: Apache-2.0
"""Programs in interpreters of their own, which keep step with a test by lines: nobody sleeps, nobody polls a clock."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType

PREAMBLE = """
import atexit, gc, multiprocessing, os, signal, sys, threading
def say(*words): print(*words, flush=True)
def wait(): sys.stdin.readline()
"""


def run(
    program: str, *arguments: str, options: Sequence[str] = ("-X", "dev"), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. `-X dev` shows warnings of resources that were not given back."""
    command = [sys.executable, *options, "-c", PREAMBLE + program, *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)


class Program:
    """A program that runs beside the test. It says lines by say() and waits for go_on() by wait()."""

    def __init__(self, program: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", PREAMBLE + program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        """Its next line; the reason if it ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the program ended: {self.process.communicate()[1]}")
        return line.rstrip("\n")

    def go_on(self) -> None:
        """Let the program return from wait()."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self, signal: int | None = None) -> tuple[int, str]:
        """Its exit status and what it wrote to stderr, after a signal if one is given."""
        if signal is not None:
            self.process.send_signal(signal)
        stderr = self.process.communicate(timeout=120)[1]
        return self.process.returncode, stderr

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.communicate()
