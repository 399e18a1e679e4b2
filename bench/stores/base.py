# SPDX-License-Identifier: Apache-2.0
"""What the suite asks of a store.

An operation is a statement, not a method: it stands in the timed loop as it would in a program, so that no store pays
for a call that another one is spared. Statements see `k` (a key, as `key` made it), `v` (a value) and the names that
`names` gives them. Keys are converted beforehand and not timed; values are int unless a statement says bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

# What a workload may need and a store may lack, each with what it means.
ABILITIES = {
    "keys": "holds keys and values at all",
    "shared": "other processes see what one writes",
    "attach": "a process finds it by name",
    "insert": "takes keys that it was not created with",
    "single": "one operation at a time",
    "writers": "several processes write",
    "increment": "reads, adds and writes with nobody in between",
    "lock": "has something to hold that others wait for",
    "iterate": "gives all of its items",
    "bytes": "takes byte strings of every size",
    "nested": "changes a dict in a dict",
}


@dataclass(frozen=True)
class Place:
    """Where a store lives, the same for all of its processes."""

    directory: str  # in memory, removed afterwards
    name: str  # begins with what the suite removes from shared memory afterwards
    server: Mapping[str, Any] = field(default_factory=dict)  # how to reach the server, if there is one
    nested: bool = False
    count: int = 0  # keys it will be filled with


class Store:
    """A store as one process sees it. The class itself says what is to be known before there is one."""

    title: ClassVar[str] = ""
    settings: ClassVar[str] = ""
    requirements: ClassVar[tuple[str, ...]] = ()  # pinned, from PyPI
    environment: ClassVar[str] = ""  # folder of the environment; none: the interpreter that runs the suite
    imports: ClassVar[str] = ""  # what a program that uses it imports
    library: ClassVar[str] = ""  # a program that prints the version of what is not from PyPI
    server: ClassVar[str] = ""
    asks: ClassVar[bool] = False  # every operation is a question to another process
    forked: ClassVar[bool] = False  # further processes are forked: its lock reaches no others
    keys_max: ClassVar[int] = 1_000_000_000  # that it can be filled with in reasonable time
    batch: ClassVar[int] = 1  # operations that a statement carries out at once
    ours: ClassVar[bool] = False
    cannot: ClassVar[Mapping[str, str]] = {}  # ability -> why not

    read: ClassVar[str] = "d[k]"
    write: ClassVar[str] = "d[k] = v"
    read_bytes: ClassVar[str] = ""  # as `read` where it is empty
    write_bytes: ClassVar[str] = ""
    increment: ClassVar[str] = "d[k] += 1"
    iterate: ClassVar[str] = "d.items()"
    make_nested: ClassVar[str] = "d[k] = {'branch': {'leaf': 0}}"
    write_nested: ClassVar[str] = "d[k]['branch']['leaf'] = v"
    read_nested: ClassVar[str] = "d[k]['branch']['leaf']"

    d: Any
    server_pid: int | None = None  # of one that the store itself started

    def __init__(self, place: Place, create: bool) -> None:
        raise NotImplementedError

    def names(self) -> dict[str, Any]:
        """What the statements use."""
        return {"d": self.d}

    def key(self, text: str) -> Any:
        """A key as this store takes it."""
        return text

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        """Put many items in, the fastest way there is."""
        self.d.update(items)

    def lock(self) -> AbstractContextManager[Any]:
        """What excludes the others while it is held."""
        lock: AbstractContextManager[Any] = self.d.lock
        return lock

    def close(self, last: bool) -> None:
        """Let go; the last one also removes what would stay behind."""


def without(abilities: Iterable[str], reason: str) -> dict[str, str]:
    """The same reason for several abilities."""
    return dict.fromkeys(abilities, reason)
