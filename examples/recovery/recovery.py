# SPDX-License-Identifier: Apache-2.0
"""One of several workers is killed while it holds the lock. The others go on, and the count is right.

    recovery.py            nothing to do: a dead holder is noticed and replaced
    recovery.py by_hand    as programs do that were written for UltraDict 0.0.6: they watch who blocks them, and ask for
                           the lock of a holder that is dead. acquire() has taken it by then

A living holder is never robbed: then steal() does nothing and returns False.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time

from UltraDict import SharedLock, UltraDict

WORKERS = 4
STEPS = 300
PATIENCE_S = 0.05


def take(lock: SharedLock) -> None:
    """Wait as long as it takes."""
    lock.acquire()


def take_by_hand(lock: SharedLock) -> None:
    """Try, and ask after the holder now and then."""
    since = time.monotonic()
    while True:
        try:
            lock.acquire(block=False)
            return
        except UltraDict.Exceptions.CannotAcquireLock as error:
            if time.monotonic() - since > PATIENCE_S:
                if lock.steal(from_pid=error.blocking_pid):
                    return
                since = time.monotonic()
        time.sleep(0.001)


def count(shared: UltraDict[str, int], is_victim: bool, by_hand: bool) -> None:
    """A worker. The victim is killed half-way, with the lock in its hands."""
    for step in range(STEPS):
        (take_by_hand if by_hand else take)(shared.lock)
        shared["count"] += 1
        if is_victim and step == STEPS // 2:
            os.kill(os.getpid(), signal.SIGKILL)
        shared.lock.release()


def main(by_hand: bool) -> None:
    """Start, wait, look."""
    context = multiprocessing.get_context("spawn")
    with UltraDict({"count": 0}, shared_lock=True) as shared:
        workers = [context.Process(target=count, args=(shared, number == 0, by_hand)) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        killed = sum(worker.exitcode == -signal.SIGKILL for worker in workers)
        with shared.lock:  # if the victim was the last, nobody has noticed yet
            print(f"{killed} of {WORKERS} was killed; they counted to {shared['count']}")


if __name__ == "__main__":
    main(by_hand=sys.argv[1:] == ["by_hand"])
