# SPDX-License-Identifier: Apache-2.0
"""sqlitedict: a dict of pickles in SQLite, behind a thread."""

from __future__ import annotations

from stores.base import Place, Store

NO_LOCK = "nothing spans reading and writing"


class SqliteDictStore(Store):
    title = "sqlitedict"
    settings = "`autocommit=True, journal_mode='WAL'`, file in memory: only what is committed is shared."
    requirements = ("sqlitedict==2.1.0",)
    environment = "sqlitedict"
    imports = "import sqlitedict"
    library = "import sqlite3; print('SQLite', sqlite3.sqlite_version)"
    cannot = {"increment": NO_LOCK, "lock": "has no lock", "nested": NO_LOCK}

    def __init__(self, place: Place, create: bool) -> None:
        from sqlitedict import SqliteDict

        self.d = SqliteDict(f"{place.directory}/{place.name}", autocommit=True, journal_mode="WAL", timeout=60)

    def close(self, last: bool) -> None:
        self.d.close()
