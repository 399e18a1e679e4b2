# SPDX-License-Identifier: Apache-2.0
"""What this project set out to reach beside the others, judged from the figures of one run.

Where a goal speaks of reads or writes, it is judged for a hot key, where the work of the store is seen, and for keys
spread over memory, where that of the memory is; what a plain dict itself reaches stands beside it. Of several patterns
the worst counts. What was not measured is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from suite.results import Figure, Results

OURS = "ultradict"
PLAIN = "dict"
HOT_READ, SPREAD_READS = (("read", "hot"),), (("read", "uniform"), ("read", "zipf"))
HOT_WRITE, SPREAD_WRITES = (("write", "hot"),), (("write", "uniform"),)
PLAIN_INCREMENTS = 10_000_000  # a second, of a core for which the goal of the counters was set


class Missing(Exception):
    """Why a figure cannot be had."""


@dataclass(frozen=True)
class Goal:
    """A goal, and how it was met."""

    text: str
    bound: str
    figure: str = ""
    met: bool | None = None
    note: str = ""
    number: float | None = None  # the figure without its unit

    def verdict(self) -> str:
        return {True: "met", False: "MISSED", None: "cannot be said"}[self.met]

    def line(self) -> str:
        """As it is printed."""
        return f"{self.text:<58} {self.bound:>14} {self.figure:>24}  {self.verdict():<14}  {self.note}".rstrip()


def value(results: Results, workload: str, variant: str, store: str, name: str = "per_s") -> float:
    """The median of a figure."""
    return over_rounds(results, workload, variant, store, name).median


def over_rounds(results: Results, workload: str, variant: str, store: str, name: str) -> Figure:
    """A figure over all rounds."""
    found = results.figure(workload, variant, store, name)
    if found is None:
        reason = results.reason(workload, variant, store)
        raise Missing(f"{store}: {': '.join(reason) if reason else 'not measured'}")
    return found


Cells = Sequence[tuple[str, str]]


def times(results: Results, cells: Cells, store: str) -> tuple[float, tuple[str, str]]:
    """How many times as fast as a store we are, in the worst of some cells."""
    return min((value(results, *cell, OURS) / value(results, *cell, store), cell) for cell in cells)


def limit(results: Results, cell: tuple[str, str], store: str) -> str:
    """How many times as fast as a store a plain dict is: more cannot be expected of anybody."""
    try:
        return f"; a plain dict {value(results, *cell, PLAIN) / value(results, *cell, store):.1f} x"
    except Missing:
        return ""


def at_least(text: str, bound: float, cells: Cells, store: str) -> Callable[[Results], Goal]:
    """So many times as fast as a store."""

    def judged(results: Results) -> Goal:
        ratio, cell = times(results, cells, store)
        note = " ".join(cell) + limit(results, cell, store)
        return Goal(text, f">= {bound:g} x", f"{ratio:.1f} x", ratio >= bound, note, ratio)

    return with_reason(text, f">= {bound:g} x", judged)


def at_most(text: str, bound: float, unit: str, figure: Callable[[Results], float]) -> Callable[[Results], Goal]:
    """A figure that is not to be exceeded."""

    def judged(results: Results) -> Goal:
        found = figure(results)
        return Goal(text, f"<= {bound:g} {unit}", f"{found:.2f} {unit}", found <= bound, number=found)

    return with_reason(text, f"<= {bound:g} {unit}", judged)


def reaching(text: str, bound: float, unit: str, figure: Callable[[Results], float]) -> Callable[[Results], Goal]:
    """A figure that is to be reached."""

    def judged(results: Results) -> Goal:
        found = figure(results)
        return Goal(text, f">= {bound:g} {unit}", f"{found:.2f} {unit}", found >= bound, number=found)

    return with_reason(text, f">= {bound:g} {unit}", judged)


def with_reason(text: str, bound: str, judged: Callable[[Results], Goal]) -> Callable[[Results], Goal]:
    """The goal, or why nothing can be said of it."""

    def answer(results: Results) -> Goal:
        try:
            return judged(results)
        except Missing as reason:
            return Goal(text, bound, note=str(reason))

    return answer


def cpp(results: Results, *path: str) -> float:
    """A figure of the C++ programs."""
    found = results.content.get("cpp", {})
    for name in path:
        found = found.get(name, {})
    if not isinstance(found, (int, float)):
        raise Missing(f"no figure of the C++ programs: {' '.join(path)}")
    return float(found)


def cpp_times(results: Results, run: str, operation: str, rival: str) -> float:
    """How many times as fast as a rival the engine is."""
    return cpp(results, run, "ns", rival, operation) / cpp(results, run, "ns", "ultradict", operation)


def raw_one_way(results: Results) -> float:
    """A cache line from core to core and nothing else, in nanoseconds: by C++ where it was measured."""
    return cpp(results, "ping_pong", "bare cache lines", "p50, one way")


def counters_beside_plain_dict(results: Results) -> float:
    """Increments a second of four processes, as on a core of the speed that the goal speaks of, in millions."""
    plain = value(results, "counter", "1", "dict")
    return value(results, "counter", "4", OURS) / plain * PLAIN_INCREMENTS / 1e6


def longest_wait(results: Results) -> float:
    return max(over_rounds(results, "writers", count, OURS, "max_ns").most for count in ("2", "4", "8")) / 1e9


BESIDE = (  # what is done, beside whom, how many times as fast
    ("read", "UltraDict2", 6, "ultradict2"),
    ("read", "UltraDict 0.0.6", 15, "ultradict_006"),
    ("read", "Redis over TCP", 500, "redis_tcp"),
    ("read", "Redis by its socket", 500, "redis_unix"),
    ("read", "Manager().dict()", 500, "manager"),
    ("read", "LMDB", 15, "lmdb"),
    ("write", "UltraDict2", 15, "ultradict2"),
    ("write", "UltraDict 0.0.6", 18, "ultradict_006"),
    ("write", "UltraDict 0.0.6 with shared_lock", 150, "ultradict_006_shared_lock"),
    ("write", "LMDB", 5, "lmdb"),
)
PATTERNS: dict[str, dict[str, Cells]] = {
    "read": {"hot reads": HOT_READ, "spread reads": SPREAD_READS},
    "write": {"hot writes": HOT_WRITE, "spread writes": SPREAD_WRITES},
}


def beside_each() -> Iterator[Callable[[Results], Goal]]:
    """Each operation beside each store, in every pattern."""
    for what, title, bound, store in BESIDE:
        for pattern, cells in PATTERNS[what].items():
            yield at_least(f"{pattern}, beside {title}", bound, cells, store)


CPP_RUNS = {"hot": "get_put_hot", "spread": "get_put"}
CPP_BESIDE = (  # what is done, to which pattern, by which operations, beside whom, how many times as fast
    ("get", "hot", ("get",), "LMDB, a transaction each", 3, "lmdb, transaction each"),
    ("get", "spread", ("get",), "LMDB, a transaction each", 3, "lmdb, transaction each"),
    ("get", "hot", ("get",), "a concurrent map of one process", 0.5, "tbb::concurrent_hash_map"),
    ("get", "spread", ("get",), "a concurrent map of one process", 0.5, "tbb::concurrent_hash_map"),
    ("overwrite", "hot", ("overwrite",), "LMDB, a transaction each", 5, "lmdb, transaction each"),
    ("put", "spread", ("put", "overwrite"), "LMDB, a transaction each", 5, "lmdb, transaction each"),
)


def beside_in_cpp(
    what: str, pattern: str, operations: Sequence[str], title: str, bound: float, rival: str
) -> Callable[[Results], Goal]:
    """The same of the engine alone; puts are those of new keys and those over a value."""
    return reaching(
        f"C++ {pattern} {what}, beside {title}",
        bound,
        "x",
        lambda results: min(cpp_times(results, CPP_RUNS[pattern], operation, rival) for operation in operations),
    )


GOALS = (
    *beside_each(),
    at_least("counter of 4 processes, beside shared_lock", 20, [("counter", "4")], "ultradict_006_shared_lock"),
    reaching("counter of 4 processes, plain dict at 10 M/s", 2, "M/s", counters_beside_plain_dict),
    *(
        reaching(
            f"{what} reads of 2 processes, beside 2 plain dicts",
            0.95,
            "x",
            partial(value, workload="read_total", variant=variant, store=OURS, name="beside_dicts"),
        )
        for what, variant in (("hot", "hot_2"), ("spread", "uniform_2"))
    ),
    at_most(
        "propagation p50 in Python, beside a raw cache line",
        8,
        "x",
        lambda results: value(results, "propagation", "one_way", OURS, "p50_ns") / raw_one_way(results),
    ),
    at_most(
        "propagation p50 in Python, beside two words in Python",
        8,
        "x",
        lambda results: (
            value(results, "propagation", "one_way", OURS, "p50_ns")
            / value(results, "propagation", "one_way", "words", "p50_ns")
        ),
    ),
    at_most(
        "propagation p50 in C++, beside a raw cache line",
        3,
        "x",
        lambda results: cpp(results, "ping_pong", "ultradict", "p50, one way") / raw_one_way(results),
    ),
    at_most(
        "p99.9 of a write with 4 writers",
        1,
        "ms",
        lambda results: value(results, "writers", "4", OURS, "p999_ns") / 1e6,
    ),
    at_most(
        "import, over bare Python", 15, "ms", lambda results: value(results, "startup", "import", OURS, "import_ms")
    ),
    reaching(
        "8 writers, beside 2",
        0.7,
        "x",
        lambda results: value(results, "writers", "8", OURS) / value(results, "writers", "2", OURS),
    ),
    at_most("longest write of any writer", 1, "s", longest_wait),
    at_most(
        "processor time while idle", 0.02, "", lambda results: value(results, "waiting", "idle", OURS, "cpu_share")
    ),
    at_most(
        "processor time while waiting",
        0.02,
        "",
        lambda results: value(results, "waiting", "waiting", OURS, "cpu_share"),
    ),
    *(beside_in_cpp(*each) for each in CPP_BESIDE),
)


def judge(results: Results) -> list[Goal]:
    """Every goal by the medians of all rounds; what each round by itself would say stands behind its figure."""
    alone = results.rounds()
    return [with_spread(goal(results), [goal(one) for one in alone]) for goal in GOALS]


def with_spread(goal: Goal, alone: Sequence[Goal]) -> Goal:
    """The goal with the least and the most of all rounds."""
    numbers = [one.number for one in alone if one.number is not None]
    if goal.number is None or len(set(numbers)) < 2:
        return goal
    least, most = (f"{number:.0f}" if number >= 100 else f"{number:.3g}" for number in (min(numbers), max(numbers)))
    return replace(goal, figure=f"{goal.figure} ({least} … {most})")
