# SPDX-License-Identifier: Apache-2.0
"""The timed loops: the statements of a store stand in them literally, with its names as local variables.

Throughput and single operations are timed in separate loops. The time of a single operation contains that of the clock;
nothing is subtracted, but `timer_ns` says how much it is.
"""

from __future__ import annotations

import textwrap
import time
from collections import Counter
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

from harness import WrongAnswer, check

from suite.distribution import Distribution
from suite.member import Member

Loop = Callable[[Sequence[Any]], Any]
CHUNK_NS = 2_000_000
SAMPLES_MAX = 400_000
CHECKED_MAX, CHECKED_SECONDS = 2_000, 2.0
WARM_UP = 3  # times what is measured: even a slow store that keeps what it has read has then kept it


def compiled(names: dict[str, Any], source: str) -> Callable[..., Any]:
    """A function `loop` of one argument, `items`, with all names as locals."""
    parameters = ", ".join(f"{name}={name}" for name in names)
    space = dict(names)
    exec(f"def loop(items, {parameters}):\n{textwrap.indent(source, ' ')}\n", space)
    loop: Callable[..., Any] = space["loop"]
    return loop


def each(member: Member, statement: str, target: str = "k") -> Loop:
    """A statement for every item."""
    return compiled(member.store.names(), f"for {target} in items:\n{textwrap.indent(statement, '  ')}")


def each_timed(names: dict[str, Any], statement: str, target: str = "k") -> Loop:
    """The same, with the nanoseconds of each in a list that it returns."""
    body = f"  started = clock()\n{textwrap.indent(statement, '  ')}\n  add(clock() - started)"
    source = f"times = []\nadd = times.append\nfor {target} in items:\n{body}\nreturn times"
    return compiled({**names, "clock": perf_counter_ns}, source)


def values(member: Member, expression: str, items: Sequence[Any]) -> list[Any]:
    """What the store answers for each."""
    source = f"values = []\nfor k in items:\n  values.append({expression})\nreturn values"
    answer: list[Any] = compiled(member.store.names(), source)(items)
    return answer


def chunks(loop: Loop, items: Sequence[Any]) -> list[Sequence[Any]]:
    """The items in parts that take about two milliseconds: the loop is tried, which also warms it up.

    Two tries in turn must take that long: one may have met a moment in which others had the processor.
    """
    size, slow = 1, 0
    while size < len(items):
        started = perf_counter_ns()
        loop(items[:size])
        slow = slow + 1 if perf_counter_ns() - started > CHUNK_NS else 0
        if slow == 2:
            break
        if slow == 0:
            size *= 2
    size = min(size, len(items))
    return [items[start : start + size] for start in range(0, len(items) - size + 1, size)]


def warm_up(loop: Loop, parts: Sequence[Sequence[Any]], seconds: float) -> None:
    """Go through all items once, or as far as the time allows: what is met for the first time costs more."""
    deadline = time.perf_counter() + seconds
    for part in parts:
        if time.perf_counter() > deadline:
            break
        loop(part)


def throughput(loop: Loop, parts: Sequence[Sequence[Any]], seconds: float) -> tuple[int, float]:
    """How many items went through it, and in how many seconds."""
    done, total = 0, 0
    limit = int(seconds * 1e9)
    while total < limit:
        for part in parts:
            started = perf_counter_ns()
            loop(part)
            total += perf_counter_ns() - started
            done += len(part)
            if total >= limit:
                break
    return done, total / 1e9


def single_operations(loop: Loop, parts: Sequence[Sequence[Any]], seconds: float) -> Distribution:
    """How long each took, until the time is up or there are enough."""
    counts: Counter[int] = Counter()
    deadline = time.perf_counter() + seconds
    samples = 0
    while time.perf_counter() < deadline and samples < SAMPLES_MAX:
        for part in parts:
            times = loop(part)
            counts.update(times)
            samples += len(times)
            if time.perf_counter() >= deadline or samples >= SAMPLES_MAX:
                break
    return Distribution.of(counts)


def timer_ns() -> float:
    """What the clock itself adds to a single operation."""
    return single_operations(each_timed({}, "pass"), [range(1000)], 0.005).quantile(0.5)


def operations(
    member: Member, statement: str, items: Sequence[Any], seconds: float, target: str = "k"
) -> dict[str, Any]:
    """The figures of a statement in one process: operations a second, and single ones unless they come in batches."""
    loop = each(member, statement, target)
    parts = chunks(loop, items)
    warm_up(loop, parts, WARM_UP * seconds)
    done, elapsed = throughput(loop, parts, seconds)
    figures: dict[str, Any] = {"per_s": done * member.store.batch / elapsed, "operations": done * member.store.batch}
    if member.store.batch == 1:
        timed = each_timed(member.store.names(), statement, target)
        figures.update(single_operations(timed, parts, seconds).figures(), timer_ns=timer_ns())
    return figures


def grouped(member: Member, items: Sequence[Any]) -> list[Any]:
    """Items as the statements of a store take them: one by one or in batches."""
    size = member.store.batch
    return list(items) if size == 1 else [items[start : start + size] for start in range(0, len(items), size)]


def write_in_time(member: Member, pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    """Write keys and values, as many as the time allows; those that were written."""
    loop = each(member, member.store.write, "k, v" if member.store.batch == 1 else "k")
    written: dict[Any, Any] = {}
    deadline = time.perf_counter() + CHECKED_SECONDS
    for start in range(0, len(pairs), member.store.batch):
        some = pairs[start : start + member.store.batch]
        loop(grouped(member, some))
        written.update(some)
        if time.perf_counter() > deadline:
            break
    return written


def answered(member: Member, what: str, group: Any) -> Any:
    """The value of a key; that the store does not have it is an answer, too, and a wrong one."""
    try:
        return values(member, member.store.read, [group])[0]
    except (KeyError, TypeError) as error:
        raise WrongAnswer(f"{what}, {group!r:.40}: not there ({type(error).__name__})") from None


def check_values(member: Member, what: str, expected: dict[Any, Any]) -> None:
    """The store must hold these values: as many of them as can be looked at in reasonable time."""
    keys = list(expected)
    step = max(1, len(keys) // CHECKED_MAX)
    deadline = time.perf_counter() + CHECKED_SECONDS
    for group in grouped(member, keys[::step]):
        answer = answered(member, what, group)
        wanted = expected[group] if member.store.batch == 1 else [expected[key] for key in group]
        check(f"{what}, {group!r:.40}", answer, wanted)
        if time.perf_counter() > deadline:
            break
