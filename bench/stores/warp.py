# SPDX-License-Identifier: Apache-2.0
"""warp_cache's shared back end, as far as a decorator can be used as a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stores.base import Place, Store, without

ENTRIES = 2_000_000
CACHE_ONLY = "a cache of one function: it has no such operation"


def absent(key: str) -> Any:
    """The function that is memoized: a store is asked only for what it holds."""
    raise KeyError(key)


class WarpCache(Store):
    title = "warp_cache, shared"
    settings = f"Table of {ENTRIES:,} entries of at most 64 + 64 bytes; `f(key)` reads, `f.set(value, key)` writes."
    requirements = ("warp_cache==0.7.0",)
    environment = "warp_cache"
    imports = "import warp_cache"
    cannot = {
        **without(("increment", "lock", "iterate", "nested"), CACHE_ONLY),
        "bytes": "a fixed largest size for all values; a larger one is silently not kept",
    }
    read = "d(k)"
    write = "put(v, k)"

    def __init__(self, place: Place, create: bool) -> None:
        from warp_cache._warp_cache_rs import SharedCachedFunction

        sizes = {"max_key_size": 64, "max_value_size": 64}
        self.d: Any = SharedCachedFunction(absent, ENTRIES, shm_name=place.name, **sizes)
        if create:
            self.d.cache_clear()

    def names(self) -> dict[str, Any]:
        return {"d": self.d, "put": self.d.set}

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        for key, value in items:
            self.d.set(value, key)
