# SPDX-License-Identifier: Apache-2.0
"""A fork server whose children write to one UltraDict until they are killed: `storm.py <kills> <seed>`.

Each writer notes in memory that survives it which operation it began and which one returned. When one is killed this
process takes the lock, as the next owner, and compares: all that returned is there, the operation under way wholly or
not at all; and so it stays, for the next comparison begins with what was found.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import random
import select
import signal
import subprocess
import sys
import time
from typing import Any

from UltraDict import UltraDict

writers_max = 8
Model = dict[Any, Any]

cold_program = """
import sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False, recurse=True)
d["cold"] = 1
assert len(list(d)) == len(d) == len(list(reversed(d)))
del d["cold"]
"""


class Notes:
    """Words that all processes share: of each writer what it began and what returned; of the counter the same."""

    def __init__(self) -> None:
        self.words = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
        self.count_begun = 2 * writers_max
        self.count_done = self.count_begun + 1

    def begun(self, writer: int) -> int:
        return self.words[2 * writer]

    def done(self, writer: int) -> int:
        return self.words[2 * writer + 1]

    def note_begun(self, writer: int, number: int) -> None:
        self.words[2 * writer] = number

    def note_done(self, writer: int, number: int) -> None:
        self.words[2 * writer + 1] = number


class Operation:
    """What a writer does by that number; the same in every process, and to a plain dict."""

    def __init__(self, seed: int, writer: int, number: int) -> None:
        rng = random.Random(seed * 1_000_003 + number * writers_max + writer)
        self.writer, self.number = writer, number
        self.kind = rng.choice(["put"] * 8 + ["several", "several", "pop", "pop", "nest", "large", "default", "count"])
        self.at = rng.randrange(10)
        self.size = rng.randrange(300)

    def key(self, offset: int = 0) -> Any:
        return (self.writer, (self.at + offset) % 10)

    def do(self, d: Any) -> None:
        number = self.number
        if self.kind == "put":
            d[self.key()] = [number, "x" * self.size]
        elif self.kind == "several":
            d.update({self.key(i): number for i in range(4)})
        elif self.kind == "pop":
            d.pop(self.key(), None)
        elif self.kind == "nest":
            d[self.writer, "nested"] = {"a": number, "b": {"c": number}}
        elif self.kind == "large":
            d[self.key()] = number.to_bytes(8, "little") * 5_000
        elif self.kind == "default":
            d.setdefault(self.key(), number)


def plain(value: Any) -> Any:
    """A value as a plain dict would hold it."""
    if isinstance(value, UltraDict):
        return {key: plain(inner) for key, inner in value.items()}
    return value if isinstance(value, (int, list)) else bytes(value)


def pass_time(seconds: float) -> None:
    """Until a random moment: there is nothing to wait for."""
    select.select([], [], [], seconds)


def kept_from_running() -> float:
    """How long this thread could have run but the kernel gave the processor to others; no code of ours shortens it."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except OSError:
        return 0.0


def increment(d: UltraDict[Any, Any], notes: Notes) -> None:
    words = notes.words
    with d.lock:
        settle_count(d, notes)
        words[notes.count_begun] = words[notes.count_done] + 1
        d["count"] = words[notes.count_begun]
        words[notes.count_done] = words[notes.count_begun]


def settle_count(d: UltraDict[Any, Any], notes: Notes) -> None:
    """Whoever was to increment it may have died before, between or after; two at once would be found out here."""
    count = d["count"]
    assert count in (notes.words[notes.count_begun], notes.words[notes.count_done]), "the count is wrong"
    notes.words[notes.count_begun] = notes.words[notes.count_done] = count


def write(d: UltraDict[Any, Any], notes: Notes, writer: int, seed: int) -> None:
    chance = random.Random(os.getpid())
    while True:
        holds = chance.random() < 0.2
        if holds:
            d.lock.acquire()
        for _ in range(chance.randrange(1, 5) if holds else 1):
            number = notes.begun(writer) + 1
            operation = Operation(seed, writer, number)
            notes.note_begun(writer, number)
            increment(d, notes) if operation.kind == "count" else operation.do(d)
            notes.note_done(writer, number)
        if holds:
            d.lock.release()


def run_first(pid: int) -> None:
    """Before the writers, where that is permitted: this process, and the killed one, that need not wait to die."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))


def run_as_writer() -> None:
    """Beside each other, but before other programs of this machine."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


