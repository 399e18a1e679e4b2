# SPDX-License-Identifier: Apache-2.0
"""Holders of the lock that are stopped, end in every way Python has, or do to their own process what user code does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from programs import Program, run
from UltraDict import Exceptions, UltraDict
from UltraDict.Exceptions import CannotAcquireLock, CannotAcquireLockTimeout

holding = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
d.lock.acquire()
d["by"] = "the holder"
"""


def expect_held_by(d: UltraDict[Any, Any], pid: int) -> None:
    with pytest.raises(CannotAcquireLockTimeout, match=str(pid)) as late, d.lock(timeout=0.05):
        pass
    assert late.value.blocking_pid == pid
    with pytest.raises(CannotAcquireLock, match=str(pid)), d.lock(block=False):
        pass


def expect_taken(d: UltraDict[Any, Any]) -> None:
    with d.lock(timeout=10):
        d["taken"] = True
    assert d == {"by": "the holder", "taken": True}


def test_b6_a_stopped_holder_is_never_robbed() -> None:
    with UltraDict(before=1) as d:
        holder = Program(
            holding + "say('holds'); wait(); d['after'] = d.pop('before'); d.lock.release(); say('gave')", d.name
        )
        assert holder.said() == "holds"
        pid = holder.process.pid
        holder.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
        expect_held_by(d, pid)
        with pytest.raises(CannotAcquireLock, match=str(pid)):
            d.lock.steal_from_dead(from_pid=pid)
        with pytest.raises(CannotAcquireLockTimeout), d.lock(timeout=0.05, steal_after_timeout=True):
            pass
        assert d == {"before": 1, "by": "the holder"}, "who reads is not concerned"
        assert list(d.items()) == [("before", 1), ("by", "the holder")]
        holder.process.send_signal(signal.SIGCONT)
        holder.go_on()
        assert holder.said() == "gave"
        with d.lock(timeout=10):
            assert d == {"by": "the holder", "after": 1}
        holder.process.communicate()


def test_a13_a_holder_that_nobody_reaped_is_dead() -> None:
    with UltraDict[Any, Any]() as d:
        holder = Program(holding + "say('holds'); wait()", d.name)
        assert holder.said() == "holds"
        holder.process.kill()
        os.waitid(os.P_PID, holder.process.pid, os.WEXITED | os.WNOWAIT)
        expect_taken(d)
        holder.process.communicate()


@pytest.mark.parametrize(
    "end",
    [
        "os._exit(0)",
        "os.abort()",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.execv(sys.executable, [sys.executable, '-c', 'print(1); input()'])",
        "import ctypes; ctypes.string_at(0)",
        "sys.exit(0)",
    ],
)
def test_a14_a_holder_that_ends_in_any_way_is_dead(end: str) -> None:
    with UltraDict[Any, Any]() as d:
        holder = Program(holding + end, d.name)
        assert holder.process.stdout is not None
        assert holder.process.stdout.readline() in ("", "1\n")  # it ended, or is another program
        expect_taken(d)
        holder.go_on() if "exec" in end else None
        holder.process.communicate()


def test_b8_user_code_closes_every_descriptor() -> None:
    with UltraDict[Any, Any]() as d:
        holder = Program(
            holding
            + "os.closerange(3, 256); say('closed'); wait(); d['more'] = [d['by']] * 1000; say('wrote'); wait()",
            d.name,
        )
        assert holder.said() == "closed"
        expect_held_by(d, holder.process.pid)
        holder.go_on()
        assert holder.said() == "wrote"
        expect_held_by(d, holder.process.pid)
        holder.process.kill()
        holder.process.communicate()
        with d.lock(timeout=10):
            assert d.pop("more") == ["the holder"] * 1000
        expect_taken(d)


def test_b9_others_open_and_close_our_files() -> None:
    closing = """
import contextlib, fcntl, pathlib
for path in pathlib.Path(sys.argv[2]).rglob("*"):
    if path.is_file():
        with open(path, "r+b") as file, contextlib.suppress(OSError):
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
say("closed"); wait()
"""
    with UltraDict[Any, Any]() as d:
        directory = os.environ.get("ULTRADICT_DIR", f"/dev/shm/ultradict-{os.getuid()}")
        holder = Program(holding + closing, d.name, directory)
        assert holder.said() == "closed"
        expect_held_by(d, holder.process.pid)
        holder.process.kill()
        holder.process.communicate()
        expect_taken(d)


