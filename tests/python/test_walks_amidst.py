# SPDX-License-Identifier: Apache-2.0
"""Walks over a dict in whose midst Python code runs, because an item is loaded or let go: that code may go on with the
very same walk, or have the table replaced under it."""

from __future__ import annotations

import sys

import pytest

from programs import run

# The value of "s" is too large to come with its key, and is deleted when the key is loaded: the key is passed over.
PROGRAM = """
from UltraDict import UltraDict
class Acting(str):
    def __reduce__(self): return load, (str(self),)
    def __del__(self):
        if hasattr(self, "is_passed"): at_end()
def load(text):
    loaded = Acting(text)
    loaded.is_passed = True
    at_load()
    return loaded
def at_load(): del d["s"]
def at_end(): pass
def replace_table():
    d.clear()
    d.update({number: number for number in range(20_000)})
    d.clear()
    d["a"] = 1
def let_old_tables_go():
    for handle in (d, other): handle.stats()
d = UltraDict()
for i in range(5000): d[f"k{i}"] = i
for i in range(4990): del d[f"k{i}"]
d[Acting("s")] = b"x" * 100_000
for i in range(100): d[f"z{i}"] = i
walking, other = UltraDict(name=d.name), UltraDict(name=d.name)
walk = iter(walking.items())
"""


@pytest.mark.parametrize("steps", [1, 21, 53, 100])
def test_a_key_that_is_passed_over_goes_on_with_the_walk_when_it_goes(steps: int) -> None:
    program = f"""
def at_end(): say([next(walk)[0] for _ in range({steps})][-1])
say(len(list(walk)))
"""
    ended = run(PROGRAM + program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"z{steps - 1}\n{110 - steps}\n", "")


def test_a_key_that_is_passed_over_has_the_table_replaced_when_it_goes() -> None:
    program = """
def at_end(): replace_table(); let_old_tables_go()
say(len(walking.copy()))
"""
    ended = run(PROGRAM + program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "10\n", "")


def test_loading_a_key_has_the_table_replaced_and_goes_on_with_the_walk() -> None:
    program = """
def at_load(): replace_table(); say(next(walk, None)); let_old_tables_go()
say(len(list(walk)))
"""
    ended = run(PROGRAM + program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "None\n10\n", "")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the collector runs between bytecodes only")
def test_an_iterator_that_the_collector_exhausts_while_it_is_copied() -> None:
    program = """
from UltraDict import UltraDict
class Cyclic:
    def __init__(self): self.myself = self
    def __del__(self): say(list(walk))
walk = iter(UltraDict(a=1, b=2))
gc.collect()
Cyclic()
gc.set_threshold(1)
_, (rest,) = walk.__reduce__()
gc.set_threshold(0)
say(rest, list(walk))
"""
    ended = run(program)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "['a', 'b']\n['a', 'b'] []\n", "")
