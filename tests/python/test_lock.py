# SPDX-License-Identifier: Apache-2.0
"""The lock: re-entrant per thread, two shapes of acquire, never robbed from the living, taken over from the dead."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from threads import in_thread, until_it_waits
from UltraDict import SharedLock, UltraDict
from UltraDict.Exceptions import AlreadyClosed, CannotAcquireLock, CannotAcquireLockTimeout

holder_program = """
import sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
d.lock.acquire()
d["held by"] = d.lock.pid
print("held", flush=True)
sys.stdin.read()
d.lock.release()
"""


@pytest.fixture(params=[False, True], ids=["plain", "shared_lock"])
def d(request: pytest.FixtureRequest) -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(shared_lock=request.param) as shared:
        yield shared


@contextmanager
def held_elsewhere(name: str) -> Iterator[subprocess.Popen[str]]:
    """The lock is held by another process, until its input ends or it is killed."""
    command = [sys.executable, "-c", holder_program, name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder


def test_is_one_object_of_the_named_class(d: UltraDict[Any, Any]) -> None:
    assert d.lock is d.lock
    assert isinstance(d.lock, SharedLock)
    assert isinstance(d.lock, UltraDict.SharedLock)


def test_with_takes_and_gives_back(d: UltraDict[Any, Any]) -> None:
    assert not d.lock.has_lock
    with d.lock as lock:
        assert lock is d.lock
        assert d.lock.has_lock
        with d.lock, d.lock(timeout=1):
            d["x"] = 1
        assert d.lock.has_lock
        assert d.lock.get_remote_pid() == os.getpid() == d.lock.pid
        assert d.lock.get_remote_lock() == 1
        assert not in_thread(lambda: d.lock.has_lock)
    assert not d.lock.has_lock
    assert d.lock.get_remote_lock() == 0


def test_an_exception_inside_gives_it_back(d: UltraDict[Any, Any]) -> None:
    with pytest.raises(ZeroDivisionError), d.lock:
        raise ZeroDivisionError
    assert not d.lock.has_lock


def test_is_the_same_through_every_handle_of_the_process(d: UltraDict[Any, Any]) -> None:
    with UltraDict(name=d.name) as other, d.lock:
        assert other.lock.has_lock
        with other.lock:
            other["x"] = 1
        assert d.lock.has_lock


def test_release_without_holding_is_false(d: UltraDict[Any, Any]) -> None:
    assert d.lock.release() is False
    with d.lock:
        assert in_thread(d.lock.release) is False
        assert d.lock.has_lock


def test_other_threads_are_kept_out(d: UltraDict[Any, Any]) -> None:
    def take() -> str:
        with d.lock(block=False):
            return "taken"

    with d.lock:
        assert isinstance(in_thread(take), CannotAcquireLock)
    assert in_thread(take) == "taken"


def test_acquire_answers_like_an_rlock() -> None:
    with UltraDict() as d:
        assert d.lock.acquire() is True
        assert in_thread(lambda: d.lock.acquire(False)) is False
        assert in_thread(lambda: d.lock.acquire(True, 0.01)) is False
        assert in_thread(lambda: d.lock.acquire(timeout=-1)) is False
        assert in_thread(lambda: d.lock.acquire(block=True, timeout=0.01, sleep_time=0, steal=True)) is False
        assert d.lock.release() is True


def test_acquire_raises_with_shared_lock() -> None:
    with UltraDict(shared_lock=True) as d:
        assert d.lock.acquire() is True
        assert isinstance(in_thread(lambda: d.lock.acquire(False)), CannotAcquireLock)
        assert isinstance(in_thread(lambda: d.lock.acquire(True, 0, 0.01)), CannotAcquireLockTimeout)
        assert d.lock.release() is True


def test_unknown_words_are_refused(d: UltraDict[Any, Any]) -> None:
    for use in (lambda: d.lock(patience=1), lambda: d.lock.acquire(patience=1), lambda: d.lock(1, 2, 3, 4, 5, 6)):
        with pytest.raises(TypeError):
            use()


def test_what_is_wrong_with_a_parameter_is_said_by_its_name(d: UltraDict[Any, Any]) -> None:
    anything: Any = d.lock
    for use in (anything, anything.acquire):
        for word in ("timeout", "sleep_time"):
            with pytest.raises(TypeError, match=f"{word} must be a number of seconds, not 'soon'"):
                use(**{word: "soon"})
            with pytest.raises(ValueError, match=f"{word} must be a number of seconds, not nan"):
                use(**{word: math.nan})
        with pytest.raises(TypeError, match=r"block must be True or False, not 0\.5: say timeout=0\.5"):
            use(0.5)
        with pytest.raises(TypeError, match="two values for block"):
            use(True, block=False)
    assert not d.lock.has_lock


def test_who_has_it_is_told_so_and_not_of_another_thread(d: UltraDict[Any, Any]) -> None:
    with d.lock, pytest.raises(CannotAcquireLock, match="this thread itself holds it"):
        d.lock.steal_from_dead()


def test_a_holder_elsewhere_is_named(d: UltraDict[Any, Any]) -> None:
    with held_elsewhere(d.name) as holder:
        with pytest.raises(CannotAcquireLock, match=str(holder.pid)) as busy, d.lock(block=False):
            pass
        assert busy.value.blocking_pid == holder.pid
        assert busy.value.timestamp is not None
        begin = time.monotonic()
        with pytest.raises(CannotAcquireLockTimeout, match=str(holder.pid)) as late, d.lock(timeout=0.2):
            pass
        assert 0.2 <= late.value.time_passed <= time.monotonic() - begin
        copied = pickle.loads(pickle.dumps(late.value))
        assert (copied.blocking_pid, copied.time_passed) == (holder.pid, late.value.time_passed)
        assert d.lock.status() == {"has_lock": False, "lock_remote": 1, "pid": os.getpid(), "pid_remote": holder.pid}
        assert str(holder.pid) in repr(d.lock)
        holder.communicate()


def test_reads_go_on_and_a_write_waits_for_the_holder(d: UltraDict[Any, Any]) -> None:
    with held_elsewhere(d.name) as holder:
        assert d["held by"] == holder.pid
        written = threading.Thread(target=d.__setitem__, args=("x", 1))
        written.start()
        assert "x" not in d
        assert list(d) == ["held by"]
        holder.communicate()
        written.join()
    assert d["x"] == 1


def test_the_living_are_never_robbed(d: UltraDict[Any, Any]) -> None:
    with held_elsewhere(d.name) as holder:
        assert d.lock.steal() is False
        assert d.lock.steal(from_pid=holder.pid) is False
        with pytest.raises(CannotAcquireLock, match=str(holder.pid)):
            d.lock.steal_from_dead(from_pid=holder.pid)
        with pytest.raises(CannotAcquireLock, match=str(holder.pid)):
            d.lock.reset()
        with pytest.raises(CannotAcquireLockTimeout), d.lock(timeout=0.05, steal_after_timeout=True):
            pass
        holder.communicate()
        assert holder.returncode == 0


def test_a_stopped_holder_lives(d: UltraDict[Any, Any]) -> None:
    with held_elsewhere(d.name) as holder:
        holder.send_signal(signal.SIGSTOP)
        with pytest.raises(CannotAcquireLockTimeout), d.lock(timeout=0.1):
            pass
        assert d["held by"] == holder.pid
        holder.send_signal(signal.SIGCONT)
        holder.communicate()
        assert holder.returncode == 0


def test_a_killed_holder_is_replaced(d: UltraDict[Any, Any]) -> None:
    with held_elsewhere(d.name) as holder:
        holder.kill()
        holder.wait()
        begin = time.monotonic()
        d["next"] = 1
        assert time.monotonic() - begin < 0.25
    assert d["held by"] == holder.pid
    assert d.stats()["recoveries"] >= 1


def test_a_killed_holder_is_reset_or_stolen_from(d: UltraDict[Any, Any]) -> None:
    for take in (d.lock.reset, d.lock.steal_from_dead, d.lock.steal):
        with held_elsewhere(d.name) as holder:
            holder.kill()
            holder.wait()
            take()
        d.lock.release()
        assert in_thread(lambda: d.lock(block=False).__enter__() and d.lock.release()) is True


def test_reset_frees_what_this_thread_holds(d: UltraDict[Any, Any]) -> None:
    d.lock.acquire()
    d.lock.acquire()
    d.lock.reset()
    assert not d.lock.has_lock
    d.lock.reset()


def test_a_waiting_thread_lets_the_others_run(d: UltraDict[Any, Any]) -> None:
    with d.lock:
        thread = threading.Thread(target=d.__setitem__, args=("x", 1))
        thread.start()
        until_it_waits(thread)
    thread.join()
    assert d["x"] == 1


def test_pickles_like_the_handle(d: UltraDict[Any, Any]) -> None:
    lock = pickle.loads(pickle.dumps(d.lock))
    with d.lock:
        assert lock.has_lock


def test_a_lock_that_somebody_keeps_keeps_the_handle() -> None:
    name = UltraDict().name
    with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
        UltraDict(name=name, create=False)
    lock = UltraDict(name=name).lock
    with lock:
        assert UltraDict(name=name, create=False).lock.has_lock


def test_of_a_closed_dict_raises() -> None:
    d = UltraDict()
    lock = d.lock
    with lock:
        d.close()
    for use in (lock.acquire, lock.release, lock.__enter__, lock.status, lock.reset, lambda: d.lock):
        with pytest.raises(AlreadyClosed):
            use()
    assert "closed" in repr(lock)


def test_who_acquired_it_gives_it_back_though_another_thread_closed_the_handle(d: UltraDict[Any, Any]) -> None:
    handle = UltraDict(name=d.name)
    lock = handle.lock
    lock.acquire()
    in_thread(handle.close)
    assert d.lock.has_lock
    assert lock.release()
    assert d.lock.get_remote_lock() == 0
    with pytest.raises(AlreadyClosed):
        lock.release()


def test_release_takes_what_the_original_does(d: UltraDict[Any, Any]) -> None:
    d.lock.acquire()
    assert d.lock.release(None, None, None)
    assert not d.lock.has_lock


def test_acquire_with_timeout_as_in_the_original(d: UltraDict[Any, Any]) -> None:
    assert d.lock.acquire_with_timeout(timeout=0.01)

    def try_in_vain() -> None:
        with pytest.raises(CannotAcquireLockTimeout):
            d.lock.acquire_with_timeout(True, 0.000001, 0.01, False)

    in_thread(try_in_vain)
    d.lock.release()


def test_print_status(d: UltraDict[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    d.lock.print_status()
    assert "'lock_remote': 0" in capsys.readouterr().out
    d.lock.print_status(("any", "thing"))
    assert "('any', 'thing')" in capsys.readouterr().out


def test_stats_count_who_waited(d: UltraDict[Any, Any]) -> None:
    with d.lock:
        d["mine"] = True
    assert d.stats()["lock_waits"] == 0
    with held_elsewhere(d.name):
        with pytest.raises(CannotAcquireLockTimeout), d.lock(timeout=0.01):
            pass
        with pytest.raises(CannotAcquireLock), d.lock(block=False):  # does not wait
            pass
        assert d.stats()["lock_waits"] == 1
