# SPDX-License-Identifier: Apache-2.0
"""The stash of gunicorn's dirty arbiter, without gunicorn around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stores.base import Place, Store, without


class DirtyStash(Store):
    title = "gunicorn dirty.stash"
    settings = "The arbiter alone, without workers, over its unix socket; one table."
    requirements = ("gunicorn==27.0.1",)
    environment = "gunicorn"
    imports = "import gunicorn.dirty.stash"
    server = "dirty_stash"
    asks = True
    cannot = {
        **without(("increment", "nested"), "its documentation says that reading and writing back is a race"),
        "lock": "has no lock",
    }
    read = "get('t', k)"
    write = "put('t', k, v)"
    iterate = "table.items()"

    def __init__(self, place: Place, create: bool) -> None:
        from gunicorn.dirty.stash import StashClient

        self.d = StashClient(place.server["socket"])
        if create:
            self.d.delete_table("t")
        self.d.ensure("t")

    def names(self) -> dict[str, Any]:
        return {"get": self.d.get, "put": self.d.put, "table": self.d.table("t")}

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        for key, value in items:
            self.d.put("t", key, value)

    def close(self, last: bool) -> None:
        self.d.close()
