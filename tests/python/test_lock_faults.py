# SPDX-License-Identifier: Apache-2.0
"""Faults of the library that this one replaces, each with the behaviour that replaced it; and its ways to recover."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAcquireLock, CannotAcquireLockTimeout, UltraDictError

counting_program = """
import sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
for _ in range(int(sys.argv[2])):
    with d.lock():
        d["counter"] += 1
"""


@pytest.fixture(params=[False, True], ids=["plain", "shared_lock"])
def d(request: pytest.FixtureRequest) -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(counter=0, shared_lock=request.param) as shared:
        yield shared


class Held:
    """The lock held by another thread until released."""

    def __init__(self, d: UltraDict[Any, Any]) -> None:
        self.taken, self.enough = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.hold, args=(d,))

    def hold(self, d: UltraDict[Any, Any]) -> None:
        with d.lock:
            self.taken.set()
            self.enough.wait()

    def __enter__(self) -> Held:
        self.thread.start()
        self.taken.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.thread.join()


def test_a_call_without_parameters_waits_under_contention(d: UltraDict[Any, Any]) -> None:
    command = [sys.executable, "-c", counting_program, d.name, "500"]
    counting = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in counting] == [0, 0, 0]
    assert d["counter"] == 1500


def test_attachments_by_name_have_one_lock(d: UltraDict[Any, Any]) -> None:
    program = (
        "import sys; from UltraDict import UltraDict; d = UltraDict(name=sys.argv[1])\n"
        "try: d.lock(block=False).__enter__()\n"
        "except UltraDict.Exceptions.CannotAcquireLock as error: print(error.blocking_pid)\n"
        "else: print('taken')\n"
    )
    command = [sys.executable, "-c", program, d.name]
    with d.lock:
        assert subprocess.run(command, capture_output=True, text=True).stdout == f"{os.getpid()}\n"
    assert subprocess.run(command, capture_output=True, text=True).stdout == "taken\n"


def test_a3_a4_there_is_no_moment_in_which_a_death_leaves_it_stuck(d: UltraDict[Any, Any]) -> None:
    program = (
        "import sys; from UltraDict import UltraDict; d = UltraDict(name=sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    d.lock.acquire(); d.lock.release()\n"
    )
    for _ in range(15):
        with subprocess.Popen([sys.executable, "-c", program, d.name], stdout=subprocess.PIPE) as taking:
            assert taking.stdout is not None
            assert taking.stdout.readline() == b"ready\n"
            while d.lock.get_remote_pid() != taking.pid:
                pass
            taking.kill()
            taking.wait()
        with d.lock(timeout=10):
            d["counter"] += 1
    assert d["counter"] == 15


def test_parameters_of_a_call_are_for_that_acquisition_alone(d: UltraDict[Any, Any]) -> None:
    with Held(d) as held:
        unused = d.lock(block=False)
        with pytest.raises(CannotAcquireLock), d.lock(block=False):
            pass
        taken = threading.Event()

        def wait() -> None:
            with d.lock:
                taken.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        with pytest.raises(CannotAcquireLock), unused:
            pass
        assert not taken.is_set()
        held.enough.set()
        waiting.join()
    assert taken.is_set()


def test_all_shapes_of_a_call(d: UltraDict[Any, Any]) -> None:
    for arguments, words in [
        ((), {}),
        ((True,), {}),
        ((True, None), {}),
        ((True, 1.0, 0, False), {}),
        ((False, None, 0.000001, True), {}),
        ((), {"block": True, "timeout": None, "sleep_time": 0.000001, "steal_after_timeout": False}),
        ((), {"timeout": 5.0, "steal_after_timeout": True}),
        ((), {"timeout": 1, "steal": True}),
        ((), {"timeout": float("inf")}),
    ]:
        with d.lock(*arguments, **words) as lock:
            assert lock is d.lock
            assert lock.has_lock
        assert not d.lock.has_lock


@pytest.mark.parametrize("timeout", [0, -1, -1e30, 0.01])
@pytest.mark.parametrize("sleep_time", [0, 0.001])
def test_a_time_out_names_the_holder(d: UltraDict[Any, Any], timeout: float, sleep_time: float) -> None:
    with Held(d):
        begin = time.monotonic()
        with pytest.raises(CannotAcquireLockTimeout, match=str(os.getpid())) as late:
            d.lock(timeout=timeout, sleep_time=sleep_time).__enter__()
        assert late.value.blocking_pid == os.getpid()
        assert begin - 0.001 <= late.value.timestamp <= time.monotonic()
        assert late.value.time_passed >= max(timeout, 0)
        assert isinstance(late.value, (CannotAcquireLock, UltraDictError))


def test_b13_the_moment_of_a_failure_is_by_the_monotonic_clock(d: UltraDict[Any, Any]) -> None:
    with Held(d):
        begin = time.monotonic()
        with pytest.raises(CannotAcquireLock) as busy, d.lock(block=False):
            pass
        assert busy.value.timestamp is not None
        assert begin <= busy.value.timestamp <= time.monotonic()


def test_the_exceptions_can_be_made_and_pickled_by_hand() -> None:
    plain = CannotAcquireLock()
    assert (plain.blocking_pid, str(plain)) == (0, "Cannot acquire lock")
    assert plain.timestamp is not None
    late = CannotAcquireLockTimeout(blocking_pid=5, timestamp=1.5, time_passed=0.5)
    copied = pickle.loads(pickle.dumps(late))
    assert (copied.blocking_pid, copied.timestamp, copied.time_passed) == (5, 1.5, 0.5)


@pytest.mark.parametrize("wrong", [{"timeout": "x"}, {"timeout": []}, {"sleep_time": None}, {"sleep_time": "x"}])
def test_a_time_of_a_wrong_type(d: UltraDict[Any, Any], wrong: dict[str, Any]) -> None:
    for use in (d.lock, d.lock.acquire):
        with pytest.raises(TypeError):
            use(**wrong)
    assert not d.lock.has_lock


def test_a_negative_sleep_time(d: UltraDict[Any, Any]) -> None:
    for use in (d.lock, d.lock.acquire):
        with pytest.raises(ValueError, match="sleep_time"):
            use(sleep_time=-1)


def test_c6_a_busy_wait_hears_ctrl_c_too(d: UltraDict[Any, Any]) -> None:
    """The last of many signals, one after the other, cannot come before the wait."""
    count = 40  # more than there are steps from the start of the thread to the wait
    main = threading.main_thread().ident
    assert main is not None
    heard = 0

    def hear(*_: object) -> None:
        nonlocal heard
        heard += 1
        if heard == count:
            raise KeyboardInterrupt

    def interrupt() -> None:
        for number in range(count):
            while heard < number:
                os.sched_yield()
            signal.pthread_kill(main, signal.SIGINT)

    before = signal.signal(signal.SIGINT, hear)
    try:
        with Held(d):
            thread = threading.Thread(target=interrupt)
            thread.start()
            with pytest.raises(KeyboardInterrupt):
                d.lock(sleep_time=0).__enter__()
            thread.join()
            assert not d.lock.has_lock
    finally:
        signal.signal(signal.SIGINT, before)


manual_program = """
import os, signal, sys, time
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1])
time_start = blocking_pid = 0
while True:
    try:
        with d.lock(block=False):
            if d["counter"] >= 60: break
            d["counter"] += 1
            time_start = 0
            if d["counter"] == 10: os.kill(os.getpid(), signal.SIGKILL)
    except d.Exceptions.CannotAcquireLock as e:
        if not time_start:
            time_start, blocking_pid = e.timestamp, e.blocking_pid
        assert os.getpid() != blocking_pid
        if time.monotonic() - time_start >= 1.0:
            d.lock.steal_from_dead(from_pid=blocking_pid, release=True)
            time_start = blocking_pid = 0
