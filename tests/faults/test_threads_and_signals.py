# SPDX-License-Identifier: Apache-2.0
"""Threads that end or meddle while a lock is held, and signals at every moment of a wait, a write and an allocation."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from repeating import Step, end_of, runs, start, sweep

from programs import Program, run
from threads import in_thread, waits_for_a_lock_of_processes
from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAcquireLock, CannotAcquireLockTimeout


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(n=0) as shared:
        yield shared


@contextmanager
def handled(number: int, handler: Any) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def held_by_a_child(d: UltraDict[Any, Any]) -> Iterator[Callable[[], None]]:
    """The lock is held by another process until the answered function is called, or this ends."""
    holds, enough = Step(), Step()

    def hold() -> None:
        with d.lock:
            holds.say()
            enough.wait()

    child = start(hold)
    assert holds.wait()
    left = [enough.drop]
    try:
        yield lambda: left.pop()()
    finally:
        while left:
            left.pop()()
        assert end_of(child) == 0


# ---- C5 ----


def test_c5_of_a_thread_that_ended_while_holding_others_hear_until_its_process_frees_it_or_ends() -> None:
    program = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
thread = threading.Thread(target=d.lock.acquire); thread.start(); thread.join()
say(not d.lock.has_lock and d.lock.release() is False and d["n"] == 0)
wait()
if sys.argv[2] == "reset": d.lock.reset(); say("free"); wait()
"""
    for end in ("reset", "exit") * len(runs(1, 500)):
        with UltraDict(n=0) as d, Program(program, d.name, end) as other:
            assert other.said() == "True"
            with pytest.raises(CannotAcquireLockTimeout, match=str(other.process.pid)):
                d.lock(timeout=0.03).__enter__()
            assert d["n"] == 0
            other.go_on()
            if end == "reset":
                assert other.said() == "free"
                assert d.lock.acquire(timeout=0)
                d.lock.release()
                other.go_on()
            assert other.end()[0] == 0
            with d.lock(timeout=60):
                d["n"] += 1


@pytest.mark.parametrize("shared_lock", [False, True])
@pytest.mark.parametrize(
    "take",
    [
        lambda lock: lock.reset(),
        lambda lock: lock.steal_from_dead(release=True) or pytest.fail("it was not taken"),
        lambda lock: lock.steal(release=True) or pytest.fail("it was not taken"),
        lambda lock: lock.acquire(timeout=60) and lock.release(),
        lambda lock: lock(timeout=60).__enter__() and lock.release(),
    ],
    ids=["reset", "steal_from_dead", "steal", "acquire", "with"],
)
def test_c5_a_thread_that_ended_while_holding_is_a_dead_holder_to_its_process(shared_lock: bool, take: Any) -> None:
    with UltraDict(n=0, shared_lock=shared_lock) as d:
        thread = threading.Thread(target=d.lock.acquire)
        thread.start()
        thread.join()
        assert not d.lock.has_lock
        take(d.lock)
        assert not d.lock.has_lock
        assert d.lock.get_remote_lock() == 0
        d["n"] += 1


# ---- C6 ----


def signalling_who_waits(number: int) -> threading.Thread:
    """Sends the main thread a signal, not before it is seen to wait for the lock of a dict."""
    main = threading.main_thread()
    assert main.ident is not None
    assert main.native_id is not None
    ident, native = main.ident, main.native_id

    def send() -> None:
        while not waits_for_a_lock_of_processes(native):
            os.sched_yield()
        signal.pthread_kill(ident, number)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "wait",
    [
        lambda d: d.__setitem__("x", 1),
        lambda d: d.update(x=1, y=2),
        lambda d: d.pop("n"),
        lambda d: d.setdefault("x", []),
        lambda d: d.clear(),
        lambda d: d.__setitem__("x", bytes(100_000)),
        lambda d: d.lock.acquire(),
        lambda d: d.lock(timeout=60).__enter__(),
    ],
)
def test_c6_ctrl_c_ends_a_wait_and_nothing_is_done(d: UltraDict[Any, Any], wait: Callable[[Any], Any]) -> None:
    with handled(signal.SIGINT, signal.default_int_handler):
        for _ in runs(2):
            with held_by_a_child(d):
                thread = signalling_who_waits(signal.SIGINT)
                with pytest.raises(KeyboardInterrupt):
                    wait(d)
                thread.join()
                assert not d.lock.has_lock
            with d.lock(timeout=60):
                assert d == {"n": 0}


# ---- C7 ----


def test_c7_a_handler_writes_to_the_dict_that_is_being_written(d: UltraDict[Any, Any]) -> None:
    """The lock is re-entrant: the handler runs between the steps of Python code, never inside the engine."""
    heard = 0

    def write(*_: object) -> None:
        nonlocal heard
        heard += 1
        with d.lock:
            d["heard"] = heard
        d["h", heard % 50] = "h" * (heard % 400)
        d.pop(("h", (heard + 25) % 50), None)

    with handled(signal.SIGUSR1, write):
        for number in runs(300):
            os.kill(os.getpid(), signal.SIGUSR1)
            d["n"] = number
            with d.lock:
                d["m"] = d["n"]
                os.kill(os.getpid(), signal.SIGUSR1)
                d["m"] += 1
            d.update({("u", key): os.kill(os.getpid(), signal.SIGUSR1) for key in range(3)})
            assert d["m"] == number + 1
    assert d["heard"] == heard > len(runs(300))
    assert d.lock.get_remote_lock() == 0
    assert UltraDict(name=d.name, create=False) == dict(d)


