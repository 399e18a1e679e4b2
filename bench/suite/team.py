# SPDX-License-Identifier: Apache-2.0
"""The processes that use one store, as the suite sees them: started, told what to do, and gone at the end.

The first one creates the store. Further ones are started anew and find it by name or, where the lock of a store reaches
no others, are forked by the first.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from stores import adapter
from stores.base import Place

from suite import member as told

WORKER = Path(__file__).resolve().parent.parent / "worker.py"
START_SECONDS = 60.0
SOON_SECONDS = 0.02  # until all have heard that it begins


class Faulty(Exception):
    """A process answered wrongly, failed or did not answer: the kind and the words."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Voice:
    """The connection to one process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rw")
        self.pid: int = self._next(START_SECONDS)["pid"]

    def _next(self, seconds: float) -> dict[str, Any]:
        self._connection.settimeout(seconds)
        try:
            line = self._lines.readline()
        except OSError:  # also of one that did not answer before
            raise Faulty("failed", f"no answer within {seconds:.0f} seconds") from None
        if not line:
            raise Faulty("failed", "the process ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def tell(self, function: Callable[..., Any], **arguments: Any) -> None:
        """Let the process call a function of these sources, with itself as first argument."""
        message = {"module": function.__module__, "function": function.__name__, "arguments": arguments}
        try:
            self._lines.write(json.dumps(message) + "\n")
            self._lines.flush()
        except OSError as error:
            raise Faulty("failed", f"the process is gone: {error}") from None

    def answer(self, seconds: float) -> Any:
        """What the function returned."""
        answer = self._next(seconds)
        for kind in ("wrong", "failed"):
            if kind in answer:
                raise Faulty(kind, answer[kind])
        return answer["value"]

    def close(self) -> None:
        self._lines.close()
        self._connection.close()


@dataclass(frozen=True)
class Setting:
    """What a team needs to begin."""

    name: str  # of the store
    python: str
    place: Place
    fill: int
    patience: float  # seconds for one answer, beside what it was told to take


class Team:
    """All processes of one store; used as `with`."""

    def __init__(self, setting: Setting, server_pid: int | None = None) -> None:
        self.setting = setting
        self.adapter = adapter(setting.name)
        self.server_pid = server_pid
        self._voices: list[Voice] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._address = str(Path(setting.place.directory, f"{setting.place.name}.socket"))
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._address)
        self._listener.listen()
        self._listener.settimeout(START_SECONDS)

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._voices:
                self._leave()
        finally:
            self._end()

    @property
    def count(self) -> int:
        """Keys that the store held in the beginning."""
        return self.setting.fill

    def voices(self, count: int) -> Sequence[Voice]:
        """So many processes that use the store, each on a processor of its own if there are enough."""
        while len(self._voices) < count:
            self._join()
        cpus = sorted(os.sched_getaffinity(0))
        for index, voice in enumerate(self._voices[:count]):
            voice.tell(told.pin, cpus=[cpus[index]] if count <= len(cpus) else cpus)
        for voice in self._voices[:count]:
            voice.answer(self.setting.patience)
        return self._voices[:count]

    def _join(self) -> None:
        first = not self._voices
        if self.adapter.forked and not first:
            voice = self.forked()
        else:
            voice = self.stranger()
            voice.tell(told.open_store, place=asdict(self.setting.place), create=first, fill=self.setting.fill)
            voice.answer(self.setting.patience * (4 if first else 1))
        self._voices.append(voice)

    def forked(self) -> Voice:
        """A process that the first one has just forked, with the store as that has it."""
        self._voices[0].tell(told.fork)
        voice = self._accept()
        self._voices[0].answer(self.setting.patience)
        return voice

    def stranger(self) -> Voice:
        """A process that was started and has not opened the store yet."""
        command = [self.setting.python, str(WORKER), self.setting.name, self._address]
        with Path(self.setting.place.directory, "log").open("ab") as log:
            self._processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self._accept()

    def _accept(self) -> Voice:
        try:
            return Voice(self._listener.accept()[0])
        except TimeoutError:
            raise Faulty("failed", "a process did not start") from None

    def call(self, function: Callable[..., Any], **arguments: Any) -> Any:
        """What the first process returns."""
        (voice,) = self.voices(1)
        voice.tell(function, **arguments)
        return voice.answer(self.setting.patience)

    def all_call(self, count: int, function: Callable[..., Any], **arguments: Any) -> list[Any]:
        """What so many processes return; each is told its index and their number."""
        voices = self.voices(count)
        for index, voice in enumerate(voices):
            voice.tell(function, index=index, count=count, **arguments)
        return [voice.answer(self.setting.patience) for voice in voices]

    def together(self, count: int, function: Callable[..., Any], seconds: float, **arguments: Any) -> list[Any]:
        """The same, at one moment: each waits for it."""
        voices = self.voices(count)
        start = time.monotonic() + SOON_SECONDS * (1 + count // 4)
        for voice in voices:
            voice.tell(function, start=start, seconds=seconds, **arguments)
        return [voice.answer(self.setting.patience + seconds) for voice in voices]

    def _leave(self) -> None:
        for voice in self._voices[:0:-1]:
            voice.tell(told.close_store, last=False)
            voice.answer(self.setting.patience)
        self._voices[0].tell(told.close_store, last=True)
        self._voices[0].answer(self.setting.patience)

    def _end(self) -> None:
        for voice in self._voices:
            voice.close()
        self._listener.close()
        for process in self._processes:
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
