# SPDX-License-Identifier: Apache-2.0
"""Forks at bad moments: what a child inherits works or says no, and whatever becomes of it, the parent notices nothing.

That handles work under every start method is in tests/python/test_start_methods.py.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repeating import Step, end_of, runs, start, sweep

from programs import run
from threads import until_it_waits
from UltraDict import UltraDict


class Working:
    """Another thread that holds the lock, writes, grows the dict and lets go, over and over."""

    def __init__(self, d: UltraDict[Any, Any]) -> None:
        self.d, self.enough, self.rounds = d, threading.Event(), 0
        self.thread = threading.Thread(target=self.work)

    def work(self) -> None:
        while not self.enough.is_set():
            with self.d.lock:
                self.d["rounds"] = self.rounds = self.rounds + 1
                self.d["grown", self.rounds % 500] = "x" * (self.rounds % 900)
            if self.rounds % 50 == 0:
                self.d["large"] = bytes(100_000)
                self.d.pop(("grown", self.rounds % 500), None)

    def __enter__(self) -> Working:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        self.thread.join()


def test_c2_a_child_forked_while_another_thread_waits_can_close() -> None:
    with UltraDict(a=1) as d:
        files, waits = d._shared_id, threading.Thread(target=lambda: d.pop("a"))

        def close() -> None:
            assert files in Path("/proc/self/maps").read_text()
            d.close()
            assert files not in Path("/proc/self/maps").read_text()

        with d.lock:
            waits.start()
            until_it_waits(waits)
            assert [end_of(start(close)) for _ in runs(3)] == [0 for _ in runs(3)]
        waits.join()
        assert d == {}


class Loading:
    """Says so while it is loaded, and waits."""

    while_loaded: Callable[[], object] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Loading.load, ()

    @staticmethod
    def load() -> Loading:
        if Loading.while_loaded is not None:
            Loading.while_loaded()
        return Loading()


class Counted:
    gone = 0

    def __del__(self) -> None:
        Counted.gone += 1


def test_c2_a_child_forked_in_the_midst_of_another_threads_pop_keeps_no_object() -> None:
    """What the cache drops while this process holds the lock is let go only afterwards."""
    counted = {number: Counted() for number in range(200)}
    with UltraDict.open(data={"v": Loading(), **counted}, cache_bytes=20_000) as d:
        inside, go_on = threading.Event(), threading.Event()
        pops = threading.Thread(target=d.pop, args=("v",))

        def read() -> None:
            Loading.while_loaded, before = None, Counted.gone
            assert all(isinstance(d[number], Counted) for number in counted)
            assert Counted.gone - before >= 100

        Loading.while_loaded = lambda: (inside.set(), go_on.wait())
        try:
            pops.start()
            inside.wait()
            ends = [end_of(start(read)) for _ in runs(3)]
        finally:
            Loading.while_loaded = None
            go_on.set()
            pops.join()
        assert ends == [0 for _ in runs(3)]


# Threads of the child get the stacks of those that it does not have; a library that was imported earlier starts them.
restarting_program = """
def restarted(together):
    def key(number): return sorted(range(3), key=lambda other: together.wait() if number == 0 else other)
    sorted(range(1000), key=key)
