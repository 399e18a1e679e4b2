# SPDX-License-Identifier: Apache-2.0
"""Spawned workers get the handle as an argument: it arrives attached to the same dict, whatever is in it.

Each worker waits for nothing: it takes the numbers that no other has taken and writes the results beside them.
"""

from __future__ import annotations

import multiprocessing
from typing import Any

from UltraDict import UltraDict

WORKERS = 3
NUMBERS = 300


def take(shared: UltraDict[Any, int]) -> int | None:
    """The next number nobody has taken, None after the last one."""
    with shared.lock:
        number = shared["next"]
        shared["next"] = number + 1
    return number if number < NUMBERS else None


def square(shared: UltraDict[Any, int]) -> None:
    """A worker: squares until there is nothing left to take."""
    while (number := take(shared)) is not None:
        shared["square", number] = number**2


def main() -> None:
    """Spawn, wait, look."""
    context = multiprocessing.get_context("spawn")
    shared: UltraDict[Any, int] = UltraDict(next=0)
    with shared:
        workers = [context.Process(target=square, args=(shared,)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        squares = [shared["square", number] for number in range(NUMBERS)]
    print(f"{WORKERS} workers made {len(squares)} squares, the last is {squares[-1]}")


if __name__ == "__main__":
    main()
