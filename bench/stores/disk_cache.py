# SPDX-License-Identifier: Apache-2.0
"""diskcache: SQLite and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from stores.base import Place, Store


class DiskCache(Store):
    title = "diskcache"
    settings = "`Cache(eviction_policy='none', sqlite_synchronous=0)`, files in memory; its own `incr` for the counter."
    requirements = ("diskcache==5.6.3",)
    environment = "diskcache"
    imports = "import diskcache"
    library = "import sqlite3; print('SQLite', sqlite3.sqlite_version)"
    increment = "incr(k)"
    iterate = "all_items()"
    write_nested = "with d.transact(retry=True): n = d[k]; n['branch']['leaf'] = v; d[k] = n"

    def __init__(self, place: Place, create: bool) -> None:
        import diskcache

        folder = f"{place.directory}/{place.name}"
        self.d = diskcache.Cache(folder, eviction_policy="none", sqlite_synchronous=0, size_limit=4 << 30)

    def names(self) -> dict[str, Any]:
        return {"d": self.d, "incr": self.d.incr, "all_items": self.all_items}

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        with self.d.transact(retry=True):
            for key, value in items:
                self.d[key] = value

    def all_items(self) -> Iterator[tuple[Any, Any]]:
        return ((key, self.d[key]) for key in self.d)

    def lock(self) -> AbstractContextManager[Any]:
        transaction: AbstractContextManager[Any] = self.d.transact(retry=True)
        return transaction

    def close(self, last: bool) -> None:
        self.d.close()
