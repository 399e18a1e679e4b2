# SPDX-License-Identifier: Apache-2.0
"""UltraDict 0.0.6 from PyPI, which shares our import name: hence an environment of its own."""

from __future__ import annotations

import multiprocessing.shared_memory
from typing import Any, ClassVar

from stores.base import Place, Store

BUFFER_SIZE = 10_000_000  # its default, 10,000, makes it pickle everything after every few hundred writes


def own_names(place: Place) -> None:
    """Let the segments it names itself begin as ours do, so that none stays behind if it is killed."""
    prefix = "/" + place.name.partition("_")[0] + "_"
    multiprocessing.shared_memory._SHM_NAME_PREFIX = prefix  # type: ignore[attr-defined]


class UltraDict006(Store):
    title = "UltraDict 0.0.6"
    settings = f"`buffer_size={BUFFER_SIZE:,}`, far better for it than its default. Its lock reaches forked processes."
    requirements = ("UltraDict==0.0.6", "atomics==1.0.3", "psutil==7.2.2")
    environment = "ultradict_006"
    imports = "from UltraDict import UltraDict"
    forked = True
    shared_lock: ClassVar[bool] = False
    increment = "with d.lock: d[k] += 1"

    def __init__(self, place: Place, create: bool) -> None:
        from UltraDict import UltraDict

        own_names(place)
        options: dict[str, Any] = {"recurse": place.nested, "shared_lock": self.shared_lock}
        self.d = UltraDict(name=place.name, create=create, buffer_size=BUFFER_SIZE, **options)

    def close(self, last: bool) -> None:
        if last:  # a forked process would remove it, too
            self.d.close(unlink=True)


class UltraDict006SharedLock(UltraDict006):
    title = "UltraDict 0.0.6, shared_lock"
    settings = f"`buffer_size={BUFFER_SIZE:,}, shared_lock=True`, its lock for independent processes."
    forked = False
    shared_lock = True
