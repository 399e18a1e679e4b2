# SPDX-License-Identifier: Apache-2.0
"""How everything here is measured: two contestants in turn, in one run, and the median of each.

A ratio is taken between figures of the same run, measured alternately, so that a slow moment of the machine meets both.
No figure counts before its answer was compared with one computed without UltraDict: see `check`.
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")


class WrongAnswer(Exception):
    """A contestant computed something else than the reference: its time means nothing."""


def check(what: str, answer: object, reference: object) -> None:
    """Let no figure through whose answer is wrong."""
    if answer != reference:
        raise WrongAnswer(f"{what}: {abbreviated(answer)}, not {abbreviated(reference)}")


def abbreviated(value: object) -> str:
    """Enough of a value to recognize it by."""
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


class Scale(NamedTuple):
    """How much work a run does. A quick run checks that everything works; its figures are too small to be judged."""

    quick: bool

    def of(self, full: T, quick: T) -> T:
        """The size for this run."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Row:
    """One line of the result: a figure, and the goal it is held against."""

    name: str
    statement: str
    value: float
    unit: str  # "x": times as much as the other; "ms", "us": milli- and microseconds
    goal: float | None = None
    ours_ns: float | None = None  # one operation
    beside_ns: float | None = None
    note: str = ""

    def met(self) -> bool | None:
        """Whether the goal was reached; None where there is no goal."""
        return None if self.goal is None else self.value <= self.goal


class Pair(NamedTuple):
    """The medians of two contestants, for one operation."""

    ours_ns: float
    beside_ns: float

    @property
    def ratio(self) -> float:
        return self.ours_ns / self.beside_ns

    def row(self, name: str, statement: str, goal: float | None, note: str = "") -> Row:
        """This pair as a line of the result."""
        return Row(name, statement, self.ratio, "x", goal, self.ours_ns, self.beside_ns, note)


def timed_ns(statement: str, names: Mapping[str, Any], loops: int = 1) -> float:
    """What `timeit` says the statement takes once. The names are local variables of the timed function."""
    setup = "; ".join(f"{name} = _names['{name}']" for name in names)
    timer = timeit.Timer(statement, setup=setup, globals={"_names": names})
    return timer.timeit(loops) / loops * 1e9


def alternate(
    statement: str,
    ours: Mapping[str, Any],
    beside: Mapping[str, Any],
    operations: int,
    repetitions: int,
    loops: int = 1,
    beside_statement: str = "",
) -> Pair:
    """Time a statement of `operations` operations on both in turn; ours goes first in every other repetition."""
    samples: tuple[list[float], list[float]] = ([], [])
    contestants = ((statement, ours), (beside_statement or statement, beside))
    for repetition in range(repetitions):
        for index in (0, 1) if repetition % 2 else (1, 0):
            text, names = contestants[index]
            samples[index].append(timed_ns(text, names, loops) / operations)
    return Pair(*(statistics.median(values) for values in samples))


def int_keys(count: int) -> list[int]:
    """Keys that are ints; most of them are objects of their own."""
    return list(range(count))


def str_keys(count: int) -> list[str]:
    """Keys as programs use them: short, ASCII."""
    return [f"key{number}" for number in range(count)]


def key_sets(count: int) -> Iterable[tuple[str, Sequence[Any]]]:
    """Both kinds of keys that the goals speak of, with their names."""
    return (("int", int_keys(count)), ("str", str_keys(count)))