def restart():
    together = threading.Barrier(4)
    threads = [threading.Thread(target=restarted, args=(together,)) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    in_child()
in_child = lambda: None
os.register_at_fork(after_in_child=restart)
from UltraDict import UltraDict
inside, go_on = threading.Event(), threading.Event()
class Slow:
    def __reduce__(self): inside.set(); go_on.wait(); return Slow, ()
d = UltraDict()
files = d._shared_id
def store(key): threading.Thread(target=d.__setitem__, args=(key, Slow()), daemon=True).start(); inside.wait()
def child():
    signal.alarm(60)
    assert d.get("c") is None
    go_on.set()
    while threading.active_count() > 1: pass
    d.close()
    assert files not in open("/proc/self/maps").read()
"""

IN_MIDST = {
    "in the midst of a write": "store('a')",
    "waiting for the lock": """
d.lock.acquire()
waits = threading.Thread(target=d.pop, args=("a", None), daemon=True)
waits.start()
while not d.stats()["lock_waits"]: pass""",
    "in the midst of a write, as one in the child is": """
store("a")
def in_child():
    global go_on
    inside.clear(); go_on = threading.Event(); store("b")""",
}


@pytest.mark.parametrize("what", IN_MIDST)
def test_c2_handlers_that_run_first_in_the_child_start_threads(what: str) -> None:
    """Those of the parent were in the midst of something, which ends in the child."""
    ended = run(
        restarting_program
        + IN_MIDST[what]
        + """
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        status = 2
        try: child(); status = 0
        finally: os._exit(status)
    say(os.waitpid(pid, 0)[1])
go_on.set()
"""
    )
    assert (ended.returncode, ended.stdout) == (0, "0\n0\n0\n"), ended.stderr


class Going:
    """Says so when it goes, and waits."""

    while_going: Callable[[], object] | None = None

    def __del__(self) -> None:
        if Going.while_going is not None:
            Going.while_going()


def test_c2_a_child_forked_while_another_thread_lets_go_of_a_value_can_close() -> None:
    """The operation is over for the dict then, though not for the thread."""
    with UltraDict(v=Going()) as d:
        assert type(d["v"]) is Going  # nobody but the cache has it
        files, inside, go_on = d._shared_id, threading.Event(), threading.Event()

        def close() -> None:
            Going.while_going = None
            d.close()
            assert files not in Path("/proc/self/maps").read_text()

        Going.while_going = lambda: (inside.set(), go_on.wait())
        deletes = threading.Thread(target=lambda: d.__delitem__("v"))
        try:
            deletes.start()
            inside.wait()
            ends = [end_of(start(close)) for _ in runs(3)]
        finally:
            Going.while_going = None
            go_on.set()
            deletes.join()
        assert ends == [0 for _ in runs(3)]


def test_c2_forked_at_any_moment_of_another_threads_writes() -> None:
    with UltraDict(children=0) as d:

        def count() -> None:
            with d.lock(timeout=60):
                d["children"] += 1
            assert d["rounds"] >= 1

        with Working(d) as working:
            while working.rounds == 0:
                pass
            for _ in runs(30):
                assert end_of(start(count)) == 0
        assert d["children"] == len(runs(30))
        assert d["rounds"] == working.rounds
        assert d.lock.get_remote_lock() == 0
        assert sum(1 for _ in d.items()) == len(d)


def test_c2_the_child_gets_the_lock_when_the_parent_gives_it() -> None:
    with UltraDict(sum=0) as d:
        for number in runs(20):
            held, go_on, waits = threading.Event(), threading.Event(), Step()

            def hold(held: threading.Event = held, go_on: threading.Event = go_on) -> None:
                with d.lock:
                    held.set()
                    go_on.wait()
                    assert d.lock.has_lock
                    d["held to the end"] = True

            def take(number: int = number, waits: Step = waits) -> None:
                assert not d.lock.has_lock
                assert d.lock.release() is False
                waits.say()
                with d.lock(timeout=60):
                    assert d.pop("held to the end")
                    d["sum"] += number

            thread = threading.Thread(target=hold)
            thread.start()
            held.wait()
            child = start(take)
            assert waits.wait()
            assert "held to the end" not in d
            go_on.set()
            thread.join()
            assert end_of(child) == 0
        assert d["sum"] == sum(runs(20))


def test_c2_a_child_that_dies_holding_the_lock_leaves_it_to_others() -> None:
    with UltraDict(sum=0) as d:
        for number in runs(20):
            holds = Step()

            def hold(holds: Step = holds) -> None:
                d.lock.acquire()
                d["half"] = "done"
                holds.say()
                signal.pause()

            child = start(hold)
            assert holds.wait()
            os.kill(child, signal.SIGKILL)
            with d.lock(timeout=60):
                d["sum"] += number
            assert end_of(child) == -signal.SIGKILL
        assert d["sum"] == sum(runs(20))


ENDS: dict[str, Callable[[Any, Any], object]] = {
    "os._exit": lambda d, view: os._exit(0),
    "killed": lambda d, view: os.kill(os.getpid(), signal.SIGKILL),
    "closes": lambda d, view: d.close(),
    "closes with its name": lambda d, view: UltraDict(name=d.name).close(),
    "drops its views": lambda d, view: view.release(),
    "raises": lambda d, view: 1 / 0,
    "writes and deletes": lambda d, view: (d.update(new=1), d.pop("a"), d.clear()),
}


# (One that writes would wait for its parent.)
WITH_LOCK = [(end, held) for end in ENDS for held in (False, True) if not (held and end == "writes and deletes")]


@pytest.mark.parametrize(("end", "held"), WITH_LOCK)
def test_c3_the_parents_things_outlive_a_childs_end(end: str, held: bool, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in runs(3):
        with UltraDict(a=1, large=b"x" * 100_000) as d:
            view, iterator = d.view("large"), iter(d)
            if held:
                d.lock.acquire()
            end_of(start(lambda d=d, view=view: ENDS[end](d, view)))
            assert d.lock.has_lock == held
            assert view == b"x" * 100_000
            if end != "writes and deletes":
                assert next(iterator) == "a"
                assert d["a"] == 1
            d["b"] = 2
            with UltraDict(name=d.name, create=False) as other:
                assert other["b"] == 2
            assert d.lock.release() == held
    capfd.readouterr()


# What the child says when its parent is gone: the test is its grandparent.
orphan_program = """
import numpy as np
from UltraDict import UltraDict
d = UltraDict(bytes=b"b" * 100_000, array=np.arange(50_000), small=b"s" * 100)
views = d.view("bytes"), d.view("array"), d.view("small")
parent, (alive, held) = os.getpid(), os.pipe()
if os.fork() == 0:
    os.close(held)
    os.read(alive, 1)  # ends with the parent, whatever its end
    assert views[0] == b"b" * 100_000 and views[1].sum() == 50_000 * 49_999 // 2 and views[2] == b"s" * 100
    for n in range(3): assert bytes(views[0][n::7]) == b"b" * len(views[0][n::7])
    try: left = dict(d)
    except UltraDict.Exceptions.UltraDictError: left = {}
    assert left.get("bytes") in (None, b"n" * 100_000)
    del views
    say("intact")
    os._exit(0)
os.close(alive)
for n in range(50): d["bytes"], d["array"], d["small"] = b"n" * 100_000, np.zeros(50_000), b"m" * 100
d.dump()
for n in range(2000): d[n] = "x" * 400
d.dump(); d.clear(); d["bytes"] = b"n" * 100_000
END
"""


@pytest.mark.parametrize(
    "end", ["d.close()", "os.kill(parent, signal.SIGKILL)", "os._exit(0)", "del views", "d.unlink()"]
)
def test_c4_views_in_a_child_outlive_the_parents_cleaning_and_end(end: str) -> None:
    for _ in runs(1):
        ended = run(orphan_program.replace("END", end))
        assert ended.stdout == "intact\n", ended.stderr
        sweep()


def test_c4_many_children_look_at_what_the_parent_overwrites() -> None:
    content = np.arange(30_000)
    with UltraDict(array=content) as d:
        view = d.view("array")
        children = []
        go_on = [Step() for _ in range(4)]
        for step in go_on:

            def look(step: Step = step, view: Any = view) -> None:
                assert step.wait()
                for _ in range(100):
                    assert (view == content).all()

            children.append(start(look))
        for number in range(200):
            d["array"] = np.full(30_000, number)
        d.dump()
        for step in go_on:
            step.say()
        del view
        assert [end_of(child) for child in children] == [0] * 4
