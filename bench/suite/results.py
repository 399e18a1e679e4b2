# SPDX-License-Identifier: Apache-2.0
"""The figures of a run, as the JSON file holds them.

`cells[workload][variant][store]` has `rounds` (the figures of each round by name), or why there are none: `cannot`, the
store does not offer it; `wrong`, an answer was wrong; `failed`, it raised or did not answer. `wrong` and `failed` may
stand beside the rounds before.
"""

from __future__ import annotations

import copy
import json
import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

REASONS = ("cannot", "wrong", "failed")
STEADY = 1.25


class Figure(NamedTuple):
    """A figure over all rounds."""

    median: float
    least: float
    most: float


class Results:
    """All of a run."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    @classmethod
    def read(cls, file: Path) -> Results:
        return cls(json.loads(file.read_text()))

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(self.content, indent=1) + "\n")

    def cell(self, workload: str, variant: str, store: str) -> dict[str, Any]:
        """The cell, made if it is not there."""
        cells = self.content.setdefault("cells", {})
        cell: dict[str, Any] = cells.setdefault(workload, {}).setdefault(variant, {}).setdefault(store, {})
        return cell

    def add(self, workload: str, variant: str, store: str, figures: Mapping[str, float]) -> None:
        """The figures of one round."""
        rounded = {name: float(f"{value:.6g}") for name, value in figures.items()}
        self.cell(workload, variant, store).setdefault("rounds", []).append(rounded)

    def reason(self, workload: str, variant: str, store: str) -> tuple[str, str] | None:
        """Why there is no figure, or no more of them: the kind and the words."""
        cell = self.content.get("cells", {}).get(workload, {}).get(variant, {}).get(store, {})
        return next(((kind, cell[kind]) for kind in REASONS if kind in cell), None)

    def figure(self, workload: str, variant: str, store: str, name: str) -> Figure | None:
        """A figure, if it was measured and no answer was wrong."""
        cell = self.content.get("cells", {}).get(workload, {}).get(variant, {}).get(store, {})
        if "wrong" in cell:
            return None
        values = [figures[name] for figures in cell.get("rounds", []) if name in figures]
        return Figure(statistics.median(values), min(values), max(values)) if values else None

    def rounds(self) -> list[Results]:
        """Each round by itself, with what was measured once for all of them."""
        found = []
        for number in range(max((len(cell.get("rounds", ())) for cell in self._all_cells()), default=0)):
            alone = Results(copy.deepcopy(self.content))
            for cell in alone._all_cells():
                cell["rounds"] = cell.get("rounds", [])[number : number + 1]
            found.append(alone)
        return found

    def _all_cells(self) -> Iterator[dict[str, Any]]:
        for variants in self.content.get("cells", {}).values():
            for stores in variants.values():
                yield from stores.values()

    def clock(self) -> Figure | None:
        """ns that reading the clock took in all of the run: the median, and between what nine tenths of it lay.

        A machine that does as much at any time reads it in the same time. Half as much again says that others had a
        share of its processors, or that their frequency changed.
        """
        rounds = (figures for cell in self._all_cells() for figures in cell.get("rounds", ()))
        read = [figures["timer_ns"] for figures in rounds if "timer_ns" in figures]
        if len(read) < 2:
            return None
        twentieths = statistics.quantiles(read, n=20, method="inclusive")
        return Figure(twentieths[9], twentieths[0], twentieths[18])

    def steady(self) -> bool:
        """Whether the machine was, by its clock: figures of one that was not are no figures of the stores."""
        clock = self.clock()
        return clock is None or clock.most <= STEADY * clock.least

    def stores(self) -> list[str]:
        """Those that took part or were to, in their order."""
        return list(self.content["stores"])

    def with_reasons(self, kind: str) -> list[tuple[str, str, str, str]]:
        """Every cell of a kind: workload, variant, store and words."""
        cells: dict[str, dict[str, dict[str, dict[str, str]]]] = self.content.get("cells", {})
        return [
            (workload, variant, store, cell[kind])
            for workload, variants in cells.items()
            for variant, stores in variants.items()
            for store, cell in stores.items()
            if kind in cell
        ]
