# SPDX-License-Identifier: Apache-2.0
"""LMDB through py-lmdb, with a transaction for each operation, and with one for a hundred."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from stores.base import Place, Store, without

FLAGS = "sync=False, metasync=False, writemap=True, map_async=True"


class LmdbEach(Store):
    title = "LMDB"
    settings = f"`{FLAGS}`, files in memory; a transaction for each operation."
    requirements = ("lmdb==3.0.0",)
    environment = "lmdb"
    imports = "import lmdb"
    library = "import lmdb; print('liblmdb', '.'.join(map(str, lmdb.version())))"
    read = "int(begin().get(k))"
    write = "with begin(write=True) as t: t.put(k, b'%d' % v)"
    read_bytes = "begin().get(k)"
    write_bytes = "with begin(write=True) as t: t.put(k, v)"
    increment = "with begin(write=True) as t: t.put(k, b'%d' % (int(t.get(k)) + 1))"
    iterate = "all_items()"
    make_nested = "with begin(write=True) as t: t.put(k, dumps({'branch': {'leaf': 0}}))"
    write_nested = "with begin(write=True) as t: n = loads(t.get(k)); n['branch']['leaf'] = v; t.put(k, dumps(n))"
    read_nested = "loads(begin().get(k))['branch']['leaf']"

    def __init__(self, place: Place, create: bool) -> None:
        import lmdb

        options: dict[str, Any] = {"sync": False, "metasync": False, "writemap": True, "map_async": True}
        self.d = lmdb.open(f"{place.directory}/{place.name}", map_size=2 << 30, **options)

    def names(self) -> dict[str, Any]:
        own = {"all_items": self.all_items, "begin": self.d.begin}
        return {**own, "int": int, "dumps": pickle.dumps, "loads": pickle.loads}

    def key(self, text: str) -> bytes:
        return text.encode()

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        with self.d.begin(write=True) as transaction:
            transaction.cursor().putmulti([(key, b"%d" % value) for key, value in items])

    def all_items(self) -> Iterator[tuple[str, int]]:
        with self.d.begin() as transaction:
            yield from ((key.decode(), int(value)) for key, value in transaction.cursor())

    def lock(self) -> AbstractContextManager[Any]:
        transaction: AbstractContextManager[Any] = self.d.begin(write=True)
        return transaction

    def close(self, last: bool) -> None:
        self.d.close()


class LmdbBatch(LmdbEach):
    title = "LMDB, 100 a transaction"
    settings = f"`{FLAGS}`, files in memory; a hundred operations in each transaction."
    batch = 100
    cannot = without(("single", "increment", "lock", "iterate", "bytes", "nested"), "measured one a transaction")
    read = "read_many(k)"
    write = "write_many(k)"

    def names(self) -> dict[str, Any]:
        return {"read_many": self.read_many, "write_many": self.write_many}

    def read_many(self, keys: Sequence[bytes]) -> list[int]:
        with self.d.begin() as transaction:
            get = transaction.get
            return [int(get(key)) for key in keys]

    def write_many(self, pairs: Sequence[tuple[bytes, int]]) -> None:
        with self.d.begin(write=True) as transaction:
            put = transaction.put
            for key, value in pairs:
                put(key, b"%d" % value)
