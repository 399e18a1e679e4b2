# SPDX-License-Identifier: Apache-2.0
"""The other process of a test: started anew, it hashes strings in its own way, does what it is told and answers."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any


def _serve(pipe: Connection) -> None:
    with contextlib.suppress(EOFError):
        while (told := pipe.recv()) is not None:
            function, arguments = told
            try:
                answer = True, function(*arguments)
            except Exception as error:
                answer = False, f"{type(error).__name__}: {error}"
            pipe.send(answer)


@contextlib.contextmanager
def _another_hash_seed() -> Iterator[None]:
    """PYTHONHASHSEED for a process that starts now: not the one of this process, whatever that is."""
    mine = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = "4711" if mine != "4711" else "4712"
    try:
        yield
    finally:
        if mine is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = mine


class Peer:
    """Calls functions of modules; what they are given and what they answer is pickled."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=_serve, args=(there,))
        with _another_hash_seed():
            self.process.start()
        there.close()
        assert self(hash, "text") != hash("text")

    def __call__(self, function: Callable[..., Any], *arguments: Any) -> Any:
        self.pipe.send((function, arguments))
        try:
            done, answer = self.pipe.recv()
        except EOFError:
            self.process.join(30)
            raise AssertionError(f"{function} ended its process: exit code {self.process.exitcode}") from None
        assert done, answer
        return answer

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send(None)
        self.process.join(30)
        self.pipe.close()
        assert self.process.exitcode == 0, f"the other process ended with {self.process.exitcode}"
