# SPDX-License-Identifier: Apache-2.0
"""SQLite through the standard library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from stores.base import Place, Store

PRAGMAS = ("journal_mode=WAL", "synchronous=OFF", "mmap_size=1073741824", "busy_timeout=60000")
TABLE = "CREATE TABLE IF NOT EXISTS items (k TEXT PRIMARY KEY, v) WITHOUT ROWID"
WRITE = "INSERT INTO items VALUES (?, ?) ON CONFLICT (k) DO UPDATE SET v = excluded.v"


class Sqlite(Store):
    title = "SQLite"
    settings = f"File in memory, autocommit, one table without row ids; {', '.join(f'`{text}`' for text in PRAGMAS)}."
    imports = "import sqlite3"
    library = "import sqlite3; print('SQLite', sqlite3.sqlite_version)"
    read = "run('SELECT v FROM items WHERE k = ?', (k,)).fetchone()[0]"
    write = f"run({WRITE!r}, (k, v))"
    increment = "run('UPDATE items SET v = v + 1 WHERE k = ?', (k,))"
    iterate = "run('SELECT k, v FROM items')"
    make_nested = f'run({WRITE!r}, (k, \'{{"branch": {{"leaf": 0}}}}\'))'
    write_nested = "run(\"UPDATE items SET v = json_set(v, '$.branch.leaf', ?) WHERE k = ?\", (v, k))"
    read_nested = "run(\"SELECT v ->> '$.branch.leaf' FROM items WHERE k = ?\", (k,)).fetchone()[0]"

    def __init__(self, place: Place, create: bool) -> None:
        self.d = sqlite3.connect(f"{place.directory}/{place.name}", isolation_level=None)
        for pragma in PRAGMAS:
            self.d.execute(f"PRAGMA {pragma}").fetchall()
        self.d.execute(TABLE)

    def names(self) -> dict[str, Any]:
        return {"run": self.d.execute}

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        with self.lock():
            self.d.executemany(WRITE, items)

    @contextmanager
    def lock(self) -> Iterator[None]:
        self.d.execute("BEGIN IMMEDIATE")
        yield
        self.d.execute("COMMIT")

    def close(self, last: bool) -> None:
        self.d.close()
