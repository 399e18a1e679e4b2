# SPDX-License-Identifier: Apache-2.0
"""Four processes count every identifier of the Python standard library into one UltraDict; one of them is killed.

Run it with `make demo`. The workers are spawned, so nothing but the dict connects them. Half-way one of them is killed
(SIGKILL) while it holds the lock of the dict; it is replaced, and the others never notice. At the end the same files
are counted once more in one process, and the two results must be identical. shared_count.py says why they are.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from identifiers import count_file, standard_library_files
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from shared_count import Totals, identifier_counts, prepare, totals, work

from UltraDict import UltraDict

WORKER_COUNT = 4
DOOMED_WORKER = 2
REPLACEMENTS_MAX = 3
POLL_SECONDS = 0.05

spawn = multiprocessing.get_context("spawn")
console = Console(highlight=False)


def say(text: str, style: str = "") -> None:
    """A line above the progress bar, in one piece however narrow the terminal is."""
    console.print(text, style=style, soft_wrap=True)


class Team:
    """The worker processes: starts them, replaces those that died, stops them all at the end."""

    def __init__(self, shared: UltraDict[Any, Any], will: Connection) -> None:
        self.shared = shared
        self.replacements = 0
        self.workers = [
            self.start(number, will if number == DOOMED_WORKER else None) for number in range(1, WORKER_COUNT + 1)
        ]

    def start(self, number: int, will: Connection | None = None) -> multiprocessing.process.BaseProcess:
        """Spawn the worker with this number; it reaches the dict through its pickled handle, that is by name."""
        process = spawn.Process(target=work, args=(self.shared, number, will), name=f"worker {number}", daemon=True)
        process.start()
        return process

    def working(self) -> bool:
        """Replace who died before the work was done; False when all have finished."""
        for index, process in enumerate(self.workers):
            if process.exitcode not in (None, 0):
                self.replace(index)
        return any(process.exitcode is None for process in self.workers)

    def replace(self, index: int) -> None:
        """A new process with the same number goes on with the claim that the dead one left."""
        self.replacements += 1
        if self.replacements > REPLACEMENTS_MAX:
            raise SystemExit(f"{self.workers[index].name} died again: giving up")
        self.workers[index] = self.start(index + 1)
        say(f"{self.workers[index].name} replaced by process {self.workers[index].pid}")

    def stop(self) -> None:
        """Leave no process behind, whatever happened."""
        for process in self.workers:
            if process.is_alive():
                process.kill()
            process.join()


def lock_holder(shared: UltraDict[Any, Any]) -> int | None:
    """The process that holds the lock now, None if nobody does."""
    try:
        with shared.lock(block=False):
            return None
    except UltraDict.Exceptions.CannotAcquireLock as error:
        return int(error.blocking_pid)


def kill_the_holder(shared: UltraDict[Any, Any], process: multiprocessing.process.BaseProcess) -> None:
    """SIGKILL to a worker that holds the lock, and proof that it did and that the others go on."""
    holder = lock_holder(shared)
    if holder is None or holder != process.pid:
        raise SystemExit(f"{process.name} (process {process.pid}) should hold the lock, but {holder} does")
    os.kill(holder, signal.SIGKILL)
    killed = time.perf_counter()
    with shared.lock(timeout=10):
        waited_ms = (time.perf_counter() - killed) * 1000
    process.join()
    say(
        f"{process.name} (process {process.pid}) killed while it held the lock; "
        f"the lock was free for others after {waited_ms:.0f} ms"
    )


@contextmanager
def progress_bar(file_count: int) -> Iterator[Progress]:
    """A live bar on a terminal; elsewhere the last state only, and a line at every quarter (see show)."""
    columns = (TextColumn("counting"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[note]}"), console=console) as progress:
        progress.add_task("files", total=file_count, note="")
        yield progress


def show(progress: Progress, done: Totals) -> None:
    """What the dict says, on the bar; without a terminal as lines, one a quarter."""
    task = progress.tasks[0]
    quarter, quarter_before = (int(4 * files / (task.total or 1)) for files in (done.files, task.completed))
    if quarter > quarter_before and not console.is_terminal:
        say(f"{done.files} files, {done.tokens:,} tokens, {done.updates:,} updates")
    progress.update(task.id, completed=done.files, note=f"{done.tokens:,} tokens  {done.updates:,} updates")


def count_together(shared: UltraDict[Any, Any], file_count: int) -> float:
    """Let the team count everything, killing one of them half-way; answers the seconds it took."""
    started = time.perf_counter()
    confession, will = spawn.Pipe(duplex=False)
    team = Team(shared, will)
    killed = False
    try:
        with progress_bar(file_count) as progress:
            while team.working():
                if not killed and confession.poll():
                    killed = True
                    kill_the_holder(shared, team.workers[DOOMED_WORKER - 1])
                show(progress, totals(shared))
                time.sleep(POLL_SECONDS)
            show(progress, totals(shared))
    finally:
        team.stop()
    if not killed:
        raise SystemExit("no worker died: the demo has not shown what it is to show")
    return time.perf_counter() - started


class Reference(NamedTuple):
    """The same count, computed in one process without any UltraDict."""

    identifiers: Counter[str]
    tokens: int
    seconds: float


def count_alone(paths: list[str]) -> Reference:
    """collections.Counter over the same files, one after the other."""
    started = time.perf_counter()
    identifiers: Counter[str] = Counter()
    tokens = 0
    for path in paths:
        counted = count_file(path)
        identifiers.update(counted.identifiers)
        tokens += counted.tokens
    return Reference(identifiers, tokens, time.perf_counter() - started)


def report(done: Totals, counts: dict[str, int], seconds: float) -> None:
    """The figures of the run, and the most frequent identifiers."""
    rows = {
        "files": f"{done.files:,} ({done.incomplete_files} of them up to a syntax error)",
        "tokens": f"{done.tokens:,}",
        "distinct identifiers": f"{len(counts):,}",
        "updates": f"{done.updates:,}",
        "updates per second": f"{done.updates / seconds:,.0f} (tokenizing included)",
        "time": f"{seconds:.1f} s, of which one worker spent {done.write_ns / WORKER_COUNT / 1e9:.1f} s in the dict",
    }
    for name, value in rows.items():
        say(f"{name:>22}  {value}")
    say("top ten:")
    for name, count in Counter(counts).most_common(10):
        say(f"{name:>22}  {count:,}")


def differences(counts: dict[str, int], reference: Reference, done: Totals, file_count: int) -> list[str]:
    """Everything in which the shared result is not the reference, in words."""
    found = [
        f"{name}: {counts.get(name, 0)} in the dict, {reference.identifiers[name]} in one process"
        for name in sorted(counts.keys() | reference.identifiers.keys())
        if counts.get(name) != reference.identifiers.get(name)
    ]
    if (done.files, done.tokens) != (file_count, reference.tokens):
        found.append(f"{done.files} files and {done.tokens} tokens, not {file_count} and {reference.tokens}")
    return found


def main() -> int:
    """Count together, count alone, compare: 0 if the results are identical."""
    paths = standard_library_files()
    say(
        f"{WORKER_COUNT} processes count the identifiers of {len(paths):,} files of the standard library "
        f"(Python {platform.python_version()}) into one UltraDict"
    )
    shared: UltraDict[Any, Any] = UltraDict()
    with shared:
        prepare(shared, paths)
        seconds = count_together(shared, len(paths))
        done, counts = totals(shared), identifier_counts(shared)
    report(done, counts, seconds)
    reference = count_alone(paths)
    wrong = differences(counts, reference, done, len(paths))
    for line in wrong[:20]:
        say(f"WRONG  {line}", style="bold red")
    if not wrong:
        say(f"counted once more by collections.Counter in one process: {reference.seconds:.1f} s")
        say(f"verified: {len(counts):,} counts identical", style="bold green")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
