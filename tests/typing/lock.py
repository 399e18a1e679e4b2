# SPDX-License-Identifier: Apache-2.0
"""The lock: both orders of acquire's parameters, calls for one acquisition, diagnosis."""

from __future__ import annotations

from claims import assert_type

from UltraDict import SharedLock, UltraDict


def entered(lock: SharedLock) -> None:
    with lock as taken:
        assert_type(taken, SharedLock)
    with lock(timeout=1.0, sleep_time=0) as taken:
        assert_type(taken, SharedLock)
    with lock(False, 1.0, 0.001, True), lock(steal_after_timeout=True), lock(steal=True):
        assert_type(lock.has_lock, bool)


def acquired(lock: SharedLock) -> None:
    assert_type(lock.acquire(), bool)
    assert_type(lock.acquire(False), bool)
    assert_type(lock.acquire(block=True, timeout=None, sleep_time=0.001, steal_after_timeout=False), bool)
    assert_type(lock.acquire(timeout=2, steal=True), bool)
    for _ in range(4):
        assert_type(lock.release(), bool)


def acquired_in_order(lock: SharedLock) -> None:
    assert_type(lock.acquire(True, None, 0.001, False), bool)
    assert_type(lock.release(), bool)


def acquired_in_the_order_of_a_shared_lock(lock: SharedLock) -> None:
    assert_type(lock.acquire(True, 0.001, None, False), bool)
    assert_type(lock.release(), bool)


def diagnosed(lock: SharedLock) -> None:
    assert_type(lock.pid, int)
    assert_type(lock.get_remote_pid(), int)
    assert_type(lock.get_remote_lock(), int)
    assert_type(lock.status(), dict[str, int])
    assert_type(lock.print_status(), None)
    assert_type(lock.print_status(lock.status()), None)


def freed(lock: SharedLock) -> None:
    assert_type(lock.steal(), bool)
    assert_type(lock.steal(from_pid=1, release=True), bool)
    assert_type(lock.acquire_with_timeout(timeout=0.5), bool)
    assert_type(lock.steal_from_dead(1, False), bool)
    assert_type(lock.reset(), None)


if __name__ == "__main__":
    with UltraDict(a=1) as plain, UltraDict(a=1, shared_lock=True) as shared:
        for use in (entered, acquired, diagnosed, freed):
            use(plain.lock)
            use(shared.lock)
        acquired_in_order(plain.lock)
        acquired_in_the_order_of_a_shared_lock(shared.lock)
