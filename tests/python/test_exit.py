# SPDX-License-Identifier: Apache-2.0
"""The exit of an interpreter that has dicts open, wherever it keeps them: nothing is said, nothing is left, and user
code that runs late finds its dict in order."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from programs import run

IMPORT = "from UltraDict import UltraDict\n"
PLACES = {
    "in a global": "d = UltraDict(a=1)",
    "with iterator, lock and view": "d = UltraDict(a=1); it = iter(d); next(it); lock = d.lock; keys = d.keys()",
    "in a cycle": "d = UltraDict(a=1); d.me = d; d['me'] = d; del d",
    "in a cycle with the collector off": "gc.disable(); d = UltraDict(a=1); d.me = d; del d",
    "in a module": "import json; json.kept = UltraDict(a=1); json.also = json.kept",
    "in builtins": "import builtins; builtins.kept = UltraDict(a=1)",
    "in a default argument": "def f(d=UltraDict(a=1)): pass",
    "in a thread's frame": "threading.Thread(target=lambda d: d.get('a'), args=(UltraDict(a=1),)).start()",
    "in a daemon thread": """
inside = threading.Event()
def stay(d): inside.set(); threading.Event().wait()
threading.Thread(target=stay, args=(UltraDict(a=1),), daemon=True).start(); inside.wait()""",
    "in a daemon thread that writes": """
inside = threading.Event()
def stay(d):
    while True: d['b'] = b'x' * 100; inside.set()
threading.Thread(target=stay, args=(UltraDict(a=1),), daemon=True).start(); inside.wait()""",
    "in thread-local storage": "local = threading.local(); local.d = UltraDict(a=1)",
    "in an atexit callback": "d = UltraDict(a=1); atexit.register(lambda: d.update(b=2))",
    "in an atexit callback's arguments": "atexit.register(UltraDict.update, UltraDict(a=1), b=2)",
    "in a destructor": """
class Late:
    def __init__(self): self.d = UltraDict(a=1); self.me = self
    def __del__(self): self.d['late'] = b'x' * 1_000_000
late = Late()""",
    "in a finalizer": "import weakref\nclass C: pass\nc = C(); weakref.finalize(c, UltraDict(a=1).update, b=2)",
    "under its lock": "d = UltraDict(a=1); d.lock.acquire()",
    "attached twice": "d = UltraDict(name='x', a=1); e = UltraDict(name='x')",
    "closed before": "d = UltraDict(a=1); d.close(); atexit.register(d.close)",
}


@pytest.mark.parametrize("place", PLACES)
def test_c12_a_dict_that_is_kept(place: str, shared_directory: Path) -> None:
    ended = run(IMPORT + PLACES[place])
    assert (ended.returncode, ended.stderr, ended.stdout) == (0, "", "")
    assert list((shared_directory / "n").iterdir()) == []
    assert list((shared_directory / "d").iterdir()) == []


def test_callbacks_that_were_registered_before_the_import_use_the_dict() -> None:
    program = "atexit.register(lambda: say(dict(d)))\natexit.register(lambda: d.update(big=b'x' * 100))\n"
    ended = run(program + IMPORT + "d = UltraDict(a=1)")
    assert ended.stderr == ""
    assert eval(ended.stdout) == {"a": 1, "big": b"x" * 100}


@pytest.mark.parametrize("first", ["import multiprocessing\n" + IMPORT, IMPORT + "import multiprocessing\n"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_that_nobody_joined_still_reach_it_by_name(method: str, first: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        first
        + "def child(name, seen):\n"
        + "    with UltraDict(name=name, create=False) as d: d['seen'] = 1\n"
        + "    open(seen, 'w').close()\n"
        + "if __name__ == '__main__':\n"
        + "    d = UltraDict(name='unjoined')\n"
        + f"    process = multiprocessing.get_context({method!r}).Process\n"
        + f"    process(target=child, args=('unjoined', {str(tmp_path / 'seen')!r})).start()\n"
    )
    ended = run("import runpy; runpy.run_path(sys.argv[1], run_name='__main__')", str(program))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "seen").exists()


def test_nothing_global_changes() -> None:
    program = """
from multiprocessing import resource_tracker as tracker, shared_memory as memory, util
def state():
    signals = [signal.getsignal(number) for number in range(1, 32)]
    hooks = [sys.excepthook, sys.unraisablehook, threading.excepthook, os.fork, os._exit]
    modules = [dict(vars(module)) for module in (atexit, signal, tracker, memory, gc)]
    return signals, hooks, modules, dict(util._finalizer_registry), gc.callbacks[:]
before, callbacks = state(), atexit._ncallbacks()
from UltraDict import UltraDict
d = UltraDict(a=1)
d.close()
say(before == state(), tracker._resource_tracker._fd, atexit._ncallbacks() - callbacks)
"""
    ended = run(program)
    assert (ended.stdout, ended.stderr) == ("True None 1\n", "")


ENDLESS = {
    "update": """
def items():
    yield "a", 1
    while True: pause(0.001); inside.set(); yield "b", [2]
