# SPDX-License-Identifier: Apache-2.0
"""Every way in which Python starts processes: a handle given as an argument, inherited, or opened by name."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAttachSharedMemory

methods = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


class Own(UltraDict[Any, Any]):
    pass


def note(d: UltraDict[Any, Any], number: int) -> None:
    for _ in range(50):
        with d.lock:
            d["sum"] += number
    d["child", number] = type(d).__name__, d.lock.has_lock


def note_by_lock(lock: Any, d: UltraDict[Any, Any]) -> None:
    for _ in range(50):
        with lock:
            d["sum"] += 1


def double(d: UltraDict[Any, Any], key: int) -> int:
    return d[key] * 2


@methods
def test_c1_c13_as_an_argument_it_arrives_as_its_own_class(method: str) -> None:
    context = multiprocessing.get_context(method)
    with Own(sum=0) as d:
        children = [context.Process(target=note, args=(d, number)) for number in (1, 2, 3)]
        for child in children:
            child.start()
        for child in children:
            child.join()
        assert [child.exitcode for child in children] == [0, 0, 0]
        assert d["sum"] == 300
        assert all(d["child", number] == ("Own", False) for number in (1, 2, 3))
        assert UltraDict(name=d.name, create=False) == d


@methods
def test_c1_its_lock_is_an_argument_too(method: str) -> None:
    context = multiprocessing.get_context(method)
    with UltraDict(sum=0) as d:
        child = context.Process(target=note_by_lock, args=(d.lock, d))
        child.start()
        note_by_lock(d.lock, d)
        child.join()
        assert d["sum"] == 100


@methods
def test_c1_c13_pools(method: str) -> None:
    context = multiprocessing.get_context(method)
    with UltraDict({number: number for number in range(20)}) as d:
        with context.Pool(2) as pool:
            assert pool.starmap(double, [(d, number) for number in range(20)]) == list(range(0, 40, 2))
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
            assert list(executor.map(double, [d] * 20, range(20))) == list(range(0, 40, 2))


def begin(d: UltraDict[Any, Any]) -> None:
    global begun  # noqa: PLW0603
    begun = d
    with d.lock:
        d["begun"] += 1


def count_and_double(number: int) -> tuple[str, int]:
    with begun.lock:
        begun["done"] += 1
    return type(begun).__name__, number * 2


@methods
def test_c1_pools_that_get_it_by_their_initializer(method: str) -> None:
    context = multiprocessing.get_context(method)
    expected = [("Own", number * 2) for number in range(20)]
    with Own(begun=0, done=0) as d:
        with context.Pool(2, begin, (d,)) as pool:
            assert pool.map(count_and_double, range(20)) == expected
        with concurrent.futures.ProcessPoolExecutor(2, context, begin, (d,)) as executor:
            assert list(executor.map(count_and_double, range(20))) == expected
        assert d["done"] == 40
        assert 3 <= d["begun"] <= 4


@methods
def test_c1_the_method_is_the_default_of_the_program(method: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing, concurrent.futures\n"
        "from UltraDict import UltraDict\n"
        "def work(d, number):\n"
        "    with d.lock: d['sum'] += number\n"
        "if __name__ == '__main__':\n"
        f"    multiprocessing.set_start_method({method!r})\n"
        "    with UltraDict(sum=0) as d:\n"
        "        processes = [multiprocessing.Process(target=work, args=(d, n)) for n in range(3)]\n"
        "        for process in processes: process.start()\n"
        "        for process in processes: process.join()\n"
        "        with concurrent.futures.ProcessPoolExecutor(2) as executor:\n"
        "            list(executor.map(work, [d] * 5, range(5)))\n"
        "        print(d)\n"
    )
    ended = subprocess.run([sys.executable, "-X", "dev", str(program)], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("{'sum': 13}\n", "")


def fail_to_arrive(pickled: bytes) -> str:
    try:
        pickle.loads(pickled)
    except CannotAttachSharedMemory as error:
        return str(error)
    return "attached"


@methods
def test_a_handle_that_comes_too_late_creates_nothing(method: str, shared_directory: Path) -> None:
    context = multiprocessing.get_context(method)
    d = UltraDict(name="too late")
    pickled = pickle.dumps(d)
    d.close()
    with context.Pool(1) as pool:
        assert "there is no dict of that name" in pool.apply(fail_to_arrive, (pickled,))
        with UltraDict(name="too late") as new:
            assert "another has its name now" in pool.apply(fail_to_arrive, (pickled,))
            assert new == {}
    assert list((shared_directory / "n").iterdir()) == []


def create_in_child(name: str) -> None:
    global kept  # noqa: PLW0603
    kept = UltraDict(name=name, a=1)


@methods
def test_a_dict_created_in_a_child_goes_with_it(method: str) -> None:
    child = multiprocessing.get_context(method).Process(target=create_in_child, args=("childs",))
    child.start()
    child.join()
    assert child.exitcode == 0
    with pytest.raises(CannotAttachSharedMemory):
        UltraDict(name="childs", create=False)


def fork_off(work: Any) -> int:
    """The process id of a forked child that does the work and ends; its exit code is 0 unless it raised."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(2)
    return pid


