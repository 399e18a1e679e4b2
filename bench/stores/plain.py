# SPDX-License-Identifier: Apache-2.0
"""What no store can beat: a dict that nobody shares, without and with a lock."""

from __future__ import annotations

import multiprocessing
from contextlib import AbstractContextManager
from typing import Any

from stores.base import Place, Store, without

NOT_SHARED = "each process has a dict of its own"


class PlainDict(Store):
    title = "plain dict"
    settings = "The limit. Where several processes take part, each works on a dict of its own; nothing is shared."
    forked = True
    cannot = {
        **without(("shared", "attach"), NOT_SHARED),
        "lock": "has no lock",
    }

    def __init__(self, place: Place, create: bool) -> None:
        self.d: dict[Any, Any] = {}


class LockedDict(Store):
    title = "dict + multiprocessing.Lock"
    settings = (
        "The limit for anything that locks: every operation under one lock that all processes share, each on a dict "
        "of its own."
    )
    imports = "import multiprocessing; multiprocessing.Lock()"
    forked = True
    cannot = without(("shared", "attach"), NOT_SHARED)
    read = "locked_read(k)"
    write = "with lock: d[k] = v"
    increment = "with lock: d[k] += 1"
    iterate = "locked_items()"
    write_nested = "with lock: d[k]['branch']['leaf'] = v"
    read_nested = "locked_read(k)['branch']['leaf']"

    def __init__(self, place: Place, create: bool) -> None:
        self.d: dict[Any, Any] = {}
        self.mutex = multiprocessing.Lock()

    def names(self) -> dict[str, Any]:
        return {
            "d": self.d,
            "lock": self.mutex,
            "locked_read": self.locked_read,
            "locked_items": self.locked_items,
        }

    def locked_read(self, key: Any) -> Any:
        with self.mutex:
            return self.d[key]

    def locked_items(self) -> list[tuple[Any, Any]]:
        with self.mutex:
            return list(self.d.items())

    def lock(self) -> AbstractContextManager[Any]:
        return self.mutex
