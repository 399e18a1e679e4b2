# SPDX-License-Identifier: Apache-2.0
"""A writer is killed at random moments: what it had said it did is there, and the next writer proceeds at once."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import strategies
from UltraDict import UltraDict

kills = 30
proceed_within_s = 0.25

# Each turn is said on the pipe when it is done: a pipe keeps what a killed process wrote.
writing_program = """
import os, sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
turn = int(sys.argv[2])
out = sys.stdout.fileno()
while True:
    turn += 1
    d["turn"] = turn
    d["of", turn % 50] = "x" * (turn % 300) if turn % 97 else b"b" * 40_000
    d.update({("first", turn % 5): turn, ("second", turn % 5): turn})
    d.pop(("gone", turn - 1), None)
    d["gone", turn] = [turn]
    if turn % 400 == 0:
        d.clear()
        d.update({"turn": turn, ("gone", turn): [turn]})
    with d.lock:
        d["locked"] = d.get("locked", 0) + 1
    os.write(out, b"%d\\n" % turn)
"""


def said(output: int) -> list[int]:
    """Everything the writer said before it was killed; the last line may be half."""
    heard = b""
    while chunk := os.read(output, 1 << 16):
        heard += chunk
    return [int(line) for line in heard.split(b"\n")[:-1]]


def check(d: UltraDict[Any, Any], last: int) -> None:
    """The acknowledged turn is there, and of the next one each operation wholly or not at all."""
    was_cleared = (last + 1) % 400 == 0  # by the next turn, if it came so far
    assert d.get("turn", last if was_cleared else None) in (last, last + 1)
    since_cleared = last if last < 400 else last % 400 + 1
    assert was_cleared or d.get("locked", 0) >= since_cleared  # a turn that was not acknowledged is done again
    for number in range(5):
        assert d.get(("first", number)) == d.get(("second", number))
    items = list(d.items())
    assert len(items) == len(d) == len(dict(items))
    assert all(d[key] == value for key, value in items)
    gone = [key[1] for key in d if isinstance(key, tuple) and key[0] == "gone"]
    assert gone in ([last], [], [last + 1])


def test_a3_nothing_said_is_lost_and_the_next_writer_proceeds() -> None:
    rng = random.Random(20)
    with UltraDict(turn=0) as d:
        last = 0
        slowest = 0.0
        for _ in range(kills):
            command = [sys.executable, "-c", writing_program, d.name, str(last)]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
                assert writer.stdout is not None
                output = writer.stdout.fileno()
                select.select([output], [], [])
                watched = time.perf_counter() + rng.random() * 0.03
                while time.perf_counter() < watched:
                    pass
                writer.send_signal(signal.SIGKILL)
                begin = time.perf_counter()
                d["after kill"] = last
                slowest = max(slowest, time.perf_counter() - begin)
                writer.wait()
                last = max([last, *said(output)])
            check(d, last)
        assert slowest < proceed_within_s
        assert last > kills


def test_a3_a11_a_storm_of_kills_over_forked_writers() -> None:
    count, seed = 20_000 if strategies.stressed else 100, os.environ.get("ULTRADICT_SEED", "1")
    command = [sys.executable, str(Path(__file__).with_name("storm.py")), str(count), seed]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    print(ended.stdout)
