# SPDX-License-Identifier: Apache-2.0
"""Several processes increment counters under the lock: the sums are exact."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest

from UltraDict import UltraDict

counting_program = """
import sys, threading
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
steps, threads = int(sys.argv[2]), int(sys.argv[3])
def count():
    for step in range(steps):
        with d.lock:
            d["sum"] += 1
        with d.lock(timeout=60):
            d["many", step % 7] = d.get(("many", step % 7), 0) + 1
print("ready", flush=True)
sys.stdin.readline()
workers = [threading.Thread(target=count) for _ in range(threads)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
"""


def start(name: str, steps: int, threads: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", counting_program, name, str(steps), str(threads)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(counters: list[subprocess.Popen[str]]) -> None:
    """All begin when all are ready; the test ends when they do."""
    for counter in counters:
        assert counter.stdout is not None
        assert counter.stdout.readline() == "ready\n"
    waiting = [threading.Thread(target=counter.communicate, args=("go\n",)) for counter in counters]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert [counter.returncode for counter in counters] == [0] * len(counters)


@pytest.mark.parametrize(("processes", "threads"), [(4, 1), (2, 3)])
def test_the_sum_is_exact(processes: int, threads: int) -> None:
    steps = 2000
    with UltraDict(sum=0) as d:
        finish([start(d.name, steps, threads) for _ in range(processes)])
        total = steps * processes * threads
        assert d["sum"] == total
        assert sum(d["many", number] for number in range(7)) == total


def test_nobody_sees_half_of_what_is_done_under_the_lock() -> None:
    program = (
        "import sys; from UltraDict import UltraDict; d = UltraDict(name=sys.argv[1], create=False)\n"
        "for step in range(3000):\n"
        "    with d.lock: d['a'] -= 1; d['b'] += 1\n"
    )
    with UltraDict(a=0, b=0) as d, subprocess.Popen([sys.executable, "-c", program, d.name]) as writer:
        sums: set[Any] = set()
        while writer.poll() is None:
            with d.lock:
                sums.add(d["a"] + d["b"])
        assert sums == {0}
        assert d == {"a": -3000, "b": 3000}