def stay(): d.update(items())""",
    "values that take their time": """
class Slow:
    def __getstate__(self): pause(0.001); return {"a": 1}
    def __setstate__(self, state): pause(0.001)
def stay():
    while True: d["x"] = Slow(); d["x"]; inside.set()""",
    "keys that take their time": """
class Slow:
    def __hash__(self): return 1
    def __eq__(self, other): pause(0.001); return True
    def __reduce__(self): return Slow, ()
def stay():
    while True: d[Slow()] = 1; Slow() in d; d.pop(Slow(), None); inside.set()""",
    "keys that take their time to be hashed": """
class Slow:
    def __hash__(self): pause(0.001); return 1
def stay():
    while True: d.get(Slow()); Slow() in d; d.pop(Slow(), None); (Slow(), 1) in d.items(); inside.set()""",
    "exceptions that take their time to go": """
class Slow(Exception):
    def __del__(self): pause(0.001)
class Raising:
    def __init__(self, raises): self.raises = raises
    def __hash__(self): return 1
    def __eq__(self, other):
        if self.raises: raise Slow
        return True
    def __reduce__(self): return Raising, (False,)
def stay():
    d[Raising(False)] = 1
    while True:
        for use in (d.get, d.pop, d.__delitem__):
            try: use(Raising(True))
            except Exception: pass
        inside.set()""",
    "values that take their time to go": """
class Slow:
    def __del__(self): pause(0.001)
    def __reduce__(self): return Slow, ()
cached = UltraDict()
def stay():
    while True: cached["x"] = Slow(); cached["x"]; d["x"] = Slow(); d["x"]; inside.set()""",
    "buffers that take their time to go": """
import pickle
class Slow(bytearray):
    def __del__(self):
        while True: inside.set(); pause(0.001)
class Framed:
    def __reduce_ex__(self, protocol): return bytearray, (pickle.PickleBuffer(Slow(100_000)),)
def stay(): d["x"] = Framed()""",
    "a log that takes its time": """
import logging
def slow(record):
    while True: inside.set(); pause(0.001)
logging.getLogger("UltraDict").addFilter(slow)
if os.fork() == 0: d.lock.acquire(); os.kill(os.getpid(), signal.SIGKILL)
os.wait()
def stay(): d["x"] = [1]""",
}


@pytest.mark.parametrize("what", ENDLESS)
@pytest.mark.parametrize("options", [(), ("-X", "dev")])
def test_c12_daemon_threads_inside_python_code_that_a_dict_calls(what: str, options: tuple[str, ...]) -> None:
    program = (
        "d = UltraDict.open(cache_bytes=0)\ninside, pause = threading.Event(), threading.Event().wait" + ENDLESS[what]
    )
    program += "\nfor _ in range(3): threading.Thread(target=stay, daemon=True).start()\ninside.wait()\n"
    for _ in range(3):
        ended = run(IMPORT + program, options=options)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_c12_a_daemon_thread_in_a_comparison_leaves_the_lock_to_who_writes_last() -> None:
    program = """
class Slow:
    def __hash__(self): return 1
    def __eq__(self, other, pause=threading.Event().wait): pause(0.1); return True
    def __reduce__(self): return Slow, ()
class Last:
    def __init__(self, d): self.d = d
    def __del__(self, write=os.write): self.d["last"] = 1; write(1, b"written")
d = UltraDict.open(cache_bytes=0, shared_lock=False)
d[Slow()] = 0
def stay():
    while True: d[Slow()] = 1
threading.Thread(target=stay, daemon=True).start()
sys.last = Last(d)
while d.lock.acquire(block=False): d.lock.release()
"""
    for _ in range(3):
        ended = run(IMPORT + program)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "written", "")


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="daemon threads do not end there")
def test_c12_daemon_threads_that_ended_in_the_midst_of_a_write() -> None:
    """Their stacks are gone when the last one writes."""
    program = """
threading.stack_size(64 << 20)  # too large for glibc to keep
class Slow:
    def __init__(self): self.inside = threading.Event()
    def __reduce__(self, pause=threading.Event().wait):
        self.inside.set()
        while True: pause(0.001)
class Last:
    def __init__(self, d): self.d = d
    def __del__(self, threads=os.listdir, write=os.write):
        while len(threads("/proc/self/task")) > 1: pass
        self.d["last"] = [1]; write(1, b"written")
d = UltraDict()
for slow in [Slow(), Slow(), Slow()]:
    threading.Thread(target=d.__setitem__, args=("a", slow), daemon=True).start()
    slow.inside.wait()
sys.last = Last(d)
"""
    ended = run(IMPORT + program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "written", "")


def test_callbacks_that_another_thread_calls() -> None:
    program = (
        "d = UltraDict(a=1)\nthread = threading.Thread(target=atexit._run_exitfuncs)\nthread.start(); thread.join()\n"
    )
    ended = run(IMPORT + program + "class Last:\n    def __del__(self): d['last'] = 1\nd.last = Last()\n")
    assert (ended.returncode, ended.stderr) == (0, "")
