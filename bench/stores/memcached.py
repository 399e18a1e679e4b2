# SPDX-License-Identifier: Apache-2.0
"""memcached through pymemcache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stores.base import Place, Store


class Memcached(Store):
    title = "memcached"
    settings = (
        "Debian's memcached on loopback, 2 threads, 2 GiB, items of up to 32 MiB; `no_delay=True`, writes wait for the "
        "answer (`noreply=False`); its own `incr` for the counter."
    )
    requirements = ("pymemcache==4.0.0",)
    environment = "memcached"
    imports = "from pymemcache.client.base import Client"
    server = "memcached"
    asks = True
    cannot = {
        "iterate": "cannot list its keys",
        "lock": "has no lock",
        "nested": "values are bytes, and it has no lock",
    }
    read = "int(get(k))"
    write = "set(k, v)"
    read_bytes = "get(k)"
    increment = "incr(k, 1)"

    def __init__(self, place: Place, create: bool) -> None:
        from pymemcache.client.base import Client

        self.d = Client(("127.0.0.1", place.server["port"]), no_delay=True, default_noreply=False)
        if create:
            self.d.flush_all()

    def names(self) -> dict[str, Any]:
        return {"get": self.d.get, "set": self.d.set, "incr": self.d.incr, "int": int}

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        for key, value in items:
            self.d.set(key, value, noreply=True)
        self.d.get(items[-1][0])

    def close(self, last: bool) -> None:
        self.d.close()
