# SPDX-License-Identifier: Apache-2.0
"""Operations that read and write at once are one step for all processes: one winner, nothing handed out twice, nothing
seen or left half done."""

from __future__ import annotations

import collections
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from programs import Program
from strategies import stressed
from UltraDict import UltraDict

process_count = 4
interrupted_count = 400 if stressed else 40  # changes that a kill leaves half done
turns = 20 if stressed else 1
generation_count = 2000 if stressed else 100

attach = "import json\nfrom UltraDict import UltraDict\nd = UltraDict(name=sys.argv[1], create=False)\n"


def answers(d: UltraDict[Any, Any], body: str) -> list[Any]:
    """What some processes answer that begin together. `body` defines answer(me) of the process number `me`."""
    with ExitStack() as all_end:
        program = f"{attach}{body}\nsay('ready'); wait(); say(json.dumps(answer(int(sys.argv[2]))))"
        workers = [all_end.enter_context(Program(program, d.name, str(me))) for me in range(process_count)]
        for worker in workers:
            assert worker.said() == "ready"
        for worker in workers:
            worker.go_on()
        got = [json.loads(worker.said()) for worker in workers]
        assert all(worker.end() == (0, "") for worker in workers)
        return got


# --- one winner, no second taker ---

setting_default = """
def answer(me):
    return [d.setdefault(key, [me, key])[0] for number in range(3000) for key in (number, f"text {number}")]
"""

popping = """
def answer(me):
    taken = [d.pop(key, None) for number in range(3000) for key in (number, f"text {number}")]
    return [item for item in taken if item is not None]
"""

popping_the_last = """
def answer(me):
    taken = []
    try:
        while True: taken.append(d.popitem()[1])
    except KeyError:
        return taken
"""

# Everyone puts items of its own and takes whatever is the last one, until it has taken as many as it has put.
putting_and_taking = """
def answer(me):
    taken = []
    for number in range(1500):
        d[me, number] = [me, number]
        taken.append(d.popitem()[1])
    return taken
"""


def numbered_items() -> dict[Any, int]:
    keys = [key for number in range(3000) for key in (number, f"text {number}")]
    return {key: number for number, key in enumerate(keys)}


@pytest.mark.parametrize("turn", range(turns))
def test_setdefault_has_one_winner_for_each_key(turn: int) -> None:
    with UltraDict() as d:
        got = answers(d, setting_default)
        assert list(map(str, d)) == list(map(str, numbered_items()))
        assert all(key == stored for key, (_, stored) in d.items())
        assert got == [[winner for winner, _ in d.values()]] * process_count


@pytest.mark.parametrize("turn", range(turns))
@pytest.mark.parametrize("body", [popping, popping_the_last], ids=["pop", "popitem"])
def test_each_item_is_taken_once(body: str, turn: int) -> None:
    with UltraDict(numbered_items()) as d:
        got = answers(d, body)
        assert len(d) == 0
        assert sorted(item for taken in got for item in taken) == list(range(6000))


@pytest.mark.parametrize("turn", range(turns))
def test_each_item_is_taken_once_while_others_come(turn: int) -> None:
    with UltraDict() as d:
        got = answers(d, putting_and_taking)
        assert len(d) == 0
        put = [[me, number] for me in range(process_count) for number in range(1500)]
        assert sorted(item for taken in got for item in taken) == put


# --- all or nothing ---

keys = [*range(60), *(f"text {number}" for number in range(60)), (1, "x"), None, "large"]

updating = f"""
keys = {keys!r}
def items(generation):
    return {{key: "l" * 50_000 if key == "large" and generation % 7 == 0 else generation for key in keys}}
def answer(me):
    turn = 0
    while "stop" not in d:
        turn += 1
        generation = turn * {process_count} + me
        if turn % 3 == 0: d.update(items(generation))
        elif turn % 3 == 1: d.update(list(items(generation).items()), more=generation)
        else: d.__ior__(items(generation))
"""


def generations(d: UltraDict[Any, Any]) -> set[Any]:
    """Of all keys but those that are not in every update, or not always numbers."""
    return {d.get(key) for key in keys if key != "large"}


def test_who_holds_the_lock_sees_no_half_of_an_update() -> None:
    with UltraDict() as d, ExitStack() as all_end:
        starts = f"{attach}{updating}\nsay('ready'); wait(); answer(int(sys.argv[2]))"
        writers = [all_end.enter_context(Program(starts, d.name, str(me))) for me in range(process_count - 1)]
        assert [writer.said() for writer in writers] == ["ready"] * len(writers)
        for writer in writers:
            writer.go_on()
        seen: set[int] = set()
        while len(seen) < generation_count or len({number % process_count for number in seen}) < len(writers):
            with d.lock:
                now = generations(d)
            assert len(now) == 1
            seen |= now - {None}
        d["stop"] = True
        assert all(writer.end() == (0, "") for writer in writers)


# Says which generation it is about to write, and which is written, before it can be killed in the next one.
writing_to_death = f"""
import os, sys
from UltraDict import UltraDict
keys = {keys!r}
d = UltraDict(name=sys.argv[1], create=False)
generation = int(sys.argv[2])
while True:
    generation += 1
    items = {{key: generation for key in keys}}
    items.update({{("new", generation, number): generation for number in range(100)}})
    if generation % 2: d.update(items)
    else: d |= items
    os.write(1, b"%d\\n" % generation)
    if generation % 5 == 0:
        d.clear()
        os.write(1, b"%d\\n" % generation)
"""


def said(output: int) -> Iterator[int]:
    heard = b""
    while chunk := os.read(output, 1 << 16):
        heard += chunk
    return map(int, heard.split(b"\n")[:-1])


def expect_whole(d: UltraDict[Any, Any], last: int) -> None:
    """Of the generation that was said last, or of the next one: everything; or nothing, after a clear."""
    generation = d.get(keys[0], None)
    assert {d.get(key) for key in keys} == {generation}
    assert generation in (last, last + 1, None)
    assert generation is not None or len(d) == 0
    new_ones = collections.Counter(key[1] for key in d if isinstance(key, tuple) and key[0] == "new")
    assert set(new_ones.values()) <= {100}
    assert max(new_ones, default=None) == generation


def test_a_killed_update_is_there_wholly_or_not_at_all() -> None:
    rng = random.Random(os.environ.get("ULTRADICT_SEED", "1"))
    with UltraDict() as d:
        last = 0
        while d.stats()["recoveries"] < interrupted_count:
            command = [sys.executable, "-c", writing_to_death, d.name, str(last)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
                assert writer.stdout is not None
                output = writer.stdout.fileno()
                select.select([output], [], [])
                killed_at = time.perf_counter() + rng.random() * 0.005
                while time.perf_counter() < killed_at:
                    pass
                writer.send_signal(signal.SIGKILL)
                writer.wait()
                last = max([last, *said(output)])
            with d.lock:
                expect_whole(d, last)
            last = max(last, d.get(keys[0], last))
