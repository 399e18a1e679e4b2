# SPDX-License-Identifier: Apache-2.0
"""Forked workers use the handle they inherit: four of them count to 4,000 together.

After the fork each child is a participant of its own: it takes the lock for itself, and its end leaves the dict alone.
"""

import multiprocessing

from UltraDict import UltraDict

WORKERS = 4
STEPS = 1_000


def count(shared: UltraDict[str, int]) -> None:
    """A worker: read, add one and write, with nobody in between."""
    for _ in range(STEPS):
        with shared.lock:
            shared["count"] += 1


def main() -> None:
    """Fork, wait, look."""
    context = multiprocessing.get_context("fork")
    shared: UltraDict[str, int] = UltraDict(count=0)
    with shared:
        workers = [context.Process(target=count, args=(shared,)) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print(f"{WORKERS} workers counted to {shared['count']}")


if __name__ == "__main__":
    main()
