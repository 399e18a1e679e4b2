# SPDX-License-Identifier: Apache-2.0
"""The end of an interpreter in the middle of everything, and handles on their way to other processes.

Where else a dict may be kept at exit is in tests/python/test_exit.py, pickled handles in tests/python/test_pickling.py.
"""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from repeating import runs

from programs import Program, run
from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAttachSharedMemory

# ---- C12 ----

IMPORT = "from UltraDict import UltraDict\nd = UltraDict(name=sys.argv[1], create=False)\n"
BUSY = """
inside = threading.Event()
def stay(work):
    while True:
        inside.set()
        work()
for n in range(3):
    inside.clear()
    threading.Thread(target=stay, args=(WORK,), daemon=True).start()
    inside.wait()
"""
ENDS = {
    "a thread waits for the lock": BUSY.replace("WORK", "d.lock.acquire"),
    "a thread busy-waits for the lock": BUSY.replace("WORK", "lambda: d.lock(sleep_time=0).__enter__()"),
    "a thread waits to write": BUSY.replace("WORK", "lambda: d.__setitem__('x', 1)"),
    "a thread waits to write much": BUSY.replace("WORK", "lambda: d.update(x=bytes(300_000), y=1)"),
    "threads read": BUSY.replace("WORK", "lambda: (d['large'], list(d.items()), d.view('large'))"),
    "threads open and close": BUSY.replace("WORK", "lambda: UltraDict(name=d.name).close()"),
    "threads iterate": BUSY.replace("WORK", "lambda: [d.get(key) for key in d]"),
    "live views": "kept = [d.view('large') for _ in range(3)]; kept.append(memoryview(kept[0])[5:])",
    "a view in a cycle": "kept = [d.view('large')]; kept.append(kept)",
    "iterators under way": "kept = iter(d.items()), reversed(d), iter(d.values()), d.keys(), d.data; next(kept[0])",
    "handles in threads that live": "threading.Thread(target=lambda: [d['large'] for _ in range(200)]).start()",
    "an exception": "kept = d.view('large'); raise SystemExit(0)",
    "a view in an atexit callback": "atexit.register(lambda view=d.view('large'): (view[0], d['large'], d.close()))",
}


@pytest.mark.parametrize("held", [False, True], ids=["", "held elsewhere"])
@pytest.mark.parametrize("end", ENDS)
def test_c12_the_exit_with(end: str, held: bool) -> None:
    """Quietly, whatever the threads are at; and the lock is not gone with them."""
    for _ in runs(1):
        with UltraDict(a=1, large=b"x" * 100_000) as d:
            if held:
                d.lock.acquire()
            ended = run(IMPORT + ENDS[end], d.name)
            assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", "")
            assert d.lock.release() == held
            with d.lock(timeout=60):
                d["after"] = 1
            assert d["large"] == b"x" * 100_000


subinterpreter_program = """
try: import _xxsubinterpreters as interpreters
except ImportError: import _interpreters as interpreters
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
inner = interpreters.create()
text = '''
try:
    from UltraDict import UltraDict
    d = UltraDict(name=NAME, create=False)
    d["inner"] = d["a"] + 1
    del d
except ImportError as error:
    import os
    os.write(2, b"refused")
'''
interpreters.run_string(inner, text.replace("NAME", repr(sys.argv[1])))
interpreters.destroy(inner)
d["outer"] = 1
say(d.get("inner"), d["outer"])
"""


def test_c12_a_subinterpreter_works_or_is_refused_and_ends() -> None:
    with UltraDict(a=1) as d:
        ended = run(subinterpreter_program, d.name, options=())
        if "No module named" in ended.stderr:
            pytest.skip("no interpreters in this CPython")
        assert ended.returncode == 0, ended.stderr
        assert (ended.stdout, ended.stderr) in (("2 1\n", ""), ("None 1\n", "refused"))
        assert d["outer"] == 1


def test_c12_a_killed_process_with_all_of_that_is_survived() -> None:
    program = IMPORT + "kept = d.view('large'), iter(d), d.data; d.lock.acquire(); say('held'); wait()"
    for number in runs(2):
        with UltraDict(a=1, large=b"x" * 100_000) as d, Program(program, d.name) as other:
            assert other.said() == "held"
            other.end(9)
            with d.lock(timeout=60):
                d["n"] = number
            assert d["n"] == number


# ---- C13 ----


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict({"a": [1], "n": 0}) as shared:
        yield shared


def serve(inbox: Any, outbox: Any) -> None:
    while (received := inbox.get()) is not None:
        handle, lock, number = received
        with lock:
            handle["n"] += number
        outbox.put((handle, type(handle).__name__, handle.lock.has_lock))


@pytest.mark.parametrize("kind", ["Queue", "SimpleQueue", "JoinableQueue"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_c13_through_a_queue_and_back(method: str, kind: str, d: UltraDict[Any, Any]) -> None:
    context = multiprocessing.get_context(method)
    inbox, outbox = getattr(context, kind)(), getattr(context, kind)()
    child = context.Process(target=serve, args=(inbox, outbox))
    child.start()
    for number in runs(20):
        with d.lock:
            inbox.put((d, d.lock, number))
        back, name, has_lock = outbox.get()
        assert (name, has_lock, back.name) == ("UltraDict", False, d.name)
        assert back["n"] == d["n"]
        back.close()
    inbox.put(None)
    child.join()
    assert child.exitcode == 0
    assert d["n"] == sum(runs(20))


def test_c13_pickled_copied_and_deeply_copied(d: UltraDict[Any, Any]) -> None:
    for number in runs(20):
        travelled = pickle.loads(pickle.dumps({"d": d, "again": d, "lock": d.lock}))
        assert travelled["d"] is travelled["again"]
        travelled["d"]["n"] = number
        assert d["n"] == number
        with travelled["lock"]:
            assert d.lock.has_lock
        shallow, deep = copy.copy(d), copy.deepcopy([d, d])
        assert (type(shallow), type(deep[0])) == (dict, dict)
        shallow["n"] = deep[0]["n"] = "changed"
        deep[0]["a"].append(2)
        assert d == {"a": [1], "n": number}
        travelled["d"].close()
        assert d["n"] == number


def test_c13_a_handle_whose_dict_is_gone_when_it_arrives_creates_nothing() -> None:
    for _ in runs(5):
        with UltraDict(name="travels", a=1) as d:
            handle, lock = pickle.dumps(d), pickle.dumps(d.lock)
        for pickled in (handle, lock):
            with pytest.raises(CannotAttachSharedMemory):
                pickle.loads(pickled)
        with UltraDict(name="travels", a=2) as other:
            for pickled in (handle, lock):
                with pytest.raises(CannotAttachSharedMemory, match="another has its name now"):
                    pickle.loads(pickled)
            assert other == {"a": 2}
