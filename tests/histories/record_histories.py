# SPDX-License-Identifier: Apache-2.0
"""record_histories.py <count> <seed>: that many histories on standard output, through the Python package, as README.md
and history.h say: some processes work on a few keys of a new dict; in every second history some are killed."""

from __future__ import annotations

import logging
import mmap
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from dict_actor import Actor, keys, make_noise, operations

from UltraDict import UltraDict

operation_count = 1000
lines_max = 9  # of the threads, and one of who reads all at the end
child_seconds_max = 100

# A note is some words of memory that survives its writer.
operation_word, key_word, argument_word, called_word, answer_word, returned_word, settled_word = range(7)
note_size = 8
head_size = 2  # how many notes were begun; whether the thread is there
line_size = head_size + operation_count * note_size

value_step = 10_000  # values are far apart, so that incremented ones are like no other


def wait_for(condition: Callable[[], bool]) -> None:
    while not condition():
        os.sched_yield()


class Line:
    """The operations of one thread, one after the other; a killed thread's line is gone on with by another one."""

    def __init__(self, words: memoryview, number: int, length: int) -> None:
        self.words = words[number * line_size : (number + 1) * line_size]
        self.number = number
        self.length = length

    @property
    def begun(self) -> int:
        return int(self.words[0])

    def note(self, index: int) -> memoryview:
        first = head_size + index * note_size
        return self.words[first : first + note_size]

    def arrive(self) -> None:
        self.words[1] = 1

    def has_arrived(self) -> bool:
        return self.words[1] != 0

    def is_in_call(self) -> bool:
        return self.begun != 0 and self.note(self.begun - 1)[returned_word] == 0

    def is_full(self) -> bool:
        return self.begun == self.length and not self.is_in_call()

    def perform(self, actor: Actor, operation: int, key: int) -> None:
        note = self.note(self.begun)
        argument = value_step * (1 + self.number * operation_count + self.begun)
        note[operation_word], note[key_word], note[argument_word] = operation, key, argument
        note[called_word] = time.monotonic_ns()
        self.words[0] += 1
        note[answer_word] = actor.act(operations[operation], key, argument)
        note[returned_word] = time.monotonic_ns()

    def settle(self) -> None:
        """The thread is dead, and whoever came after it has put the dict in order."""
        if self.is_in_call():
            note = self.note(self.begun - 1)
            note[settled_word] = 1
            note[returned_word] = time.monotonic_ns()

    def records(self) -> Iterator[str]:
        for index in range(self.begun):
            note = self.note(index)
            operation = operations[note[operation_word]]
            key = "*" if operation == "clear" else note[key_word]
            answer = "?" if note[settled_word] else note[answer_word]
            times = f"{note[called_word]} {note[returned_word]}"
            yield f"{self.number} {key} {operation} {note[argument_word]} {times} {answer}"


