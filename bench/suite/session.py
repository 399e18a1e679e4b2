# SPDX-License-Identifier: Apache-2.0
"""One store in one round: all workloads in order, each with a store that is filled, empty or nested as it asks.

A workload that fails costs the store its processes, not its turn: the next one begins with new ones.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import comparisons
from harness import WrongAnswer
from stores import adapter
from stores.base import Place, Store

from suite.environments import NotInstalled
from suite.family import Family, Scale
from suite.results import Results
from suite.servers import awake, running
from suite.team import Faulty, Setting, Team

_numbers = itertools.count()
PREFIX = f"v{os.getpid()}_"  # of all names in shared memory; short enough for multiprocessing.shared_memory


class Session:
    """A store, put through some workloads."""

    def __init__(self, name: str, python: str, directory: str, scale: Scale, results: Results) -> None:
        self.name, self.python, self.directory = name, python, directory
        self.scale, self.results = scale, results
        self.adapter: type[Store] = adapter(name)
        self._kind = ""
        self._open = ExitStack()
        self._team: Team | None = None

    def run(self, workloads: list[str]) -> Iterator[str]:
        """Measure; a line for each workload that went wrong."""
        try:
            for workload in workloads:
                module: ModuleType = comparisons.module(workload)
                family = module.FAMILY
                for variant in family.variants:
                    if family.processes(variant) <= self.scale.processes_max:
                        yield from self._measure(workload, module, variant)
        finally:
            self._close(quiet=True)

    def _measure(self, workload: str, module: ModuleType, variant: str) -> Iterator[str]:
        cell = self.results.cell(workload, variant, self.name)
        reason = self._lacking(module.FAMILY, variant)
        if reason:
            cell["cannot"] = reason
        if self.results.reason(workload, variant, self.name):
            return
        try:
            figures = module.measure(self._team_for(module.FAMILY), variant, self.scale)
            self.results.add(workload, variant, self.name, figures)
        except (Faulty, WrongAnswer, NotInstalled, OSError) as error:
            kind = error.kind if isinstance(error, Faulty) else "wrong" if isinstance(error, WrongAnswer) else "failed"
            cell[kind] = str(error)
            self._close(quiet=True)
            yield f"{self.name}: {workload} {variant}: {kind}: {error}"

    def _lacking(self, family: Family, variant: str) -> str:
        """Why the store has no part in this; empty if it has."""
        needs = family.needs(variant)
        if "imports" in needs and not self.adapter.imports:
            return "nothing is imported for it"
        return next((self.adapter.cannot[need] for need in needs if need in self.adapter.cannot), "")

    def _team_for(self, family: Family) -> Team:
        """The processes, new ones if the last workload had a store of another kind."""
        if self._team is None or self._kind != family.store:
            self._close(quiet=not self.adapter.ours)
            self._kind = family.store
            self._team = self._open.enter_context(self._new_team(family.store))
        return self._team

    def _new_team(self, kind: str) -> Team:
        if self.adapter.asks:
            self._open.enter_context(awake())
        server, pid = self._open.enter_context(running(self.adapter.server, self.directory, self.python))
        fill = min(self.scale.keys, self.adapter.keys_max) if kind == "filled" else 0
        name = f"{PREFIX}{next(_numbers)}"
        place = Place(self.directory, name, server, kind == "nested", fill)
        return Team(Setting(self.name, self.python, place, fill, self.scale.patience), pid)

    def _close(self, quiet: bool) -> None:
        """End the processes; `quiet`: whatever they say to it."""
        stack, self._open, self._team = self._open, ExitStack(), None
        try:
            stack.close()
        except Faulty:  # many a peer cannot be closed in peace
            if not quiet:
                raise


def environment(directory: str) -> dict[str, Any]:
    """Where every process of the suite keeps what it makes."""
    return {"ULTRADICT_DIR": f"{directory}/ultradict", "TMPDIR": directory}
