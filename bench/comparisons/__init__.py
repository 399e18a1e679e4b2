# SPDX-License-Identifier: Apache-2.0
"""The workloads that every store is put through, in the order in which they run.

Each is a module with `FAMILY` (a `Family`) and `measure(team, variant, scale)`, which gives the figures by name. Those
of its functions that take a `Member` run in the processes of the store.
"""

from __future__ import annotations

import importlib
from typing import Any

# The first ones share a store that holds every key, and those that write come last among them; the later ones begin
# with an empty one.
ORDER = (
    "read",
    "read_total",
    "iterate",
    "attach",
    "memory",
    "waiting",
    "write",
    "mixed",
    "counter",
    "writers",
    "propagation",
    "value_size",
    "insert",
    "nested",
    "startup",
)


def module(name: str) -> Any:
    """The module of a workload."""
    return importlib.import_module(f"comparisons.{name}")
