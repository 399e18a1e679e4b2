# SPDX-License-Identifier: Apache-2.0
"""Redis through redis-py, by three ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from stores.base import Place, Store, without

AT_ONCE = 1000
SERVER = (
    "Debian's redis-server, persistence off (`--save '' --appendonly no`); redis-py with the hiredis parser and a "
    "single connection"
)


class RedisUnix(Store):
    title = "Redis, unix socket"
    settings = f"{SERVER}; INCR for the counter, one hash for the nested dict, its polling `lock()` to wait for."
    requirements = ("redis[hiredis]==8.1.0", "hiredis==3.5.0")
    environment = "redis"
    imports = "import redis"
    server = "redis"
    asks = True
    read = "int(get(k))"
    write = "set(k, v)"
    read_bytes = "get(k)"
    increment = "incr(k)"
    iterate = "scanned()"
    make_nested = "d.hset(k, 'branch.leaf', 0)"
    write_nested = "d.hset(k, 'branch.leaf', v)"
    read_nested = "int(d.hget(k, 'branch.leaf'))"

    def __init__(self, place: Place, create: bool) -> None:
        import redis

        self.d = redis.Redis(**self.address(place), single_connection_client=True)
        if create:
            self.d.flushall()

    def address(self, place: Place) -> dict[str, Any]:
        return {"unix_socket_path": place.server["socket"]}

    def names(self) -> dict[str, Any]:
        d = self.d
        return {"d": d, "get": d.get, "set": d.set, "incr": d.incr, "scanned": self.scanned, "int": int}

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        for start in range(0, len(items), AT_ONCE):
            self.d.mset(dict(items[start : start + AT_ONCE]))

    def scanned(self) -> Iterator[tuple[str, int]]:
        keys = list(self.d.scan_iter(count=AT_ONCE))
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            yield from ((key.decode(), int(value)) for key, value in zip(some, self.d.mget(some)))

    def lock(self) -> AbstractContextManager[Any]:
        lock: AbstractContextManager[Any] = self.d.lock("lock")
        return lock

    def close(self, last: bool) -> None:
        self.d.close()


class RedisTcp(RedisUnix):
    title = "Redis, TCP"
    settings = f"{SERVER}; over loopback, otherwise as by the unix socket."

    def address(self, place: Place) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": place.server["port"]}


class RedisPipeline(RedisUnix):
    title = "Redis, pipelined"
    settings = f"{SERVER}; unix socket, 100 operations a round trip (`pipeline(transaction=False)`)."
    batch = 100
    cannot = without(("single", "increment", "lock", "iterate", "bytes", "nested"), "measured without a pipeline")
    read = "read_many(k)"
    write = "write_many(k)"

    def names(self) -> dict[str, Any]:
        return {"read_many": self.read_many, "write_many": self.write_many}

    def read_many(self, keys: Sequence[Any]) -> list[int]:
        pipeline = self.d.pipeline(transaction=False)
        for key in keys:
            pipeline.get(key)
        return list(map(int, pipeline.execute()))

    def write_many(self, pairs: Sequence[tuple[Any, int]]) -> None:
        pipeline = self.d.pipeline(transaction=False)
        for key, value in pairs:
            pipeline.set(key, value)
        pipeline.execute()
