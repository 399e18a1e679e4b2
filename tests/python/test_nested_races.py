# SPDX-License-Identifier: Apache-2.0
"""Nested dicts (recurse=True) that other processes replace meanwhile, and shared bytes that name what is not there."""

from __future__ import annotations

import glob
import mmap
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from programs import Program
from UltraDict import Exceptions, UltraDict

REPLACER = """
import itertools, sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1])
for number in itertools.count():
    d["n"] = {}
    if number == 0:
        print("begun", flush=True)
"""


@contextmanager
def replacer(name: str) -> Iterator[None]:
    """Another process that gives the same key another dict all the time."""
    with subprocess.Popen([sys.executable, "-c", REPLACER, name], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            yield
            assert process.poll() is None
        finally:
            process.kill()


def test_no_key_is_missed_whose_value_is_replaced() -> None:
    with UltraDict.open(recurse=True, cache_bytes=0) as d, replacer(d.name):
        d["last"] = 1
        for _ in range(20_000):
            assert [key for key, _ in d.items()] == ["n", "last"]


def test_copies_of_the_whole_do_not_fail_when_parts_are_replaced() -> None:
    with UltraDict(recurse=True) as d, replacer(d.name):
        for _ in range(20_000):
            assert d.to_dict() == {"n": {}}
            assert d != {"n": {"x": 1}}


HOLDER = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1])
wait()
with d.lock:
    say("holds")
    wait()
say("released")
wait()
"""


class Noticed:
    """Says when a copy of it is made from the dict."""

    on_load: Callable[[], None]

    def __reduce__(self) -> tuple[Any, ...]:
        return Noticed.load, ()

    @staticmethod
    def load() -> Noticed:
        Noticed.on_load()
        return Noticed()


def test_a_copy_that_was_outrun_does_not_wait_for_who_keeps_the_lock() -> None:
    looks = 0

    def replace_four_times() -> None:
        nonlocal looks
        looks += 1
        if looks <= 4:
            d["n"] = {"first": Noticed(), "second": looks}
        if looks == 4:
            holder.go_on()
            assert holder.said() == "holds"

    Noticed.on_load = replace_four_times
    with UltraDict.open(recurse=True, cache_bytes=0) as d, Program(HOLDER, d.name) as holder:
        d["n"] = {"first": Noticed(), "second": 0}
        assert d.to_dict()["n"]["second"] == 4
        assert looks == 5
        holder.go_on()
        assert holder.said() == "released"


def harm(name: str) -> None:
    """The header of the only nested dict says that it is another one."""
    born = struct.pack("<Q", 1 << 63 | 1)
    harmed = 0
    for path in glob.glob(f"{os.environ['ULTRADICT_DIR']}/d/*/control"):
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as words:
            if name.encode() not in words[:4096]:
                continue
            at = words.find(born)
            while at >= 0:
                if struct.unpack("<Q", words[at - 8 : at])[0] == 1 << 32:  # no keys, one link
                    words[at : at + 8] = struct.pack("<Q", 1 << 63 | 7)
                    harmed += 1
                at = words.find(born, at + 1)
    assert harmed == 1


def test_a_key_that_names_no_dict_is_damage(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ULTRADICT_DIR", str(tmp_path))
    with UltraDict(name="harmed", recurse=True) as d:
        d["first"] = 1
        d["n"] = {}
        harm("harmed")
        for use in (
            lambda: d["n"],
            lambda: list(d.items()),
            lambda: d.to_dict(),
            lambda: d.pop("n"),
            lambda: d.popitem(),
            lambda: d.__setitem__("n", 1),
            lambda: d.__delitem__("n"),
            lambda: repr(d),
        ):
            with pytest.raises(Exceptions.Damaged):
                use()
        assert d["first"] == 1
        d.clear()
        d["n"] = {"x": 1}
        assert d == {"n": {"x": 1}}
