# SPDX-License-Identifier: Apache-2.0
"""Reading what another process has just written: keys known here and changed there, and keys never seen before.

Such a read makes a new object, which a plain dict's read does not: beside it stands what marshal, the fastest decoder
that CPython has, takes to put the same values into a plain dict, without any check.
"""

from __future__ import annotations

import marshal
import statistics
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import Any

from harness import Row, Scale, check, int_keys, timed_ns

from UltraDict import UltraDict

STATEMENT = "for k in keys: d[k]"
DECODING = "for k in keys: d[k] = loads(dumped[k])"
VALUES: dict[str, Callable[[int], Any]] = {
    "int": lambda number: number,
    "str": lambda number: f"value {number}",
    "small tuple": lambda number: (number, "x"),
}
GOALS = {"changed": 4.0, "never read": 20.0}
GOAL_BESIDE_MARSHAL = 1.5


def write(shared: UltraDict[Any, Any], count: int, turn: Any) -> None:
    """The other process: rewrites all keys each time it is told which round it is."""
    for kind, number in iter(turn.recv, None):
        for key in range(count):
            shared[key] = VALUES[kind](key + number)
        turn.send(number)


def measure(scale: Scale) -> Iterator[Row]:
    """Each kind of value, 20,000 keys."""
    count = scale.of(20_000, 1_000)
    shared: UltraDict[Any, Any] = UltraDict()
    with shared:
        here, there = get_context("spawn").Pipe()
        writer = get_context("spawn").Process(target=write, args=(shared, count, there))
        writer.start()
        for kind in VALUES:
            yield from measure_kind(scale, shared, kind, count, here)
        here.send(None)
        writer.join()


def measure_kind(scale: Scale, shared: UltraDict[Any, Any], kind: str, count: int, turn: Any) -> Iterator[Row]:
    """Rounds of: the other one writes, this one reads twice the plain way, once as news, once through a new handle."""
    keys = int_keys(count)
    times: dict[str, list[float]] = {"changed": [], "never read": [], "plain": [], "marshal": []}
    for number in range(scale.of(11, 3)):
        turn.send((kind, number))
        turn.recv()
        plain = {key: VALUES[kind](key + number) for key in keys}
        times["plain"].append(timed_ns(STATEMENT, {"d": plain, "keys": keys}) / count)
        decoding = {"d": dict(plain), "keys": keys, "loads": marshal.loads}
        dumped = [marshal.dumps(plain[key]) for key in keys]
        times["marshal"].append(timed_ns(DECODING, {**decoding, "dumped": dumped}) / count)
        times["changed"].append(timed_ns(STATEMENT, {"d": shared, "keys": keys}) / count)
        other: UltraDict[Any, Any] = UltraDict(name=shared.name)
        with other:
            times["never read"].append(timed_ns(STATEMENT, {"d": other, "keys": keys}) / count)
        check(kind, [shared[key] for key in keys], list(plain.values()))
    plain_ns = statistics.median(times.pop("plain"))
    marshal_ns = statistics.median(times.pop("marshal"))
    for name, values in times.items():
        # The first round reads keys that were never seen, through this handle too.
        ours = statistics.median(values[1:])
        yield Row(f"read a key {name}, {kind}", STATEMENT, ours / plain_ns, "x", GOALS[name], ours, plain_ns)
        if name == "changed":
            ratio, note = ours / marshal_ns, "beside marshal.loads into a plain dict"
            yield Row(f"read a key {name}, {kind}", STATEMENT, ratio, "x", GOAL_BESIDE_MARSHAL, ours, marshal_ns, note)
