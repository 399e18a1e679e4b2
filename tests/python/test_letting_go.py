# SPDX-License-Identifier: Apache-2.0
"""A handle that only glances, in the cache or at a count, holds no memory of what others removed for long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from programs import Program
from UltraDict import UltraDict

LARGE = b"x" * 250_000
GLANCES: dict[str, Callable[[UltraDict[Any, Any]], object]] = {
    "d[k]": lambda d: d["n"],
    "d[k] of no str and no int": lambda d: d[3, 4],
    "get": lambda d: d.get("n"),
    "in": lambda d: "n" in d,
    "get, missing": lambda d: d.get("absent"),
    "in, missing": lambda d: "absent" in d,
    "len": len,
    "bool": bool,
    "==": lambda d: d == {},
    "apply_update": lambda d: d.apply_update(),
    "load": lambda d: d.load(),
    "data": lambda d: d.data,
    "status": lambda d: d.status(),
}
one_in = 1024  # of them looks for it


def removed_and_mapped(directory: Path) -> list[str]:
    with open("/proc/self/maps") as maps:
        return [line for line in maps if str(directory) in line and line.rstrip().endswith("(deleted)")]


@pytest.mark.parametrize("glance", GLANCES)
def test_the_view_of_a_value_that_is_no_more(shared_directory: Path, glance: str) -> None:
    with UltraDict({"n": 0, "big": LARGE, (3, 4): 5}) as d, UltraDict(name=d.name) as other:
        assert other.view("big") == LARGE
        GLANCES[glance](other)
        d["big"] = 1
        for _ in range(one_in):
            GLANCES[glance](other)
        assert removed_and_mapped(shared_directory) == []


def test_stats_tell_what_is_pinned_now() -> None:
    with UltraDict(big=LARGE) as d, UltraDict(name=d.name) as other:
        view = other.view("big")
        d["big"] = 1
        assert other.stats()["pinned_bytes"] >= len(view)
        del view
        assert other.stats()["pinned_bytes"] == 0


FILL_AND_EMPTY = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1])
d.update((number, "x" * 1000) for number in range(3000))
say("full")
wait()
d.clear()
d.update({"n": 0, (3, 4): 5})
say("empty")
wait()
"""


@pytest.mark.parametrize("glance", GLANCES)
def test_tables_and_segments_that_another_process_removed(shared_directory: Path, glance: str) -> None:
    with UltraDict() as d, Program(FILL_AND_EMPTY, d.name) as writer:
        assert writer.said() == "full"
        assert len(d.copy()) == 3000
        writer.go_on()
        assert writer.said() == "empty"
        assert removed_and_mapped(shared_directory) != []
        for _ in range(3 * one_in):
            GLANCES[glance](d)
        assert removed_and_mapped(shared_directory) == []


CLEAR_AGAIN = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1])
while True:
    d.update((number, 1) for number in range(3000))
    d.update({"n": 0, "large": [1] * 10_000})
    say("full")
    wait()
    d.clear()
    d.update({"n": 0, "large": [1] * 10_000})
    say("empty")
    wait()
"""


def test_tables_that_come_and_go_while_nothing_is_read(shared_directory: Path) -> None:
    with UltraDict.open(cache_bytes=0) as d, Program(CLEAR_AGAIN, d.name) as writer:
        for _ in range(40):
            writer.said()
            for number in range(50):
                d["n"] = number
            writer.go_on()
        assert len(removed_and_mapped(shared_directory)) < 30


FOLLOWERS: dict[str, Callable[[UltraDict[Any, Any]], object]] = {
    "data": lambda d: d.data,
    "read": lambda d: d["n"],
    "read, large": lambda d: d["large"],
    "write": lambda d: d.__setitem__("n", [1]),
    "write, large": lambda d: d.__setitem__("large", LARGE),
    "setdefault": lambda d: d.setdefault("n", 1),
    "items": lambda d: list(d.items()),
}


@pytest.mark.parametrize("cache_bytes", [0, 10_000])
@pytest.mark.parametrize("follower", FOLLOWERS)
def test_tables_that_were_replaced_after_each_look(shared_directory: Path, follower: str, cache_bytes: int) -> None:
    with UltraDict.open(cache_bytes=cache_bytes) as d, Program(CLEAR_AGAIN, d.name) as writer:
        for _ in range(60):
            writer.said()
            FOLLOWERS[follower](d)
            writer.go_on()
        assert len(removed_and_mapped(shared_directory)) < 30
