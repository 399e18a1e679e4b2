# SPDX-License-Identifier: Apache-2.0
"""The standard library's way: a server process, every access a message to it."""

from __future__ import annotations

import multiprocessing
from contextlib import AbstractContextManager
from multiprocessing.managers import SyncManager
from typing import Any

from suite.lifetime import die_with_parent

from stores.base import Place, Store


class ManagerDict(Store):
    title = "multiprocessing.Manager().dict()"
    settings = (
        "Default parameters; a `multiprocessing.Lock`, much faster than the manager's own, where a lock is asked."
    )
    imports = "from multiprocessing.managers import SyncManager"
    forked = True
    asks = True
    cannot = {"attach": "a proxy is handed down to forked processes, not found by name"}
    increment = "with lock: d[k] += 1"
    make_nested = "d[k] = manager.dict(branch=manager.dict(leaf=0))"

    def __init__(self, place: Place, create: bool) -> None:
        self.manager = SyncManager()
        self.manager.start(die_with_parent)  # `Manager()` does the same, but its server outlives a killed program
        self.server_pid = multiprocessing.active_children()[0].pid
        self.d = self.manager.dict()
        self.mutex = multiprocessing.Lock()

    def names(self) -> dict[str, Any]:
        return {"d": self.d, "lock": self.mutex, "manager": self.manager}

    def lock(self) -> AbstractContextManager[Any]:
        return self.mutex

    def close(self, last: bool) -> None:
        if last:
            self.manager.shutdown()