class History:
    """One dict, the processes that work on it, and what they did."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = rng = random.Random(seed)
        self.process_count = rng.randint(2, 4)
        self.threads_each = rng.choice([1, 1, 2])
        self.keys = rng.sample(range(len(keys)), rng.randint(3, 6))
        self.kill_count = 0 if seed % 2 == 0 else rng.randint(3, 8)
        self.is_nested = rng.randrange(4) == 0
        self.clears = not self.is_nested and rng.randrange(3) == 0
        self.cache_bytes = rng.choice([0, 20_000, 100_000_000, 100_000_000])
        self.killed = 0
        self.all_well = True
        self.pids: list[int] = []
        self.words = memoryview(mmap.mmap(-1, 8 * (1 + lines_max * line_size))).cast("q")
        threads = self.process_count * self.threads_each
        lengths = [operation_count // threads + (number < operation_count % threads) for number in range(threads)]
        self.lines = [Line(self.words[1:], number, length) for number, length in enumerate([*lengths, len(self.keys)])]
        self.root: UltraDict[Any, Any] = UltraDict(recurse=self.is_nested)
        if self.is_nested:
            self.root["nested"] = {}
        self.target = self.root["nested"] if self.is_nested else self.root

    # --- in a worker ---

    def begin(self, process: int) -> int:
        seed = self.random.randrange(1 << 30)
        pid = os.fork()
        if pid != 0:
            return pid
        signal.alarm(child_seconds_max)
        status = 1
        try:
            self.work(process, seed)
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)

    def work(self, process: int, seed: int) -> None:
        """One process in two uses the handles that it inherits, the other one its own."""
        if seed % 2 == 0:
            self.root = UltraDict.open(self.root.name, create=False, cache_bytes=self.cache_bytes)
            self.target = self.root["nested"] if self.is_nested else self.root
        if process == self.process_count:
            return make_noise(self.target if seed % 4 < 2 else self.root, seed, lambda: self.words[0] != 0)
        threads = [
            threading.Thread(target=self.fill, args=(line, seed + line.number)) for line in self.lines_of(process)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return None

    def fill(self, line: Line, seed: int) -> None:
        rng = random.Random(seed)
        actor = Actor(self.target, seed)
        line.arrive()
        wait_for(lambda: all(map(Line.has_arrived, self.lines[:-1])))
        for _ in range(line.begun, line.length):
            line.perform(actor, self.choose_operation(rng), rng.choice(self.keys))
            if rng.randrange(16) == 0:
                os.sched_yield()

    def choose_operation(self, rng: random.Random) -> int:
        if self.clears and rng.randrange(80) == 0:
            return operations.index("clear")
        return rng.choice([0, 0, 0, 0, 1, 2, 2, 3, 4, 5, 6])

    # --- in the one that watches ---

    def lines_of(self, process: int) -> list[Line]:
        first = process * self.threads_each
        return self.lines[first : first + self.threads_each] if process < self.process_count else []

    def done_count(self) -> int:
        return sum(line.begun for line in self.lines)

    def is_done(self, process: int) -> bool:
        return process < self.process_count and all(line.is_full() for line in self.lines_of(process))

    def is_in_call(self, process: int) -> bool:
        return any(map(Line.is_in_call, self.lines_of(process)))

    def is_running(self, process: int) -> bool:
        return os.waitid(os.P_PID, self.pids[process], os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def all_live(self) -> bool:
        return all(self.is_running(process) or self.is_done(process) for process in range(self.process_count + 1))

    def run(self) -> bool:
        """Whether all processes ended as they should."""
        self.pids = [self.begin(process) for process in range(self.process_count + 1)]
        while self.done_count() < operation_count and self.all_live():
            if self.done_count() > (self.killed + 1) * operation_count // (self.kill_count + 1):
                self.kill_one()
            os.sched_yield()
        ended = [os.waitpid(pid, 0)[1] for pid in self.pids[:-1]]
        self.words[0] = 1
        ended.append(os.waitpid(self.pids[-1], 0)[1])
        actor = Actor(self.target, self.seed)
        for key in self.keys:
            self.lines[-1].perform(actor, operations.index("get"), key)
        return self.all_well and not any(ended)

    def kill_one(self) -> None:
        """In the middle of an operation; in one case of three, the one that makes the noise."""
        working = [process for process in range(self.process_count) if not self.is_done(process)]
        noise = self.process_count
        victim = noise if not working or self.random.randrange(3) == 0 else self.random.choice(working)
        wait_for(lambda: victim == noise or not self.is_running(victim) or self.is_in_call(victim))
        end = time.monotonic_ns() + self.random.randrange(20_000)
        wait_for(lambda: time.monotonic_ns() >= end)
        os.kill(self.pids[victim], signal.SIGKILL)
        status = os.waitpid(self.pids[victim], 0)[1]
        self.all_well = self.all_well and status in (0, signal.SIGKILL)
        self.killed += 1
        with self.root.lock:
            pass
        for line in self.lines_of(victim):
            line.settle()
        self.pids[victim] = self.begin(victim)

    def write(self) -> None:
        print(f"history python-{self.seed} killed {self.killed}")
        for line in self.lines:
            for record in line.records():
                print(record)
        print("end", flush=True)


def main(count: int, seed: int) -> int:
    logging.disable(logging.WARNING)  # that killed processes held the lock is no news here
    for number in range(count):
        history = History(seed * 1_000_000 + number)
        with history.root:
            all_well = history.run()
            history.write()
        if not all_well:
            print(f"history {number} of seed {seed} went wrong", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