def in_fork(work: Any) -> int:
    """The exit code of a forked child that does the work: 0 if it answers something true."""

    def check() -> None:
        assert work()

    return os.waitstatus_to_exitcode(os.waitpid(fork_off(check), 0)[1])


def test_c1_an_inherited_handle_works_and_keeps_its_objects() -> None:
    with UltraDict(l=[1]) as d:
        value = d["l"]

        def work() -> bool:
            d["from child"] = 1
            return d["l"] is value and d == {"l": [1], "from child": 1}

        assert in_fork(work) == 0
        assert d["from child"] == 1


def test_c2_the_parent_keeps_the_lock_it_holds_over_a_fork() -> None:
    with UltraDict() as d, d.lock:

        def work() -> bool:
            return not d.lock.has_lock and d.lock.release() is False and not d.lock.acquire(block=False)

        assert in_fork(work) == 0
        assert d.lock.has_lock
        d["x"] = 1


def test_c3_a_child_that_closes_does_not_end_its_parents_dict() -> None:
    with UltraDict(a=1) as d:
        assert in_fork(lambda: d.close() == {"a": 1}) == 0
        assert UltraDict(name=d.name, create=False) == {"a": 1}


def test_c3_a_child_that_exits_normally_does_not_either() -> None:
    with UltraDict(a=1) as d:
        child = multiprocessing.get_context("fork").Process(target=d.get, args=("a",))
        child.start()
        child.join()
        assert UltraDict(name=d.name, create=False) == {"a": 1}


def test_c2_fork_while_another_thread_holds_the_lock() -> None:
    with UltraDict() as d:
        held, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            with d.lock:
                held.set()
                go_on.wait()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        assert in_fork(lambda: not d.lock.acquire(timeout=0.05) and d.get("x") is None) == 0
        go_on.set()
        thread.join()
        assert in_fork(lambda: d.lock.acquire(timeout=5)) == 0
        d["x"] = 1


def test_c1_a_server_that_forks_its_workers_beforehand() -> None:
    with UltraDict(served=0) as d:

        def serve() -> None:
            for _ in range(200):
                with d.lock:
                    d["served"] += 1
            d["worker", os.getpid()] = [os.getpid()]

        workers = [fork_off(serve) for _ in range(4)]
        assert [os.waitpid(worker, 0)[1] for worker in workers] == [0] * 4
        assert d["served"] == 800
        assert all(d["worker", worker] == [worker] for worker in workers)


def test_an_unrelated_program_that_knows_the_name() -> None:
    with UltraDict(a=1) as d:
        program = f"from UltraDict import UltraDict; d = UltraDict(name={d.name!r}); d['b'] = d['a'] + 1"
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert d["b"] == 2
