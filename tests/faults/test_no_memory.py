# SPDX-License-Identifier: Apache-2.0
"""No memory for this process, at each place where it asks for some, be it Python or C++: MemoryError or done, and
nothing in between; the lock is free, and the next use works."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from programs import run

# Each operation is done with the first allocation failing, then the second, ... alone and with a thousand that follow,
# until it needs no more. (With all: CPython from 3.12 on never leaves a block of `try` without memory.)
allocating_program = """
import faulthandler
faulthandler.enable()
sys.path.insert(0, sys.argv[1])
import decimal
from alphabet import Word
from UltraDict import UltraDict
start = {"a": 1, "b": [1, 2], "c": {"x": {"y": 1}}, "large": b"x" * 40_000, "p": decimal.Decimal(5), Word("k"): 9}
other = UltraDict(o=1)
lasting = [None]
operations = {
    "get": lambda d: d["b"], "get large": lambda d: d["large"], "get pickled": lambda d: d["p"],
    "get exotic": lambda d: d[Word("k")], "get nested": lambda d: d["c"]["x"], "get absent": lambda d: d.get("zz"),
    "view": lambda d: d.view("large"), "contains": lambda d: ("zz" in d, Word("k") in d),
    "set": lambda d: d.__setitem__("a", [3]), "set new": lambda d: d.__setitem__("n", [1, 2]),
    "set large": lambda d: d.__setitem__("large", b"y" * 50_000),
    "set pickled": lambda d: d.__setitem__("n", decimal.Decimal(7)),
    "set exotic": lambda d: d.__setitem__(Word("k"), 5), "set new exotic": lambda d: d.__setitem__(Word("n"), 5),
    "set nested": lambda d: d.__setitem__("n", {"a": {"b": 1}}),
    "delete": lambda d: d.__delitem__("a"), "delete exotic": lambda d: d.__delitem__(Word("k")),
    "pop": lambda d: d.pop("b"), "pop nested": lambda d: d.pop("c"), "popitem": lambda d: d.popitem(),
    "setdefault": lambda d: d.setdefault("n", [1]), "setdefault exotic": lambda d: d.setdefault(Word("n"), [1]),
    "setdefault handle": lambda d: d.setdefault(("n", frozenset({1, 2})), [other]),
    "setdefault nested": lambda d: d.setdefault("n", {"a": 1}),
    "update": lambda d: d.update({"a": 5, "q": 6, Word("u"): 7, "n": {"x": 1}}),
    "update scalars": lambda d: d.update({"a": 5, "q": 6}), "ior": lambda d: d.__ior__([("a", 5), ("q", 6)]),
    "iterate": lambda d: list(d), "items": lambda d: list(d.items()), "values": lambda d: list(d.values()),
    "reversed": lambda d: list(reversed(d)), "copy": lambda d: d.copy(), "to_dict": lambda d: d.to_dict(),
    "repr": repr, "equal": lambda d: d == start, "data": lambda d: d.data, "clear": lambda d: d.clear(),
    "keys": lambda d: d.keys() & {"a"}, "or": lambda d: d | {"z": 1}, "pickle": lambda d: d.__reduce__(),
    "lock": lambda d: (d.lock.acquire(), d.lock.release()),
    "lock call": lambda d: d.lock(timeout=1).__enter__().release(),
    "stats": lambda d: d.stats(), "status": lambda d: d.status(), "dump": lambda d: d.dump(),
    "open": lambda d: UltraDict(name=d.name, create=False).close(),
    "create lasting": lambda d: lasting.__setitem__(0, UltraDict(name="lasting", create=True, auto_unlink=False)),
    "create": lambda d: UltraDict(x={"y": 1}, z=2).unlink(), "attributes": lambda d: (d.name, d.lock, d.serializer),
    "unlink by name": lambda d: (made := UltraDict(x=1), UltraDict.unlink_by_name(made.name)),
}
def attempt(use, d, number, end):
    caught = None
    begin(number, end)
    try: use(d)
    except MemoryError: caught = MemoryError
    except BaseException as error: caught = error
    return caught, finish(caught)
def plain(value):  # CPython may lose the end of a repr: what was being printed then shows as {...} for ever
    return value.to_dict() if isinstance(value, UltraDict) else value
def look(d): return [(repr(key), repr(plain(value))[:200]) for key, value in d.items()]
def provoke(name, number, alone, recurse, cache_bytes):
    with UltraDict.open(data=start, recurse=recurse, cache_bytes=cache_bytes) as owner:
        before = look(owner)
        with UltraDict.open(owner.name, recurse=recurse, cache_bytes=cache_bytes) as d:
            caught, reached = attempt(operations[name], d, number, number + (1 if alone else 1000))
            where = name, number, alone, recurse, cache_bytes, caught
            assert caught in (None, MemoryError), where
            assert d.lock.get_remote_lock() == 0, where
            if name == "create lasting":
                if caught: lasting[0] = UltraDict(name="lasting", create=True)
                lasting[0].unlink()
            if caught: assert look(owner) == look(d) == before, (where, look(owner), look(d))
            assert all(key in d for key in list(d)), where
            d[Word("k")] = "after"
            d["after"] = 1
            assert owner.pop("after") == 1 and owner[Word("k")] == "after" and len(owner) == len(look(d)), where
        return reached
done = 0
for name in operations:
    for alone in (True, False):
        for recurse, cache_bytes in ((False, 0), (True, 1 << 20)):
            number = passed = 0
            while passed < 3:
                passed = 0 if provoke(name, number, alone, recurse, cache_bytes) else passed + 1
                number += 1
            done += number
say(done)
"""


# Which of them fail, and whether the last ones did.
of_python = """
import _testcapi
begin = _testcapi.set_nomemory
def finish(caught):
    _testcapi.remove_mem_hooks()
    return caught is not None
"""
of_cpp = """
import ctypes
begin = ctypes.CDLL(None).fail_new
def finish(caught): return begin(-1, 0)
"""

# Before the library of C++, whose own `new` that cannot throw asks this one.
failing_new = r"""
#include <cstdlib>
#include <new>
static int left = -1, end_left = 0, failed = 0;
extern "C" int fail_new(int number, int end) {
  int before = failed;
  left = number, end_left = end > number ? end - number : -1, failed = 0;
  return before;
}
void* operator new(std::size_t size) {
  if (left > 0) --left;
  else if (left == 0 && end_left != 0) {
    if (end_left > 0) --end_left;
    failed = 1;
    throw std::bad_alloc();
  }
  if (void* made = std::malloc(size)) return made;
  throw std::bad_alloc();
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }
"""


def expect_memory_errors(begin_and_finish: str, **environment: str) -> None:
    tests = str(Path(__file__).parents[1])
    ended = run(begin_and_finish + allocating_program, tests, options=(), **environment)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    print(f"MemoryError at {ended.stdout.strip()} allocations")


def test_c9_memory_error_at_each_allocation() -> None:
    pytest.importorskip("_testcapi", reason="this CPython comes without _testcapi.set_nomemory")
    expect_memory_errors(of_python)


def test_c9_memory_error_at_each_allocation_of_cpp(tmp_path: Path) -> None:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("there is no compiler")
    source, library = tmp_path / "failing_new.cc", tmp_path / "failing_new.so"
    source.write_text(failing_new)
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
    expect_memory_errors(of_cpp, LD_PRELOAD=str(library))
