# SPDX-License-Identifier: Apache-2.0
"""shared-memory-dict: the whole dict as one pickle in shared memory."""

from __future__ import annotations

import os

from stores.base import Place, Store

BYTES_PER_ITEM, BYTES_MIN = 32, 1 << 20


class SharedMemoryDict(Store):
    title = "shared-memory-dict"
    settings = (
        f"`SHARED_MEMORY_USE_LOCK=1`; {BYTES_PER_ITEM} bytes for each item that it will hold, at least 1 MiB; every "
        "access copies and decodes all of it."
    )
    requirements = ("shared-memory-dict==0.7.2",)
    environment = "shared_memory_dict"
    imports = "from shared_memory_dict import SharedMemoryDict"
    forked = True
    cannot = {
        "increment": "its lock does not span reading and writing",
        "lock": "its lock cannot be held",
        "bytes": "one fixed size for everything, and every access copies all of it",
        "nested": "assigning a changed copy back loses what others change meanwhile",
    }

    def __init__(self, place: Place, create: bool) -> None:
        os.environ["SHARED_MEMORY_USE_LOCK"] = "1"
        from shared_memory_dict import SharedMemoryDict as Dict

        self.d = Dict(name=place.name, size=max(BYTES_MIN, place.count * BYTES_PER_ITEM))

    def close(self, last: bool) -> None:
        if last:
            self.d.shm.close()
            self.d.shm.unlink()
