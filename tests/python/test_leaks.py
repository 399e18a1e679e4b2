# SPDX-License-Identifier: Apache-2.0
"""What a process holds of the kernel for its dicts: no descriptor while they are open, and nothing after the last."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from programs import run
from UltraDict import UltraDict

COUNT = """
import resource
from UltraDict import UltraDict
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
def held():
    directory = os.environ["ULTRADICT_DIR"]
    links = []
    for number in os.listdir("/proc/self/fd"):
        try: links.append(os.readlink("/proc/self/fd/" + number))
        except OSError: pass
    with open("/proc/self/maps") as maps:
        return sum(link.startswith(directory) for link in links), sum(directory in line for line in maps)
gc.disable()  # what is left must be let go of by the last reference, not by the collector
"""
WAYS_TO_END = {
    "close": "for d in dicts: d.close(data=False)",
    "close with the data": "for d in dicts: d.close()",
    "unlink": "for d in dicts: d.unlink()",
    "the last reference": "dicts.clear(); del d",
    "with": "for d in dicts:\n    with d: pass",
}
USES = """
dicts = [UltraDict(number=number) for number in range(2000)]
for number, d in enumerate(dicts):
    with d.lock: d["number"] += 1
    assert list(d.items()) == [("number", number + 1)]
    assert d == {"number": number + 1} and repr(d) and d.keys() & {"number"}
    if number % 100 == 0: d["blob"] = b"x" * 100_000; d.update((str(n), n) for n in range(3000))
    try: d["missing"]
    except KeyError: pass
"""


@pytest.mark.parametrize("end", WAYS_TO_END)
def test_thousands_of_dicts_under_a_small_limit_of_descriptors(end: str) -> None:
    program = USES + "descriptors, mappings = held()\nassert descriptors == 0 and mappings >= 2000\n"
    ended = run(COUNT + program + WAYS_TO_END[end] + "\nsay(*held())")
    assert (ended.stdout, ended.stderr) == ("0 0\n", "")


def test_thousands_of_attachments_leave_nothing() -> None:
    program = """
made = [UltraDict(name=f"made {n}", n=n) for n in range(1000)]
before = held()
for n in range(3000):
    d = UltraDict(name=f"made {n % 1000}", create=False)
    assert d["n"] == n % 1000
    del d
assert held() == before
del made
say(*held())
"""
    ended = run(COUNT + program)
    assert (ended.stdout, ended.stderr) == ("0 0\n", "")


def test_failed_openings_leave_nothing() -> None:
    program = """
import json, marshal
kept = UltraDict(name="kept", serializer=json)
before = held()
for parameters in ({"create": True}, {"serializer": marshal}, {"shared_lock": True}, {"full_dump_size": -1}):
    for _ in range(300):
        try: UltraDict(name="kept", **parameters)
        except Exception: pass
        else: raise SystemExit(f"{parameters} were accepted")
for _ in range(300):
    try: UltraDict([(1, 2), 3], name="half")
    except TypeError: pass
    try: UltraDict(name="half", create=False)
    except UltraDict.Exceptions.CannotAttachSharedMemory: pass
assert held() == before
kept.close()
say(*held())
"""
    ended = run(COUNT + program)
    assert (ended.stdout, ended.stderr) == ("0 0\n", "")


def test_a_repr_leaves_nothing_for_a_nested_dict_that_is_gone() -> None:
    with UltraDict[str, Any](recurse=True) as d:

        def show_new_ones(count: int) -> int:
            for _ in range(count):
                d["n"] = {"a": 1}
                assert repr(d) == "{'n': {'a': 1}}"
            return sys.getallocatedblocks()

        before = show_new_ones(1000)
        assert show_new_ones(1000) < before + 200