class Storm:
    def __init__(self, d: UltraDict[Any, Any], seed: int) -> None:
        self.d, self.seed, self.rng = d, seed, random.Random(seed)
        self.notes = Notes()
        self.pids: dict[int, int] = {}
        self.began_with = [0] * writers_max
        self.models: list[Model] = [{} for _ in range(writers_max)]
        self.modelled = [0] * writers_max
        self.kills = self.holders = self.acknowledged = self.cold_attaches = 0
        self.waits: list[float] = []
        d["count"] = 0

    def start(self, writer: int) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                run_as_writer()
                write(self.d, self.notes, writer, self.seed)
            finally:
                os._exit(1)
        self.pids[writer] = pid
        self.began_with[writer] = self.notes.begun(writer)

    def choose(self) -> int:
        """Any, at a random moment; or the one that holds the lock at this moment, if one does soon."""
        if self.rng.random() < 0.4:
            for _ in range(500):
                holder = self.d.lock.get_remote_pid()
                for writer, pid in self.pids.items():
                    if pid == holder:
                        return writer
        pass_time(self.rng.random() * 0.002)
        return self.rng.choice(self.busy() or list(self.pids))

    def busy(self) -> list[int]:
        """Those that have done something, if there are some soon: else most would die before."""
        for _ in range(50):
            busy = [writer for writer in self.pids if self.notes.begun(writer) > self.began_with[writer] + 1]
            if busy:
                return busy
            pass_time(0.0002)
        return []

    def kill(self, writer: int) -> bool:
        """Whether it held the lock."""
        pid = self.pids.pop(writer)
        os.kill(pid, signal.SIGKILL)
        run_first(pid)
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status), "a writer ended by itself"
        self.kills += 1
        held = self.d.lock.get_remote_pid() == pid
        self.holders += held
        return held

    def take_over(self) -> None:
        kept, begin = kept_from_running(), time.perf_counter()
        with self.d.lock:
            self.waits.append(max(time.perf_counter() - begin - (kept_from_running() - kept), 0))

    def compare(self, writer: int) -> None:
        with self.d.lock:
            settle_count(self.d, self.notes)
            keys = [(writer, i) for i in range(10)] + [(writer, "nested")]
            found = {key: plain(self.d[key]) for key in keys if key in self.d}
        begun, done = self.notes.begun(writer), self.notes.done(writer)
        self.acknowledged += done - self.modelled[writer]
        model = self.models[writer]
        for number in range(self.modelled[writer] + 1, done + 1):
            Operation(self.seed, writer, number).do(model)
        if found != model:
            assert begun == done + 1, f"an acknowledged change is lost: {found} != {model}"
            Operation(self.seed, writer, begun).do(model)
            assert found == model, f"operation {begun} is half there: {found} != {model}"
        self.modelled[writer] = begun
        self.notes.note_done(writer, begun)

    def all_at_once(self) -> None:
        """And then a process attaches that never had it open."""
        writers = list(self.pids)
        for pid in self.pids.values():
            os.kill(pid, signal.SIGKILL)
        for writer in writers:
            self.kill(writer)
        subprocess.run([sys.executable, "-c", cold_program, self.d.name], check=True)
        self.cold_attaches += 1
        for writer in writers:
            self.compare(writer)
        assert len(list(self.d)) == len(self.d)
        for writer in writers:
            self.start(writer)

    def rage(self, writers: int, kills: int) -> None:
        for writer in range(writers):
            self.start(writer)
        for kill in range(kills):
            writer = self.choose()
            if self.kill(writer):
                self.take_over()
            self.compare(writer)
            self.start(writer)
            if kill % 200 == 0:
                self.all_at_once()
        for writer in list(self.pids):
            self.kill(writer)
            self.compare(writer)

    def report(self) -> str:
        waits = sorted(self.waits)
        p50, p99 = (1000 * waits[len(waits) * part // 100] for part in (50, 99))
        return (
            f"kill storm through Python: seed {self.seed}, {self.kills} kills, {self.holders} of lock holders "
            f"({100 * self.holders / self.kills:.1f} %), {self.acknowledged} changes acknowledged, 0 lost, "
            f"the next owner had the lock after: p50 {p50:.3f} ms, p99 {p99:.3f} ms, max {1000 * waits[-1]:.3f} ms; "
            f"{self.cold_attaches} cold attaches"
        )


def main(kills: int, seed: int) -> None:
    with UltraDict[Any, Any](recurse=True) as d:
        run_first(0)
        storm = Storm(d, seed)
        try:
            for writers in (2, 3, 5, 8):
                storm.rage(writers, kills // 4)
        except BaseException:
            print(f"seed {seed}, kill {storm.kills}", file=sys.stderr)
            for pid in storm.pids.values():
                os.kill(pid, signal.SIGKILL)
            raise
        print(storm.report())
        assert storm.holders * 10 >= storm.kills, "hardly any held the lock"
        # How late the latest is says as much about a crowded machine; the storm of the engine tells them apart.
        assert sorted(storm.waits)[len(storm.waits) // 2] <= 0.05, "the next owner waits too long"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