def test_b10_the_package_is_there_twice(tmp_path: Path) -> None:
    shutil.copytree(Path(Exceptions.__file__).parent, tmp_path / "Another")
    program = """
sys.path.append(sys.argv[1])
import UltraDict, Another
assert UltraDict._core.__file__ != Another._core.__file__
one = UltraDict.UltraDict(shared=1)
other = Another.UltraDict(name=one.name, create=False)
other["k"] = [1]
assert one == {"shared": 1, "k": [1]} and list(other) == ["shared", "k"]
for holder, waiter in ((one, other), (other, one)):
    with holder.lock:
        holder["k"] = 2
        try: waiter.lock(timeout=0.05).__enter__()
        except Exception as error: assert type(error).__name__ == "CannotAcquireLockTimeout", error
        else: say("two hold it")
    with waiter.lock(timeout=10): waiter["k"] = 3
    assert holder["k"] == 3
def count(d):
    for _ in range(300):
        with d.lock: d["n"] = d.get("n", 0) + 1
threads = [threading.Thread(target=count, args=(d,)) for d in (one, other, one, other)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert one["n"] == other["n"] == 1200
other.close(); one["k"] = 4; assert one["k"] == 4
say("done")
"""
    ended = run(program, str(tmp_path))
    assert (ended.stdout, ended.returncode) == ("done\n", 0), ended.stderr


def test_b10_the_package_is_loaded_again() -> None:
    program = """
import UltraDict
one = UltraDict.UltraDict(shared=1)
for name in [name for name in sys.modules if name.split(".")[0] == "UltraDict"]: del sys.modules[name]
import UltraDict as again
assert again.UltraDict is not type(one)
other = again.UltraDict(name=one.name, create=False)
with one.lock, other.lock:
    other["k"] = 1
    one["l"] = other["k"]
assert one == other == {"shared": 1, "k": 1, "l": 1}
other.close(); one["k"] = 4; assert one["k"] == 4
say("done")
"""
    ended = run(program)
    assert (ended.stdout, ended.returncode) == ("done\n", 0), ended.stderr


# Every clock that says the time of day jumps an hour, forth and back, with each look at it.
jumping_clock = """
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static long jump(void) { static long looks; return ++looks & 1 ? 3600 : -3600; }
int clock_gettime(clockid_t id, struct timespec *now) {
  int failed = (int)syscall(SYS_clock_gettime, id, now);
  if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) now->tv_sec += jump();
  return failed;
}
int gettimeofday(struct timeval *now, void *zone) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *now) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (now) *now = exact.tv_sec;
  return exact.tv_sec;
}
"""


def test_b13_the_wall_clock_steps_an_hour(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for a clock that jumps")
    (tmp_path / "clock.c").write_text(jumping_clock)
    shim = tmp_path / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, tmp_path / "clock.c"], check=True)
    program = """
import sys, time
from UltraDict import UltraDict
looks = [time.time() for _ in range(4)]
assert max(looks) - min(looks) > 3000, "the clock does not jump"
d = UltraDict(name=sys.argv[1], create=False)
for timeout in (0.05, 0.3):
    begin = time.monotonic()
    try: d.lock(timeout=timeout).__enter__()
    except d.Exceptions.CannotAcquireLockTimeout as late: assert timeout <= late.time_passed < timeout + 20
    assert timeout <= time.monotonic() - begin < timeout + 20
print("timed out", flush=True)
with d.lock: d["taken"] = True
"""
    with UltraDict[Any, Any]() as d:
        holder = Program(holding + "say('holds'); wait()", d.name)
        assert holder.said() == "holds"
        command = [sys.executable, "-c", program, d.name]
        jumping = {**os.environ, "LD_PRELOAD": str(shim)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=jumping) as waiter:
            assert waiter.stdout is not None
            assert waiter.stdout.readline() == "timed out\n"
            holder.process.kill()
            holder.process.communicate()
            assert waiter.wait(60) == 0
        assert d == {"by": "the holder", "taken": True}
