# SPDX-License-Identifier: Apache-2.0
"""The stores that are compared, in the order in which they take their turns and are shown."""

from __future__ import annotations

import importlib

from stores.base import Store

# name on the command line and in the results -> module and class
ADAPTERS = {
    "dict": "plain:PlainDict",
    "dict_lock": "plain:LockedDict",
    "words": "words:Words",
    "ultradict": "this_project:ThisProject",
    "ultradict_006": "ultradict_006:UltraDict006",
    "ultradict_006_shared_lock": "ultradict_006:UltraDict006SharedLock",
    "ultradict2": "ultradict2:UltraDict2",
    "manager": "manager:ManagerDict",
    "shared_memory_dict": "shared_memory_dict:SharedMemoryDict",
    "redis_tcp": "redis_server:RedisTcp",
    "redis_unix": "redis_server:RedisUnix",
    "redis_pipeline": "redis_server:RedisPipeline",
    "memcached": "memcached:Memcached",
    "lmdb": "lmdb_tree:LmdbEach",
    "lmdb_batch": "lmdb_tree:LmdbBatch",
    "sqlite": "sqlite:Sqlite",
    "diskcache": "disk_cache:DiskCache",
    "sqlitedict": "sqlite_dict:SqliteDictStore",
    "warp_cache": "warp:WarpCache",
    "iceoryx2": "iceoryx2_blackboard:Blackboard",
    "dirty_stash": "dirty_stash:DirtyStash",
}
# What needs no package and no server: enough to try the suite itself.
WITHOUT_PACKAGES = ("dict", "dict_lock", "words", "ultradict", "manager", "sqlite")


def adapter(name: str) -> type[Store]:
    """The class of a store. Importing it needs no package: that comes with the first instance."""
    module, _, class_name = ADAPTERS[name].partition(":")
    found: type[Store] = getattr(importlib.import_module(f"stores.{module}"), class_name)
    return found
