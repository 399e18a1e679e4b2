# SPDX-License-Identifier: Apache-2.0
"""What a workload says about itself, and how much work a run does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Scale:
    """How long a run measures. Operations are counted while a time passes, so that slow stores end as well."""

    name: str
    rounds: int
    seconds: float  # for a figure of one process
    team_seconds: float  # for one of several
    insert_seconds: float
    idle_seconds: float
    keys: int
    inserts: int
    starts: int  # of an interpreter
    patience: float  # seconds until a process that does not answer is given up
    processes_max: int = 8


FULL = Scale("full", 3, 0.1, 0.3, 3.0, 0.5, 100_000, 1_000_000, 5, 60.0)
QUICK = Scale("quick", 1, 0.03, 0.07, 0.3, 0.15, 20_000, 100_000, 3, 20.0)
TRIAL = Scale("trial", 1, 0.002, 0.01, 0.01, 0.02, 1_000, 2_000, 1, 20.0, processes_max=2)


class Column(NamedTuple):
    """A column of a table: a figure of a variant."""

    heading: str
    variant: str
    figure: str
    unit: str  # of `suite/units.py`
    spread: bool = False


class Table(NamedTuple):
    """A table of the document; the first column orders its plot as well."""

    title: str
    columns: tuple[Column, ...]
    plot: str = ""  # name of its file; none: no plot


@dataclass(frozen=True)
class Family:
    """A workload with its variants."""

    title: str
    text: str
    variants: tuple[str, ...]
    needs: Callable[[str], tuple[str, ...]]
    tables: tuple[Table, ...]
    store: str = "filled"  # or "empty", "nested"
    processes: Callable[[str], int] = lambda _: 1  # of a variant


def always(*abilities: str) -> Callable[[str], tuple[str, ...]]:
    """Needs that are the same for every variant."""
    return lambda _: abilities


Figures = Mapping[str, float]


def processes_text(count: int, what: str = "process") -> str:
    """A number of processes in words, or of others who work."""
    plural = what if count == 1 else f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{count} {plural}"


def single_columns(variant: str) -> tuple[Column, ...]:
    """The columns of an operation of one process."""
    return (
        Column("operations/s", variant, "per_s", "rate", True),
        *(Column(heading, variant, figure, "ns") for heading, figure in SINGLE),
    )


SINGLE = (("p50", "p50_ns"), ("p99", "p99_ns"), ("p99.9", "p999_ns"), ("longest", "max_ns"))