def test_c7_a_handler_writes_while_its_thread_waits(d: UltraDict[Any, Any]) -> None:
    """What it writes needs the lock that its thread waits for: it waits, too, and both go on when it is given."""
    for number in runs(3):
        with held_by_a_child(d) as give:

            def write(*_: object, number: int = number, give: Callable[[], None] = give) -> None:
                give()
                d["from the handler"] = number

            with handled(signal.SIGUSR1, write):
                thread = signalling_who_waits(signal.SIGUSR1)
                d["n"] = number
                thread.join()
        assert d == {"n": number, "from the handler": number}


# ---- C8 ----


@contextmanager
def storm(handler: Any, seconds: float = 0.0003) -> Iterator[None]:
    with handled(signal.SIGALRM, handler):
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def test_c8_a_storm_of_signals_in_waits(d: UltraDict[Any, Any]) -> None:
    heard: list[int] = [0]

    def handler(*_: object) -> None:
        heard[0] += len(d)

    def count() -> None:
        for _ in runs(200):
            with d.lock:
                d["n"] += 1

    with storm(handler):
        children = [start(count) for _ in range(2)]
        count()
        with held_by_a_child(d):
            for timeout in (0.01, 0.05):
                with pytest.raises(CannotAcquireLockTimeout) as late:
                    d.lock(timeout=timeout).__enter__()
                assert late.value.time_passed >= timeout
        assert [end_of(child) for child in children] == [0, 0]
    assert d["n"] == 3 * len(runs(200))
    assert heard[0] > 0


def test_c8_a_storm_of_signals_in_allocations(d: UltraDict[Any, Any]) -> None:
    heard: list[int] = [0]

    def handler(*_: object) -> None:
        heard[0] += d["n"] + 1

    with storm(handler):
        for number in runs(2):
            with UltraDict.open(max_bytes=96 * 2**20, full_dump_size=32 * 2**20) as bounded:
                bounded["large"] = bytes([number % 256]) * 20_000_000
                assert bounded["large"] == bytes([number % 256]) * 20_000_000
                bounded.update(dict.fromkeys(range(3000), "x" * 500))
                bounded.dump()
                assert len(bounded) == 3001
    assert heard[0] > 0


# What a kernel before 6.17 does in such a storm: it gives up whatever takes longer than the signals are apart. The
# kernel is told to do so (seccomp: fallocate of more than a MiB is interrupted).
interrupting_program = """
import ctypes, struct
from UltraDict import UltraDict
NUMBER, NAME = {"x86_64": (285, 0), "aarch64": (47, 0)}[os.uname().machine]
LOAD, EQUAL, GREATER, ANSWER = 0x20, 0x15, 0x25, 0x06
steps = [
    (LOAD, 0, 0, 0), (EQUAL, 0, 3, NUMBER),
    (LOAD, 0, 0, 16 + 3 * 8), (GREATER, 0, 1, 1 << 20),
    (ANSWER, 0, 0, 0x00050000 | 4), (ANSWER, 0, 0, 0x7FFF0000),
]
code = b"".join(struct.pack("HBBI", *step) for step in steps)
held = ctypes.create_string_buffer(code)
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(held))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()
signal.alarm(60)
d = UltraDict.open(max_bytes=96 * 2**20, full_dump_size=32 * 2**20)
d["large"] = b"x" * 10_000_000
d.update({key: "x" * 500 for key in range(10_000)})
assert len(d) == 10_001 and d["large"] == b"x" * 10_000_000
say("done")
"""


def test_c8_allocations_that_are_interrupted_each_time_they_are_long() -> None:
    ended = run(interrupting_program)
    sweep()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


# ---- C11 ----


def test_c11_taken_in_one_thread_and_released_in_another(d: UltraDict[Any, Any]) -> None:
    for _ in runs(50):
        with d.lock:
            assert in_thread(lambda: (d.lock.has_lock, d.lock.release())) == (False, False)
            assert in_thread(lambda: d.lock.acquire(block=False)) is False
            assert d.lock.has_lock
            d["n"] += 1
        assert d.lock.get_remote_lock() == 0
        assert d.lock.release() is False
        d.lock.acquire()
        d.lock.acquire()
        assert (d.lock.release(), d.lock.has_lock, d.lock.release(), d.lock.release()) == (True, True, True, False)
        assert in_thread(lambda: d.lock.acquire(block=False) and d.lock.release())
    assert d["n"] == len(runs(50))


def test_c11_what_another_thread_must_not_do_to_the_holder(d: UltraDict[Any, Any]) -> None:
    def try_all() -> list[Any]:
        tried: list[Any] = [d.lock.steal(), d.lock.steal_from_dead(2**22 + 1)]
        for use in (d.lock.reset, lambda: d.lock.steal_from_dead(os.getpid())):
            with pytest.raises(CannotAcquireLock, match=str(os.getpid())):
                use()
        with UltraDict(name=d.name, create=False) as other:
            tried.append(other.lock.release())
        return tried

    for _ in runs(2):
        with d.lock:
            assert in_thread(try_all) == [False, False, False]
            assert d.lock.has_lock
            d["n"] += 1
    assert d.lock.get_remote_lock() == 0