"""


def test_older_programs_that_recover_by_hand_go_on() -> None:
    """What they ask for is done already: a dead holder is replaced whoever asks."""
    with UltraDict(shared_lock=True, counter=0) as d:
        workers = [subprocess.Popen([sys.executable, "-c", manual_program, d.name]) for _ in range(3)]
        ends = sorted(worker.wait() for worker in workers)
        assert ends == [-signal.SIGKILL, 0, 0]
        assert d["counter"] == 60


def test_a_pid_that_does_not_hold_it_is_not_stolen_from(d: UltraDict[Any, Any]) -> None:
    assert d.lock.steal_from_dead(from_pid=2**22 + 1) is False
    with Held(d):
        assert d.lock.steal_from_dead(from_pid=2**22 + 1) is False
        assert d.lock.steal(from_pid=2**22 + 1, release=True) is False
        with pytest.raises(CannotAcquireLock, match=str(os.getpid())):
            d.lock.steal_from_dead(os.getpid(), True)


def test_needs_no_other_package() -> None:
    program = (
        "import sys; sys.modules['atomics'] = sys.modules['psutil'] = None\n"
        "from UltraDict import UltraDict; d = UltraDict(shared_lock=True)\n"
        "with d.lock(timeout=1, steal_after_timeout=True): d['x'] = 1\n"
        "d.lock.steal_from_dead(from_pid=1); d.lock.reset(); print(d)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "{'x': 1}\n", ended.stderr
