# SPDX-License-Identifier: Apache-2.0
"""UltraDict2, which follows UltraDict 0.0.6."""

from __future__ import annotations

from stores.base import Place, Store
from stores.ultradict_006 import BUFFER_SIZE, own_names


class UltraDict2(Store):
    title = "UltraDict2 0.3.1"
    settings = f"`buffer_size={BUFFER_SIZE:,}`; `shared_lock=None`, its default: the lock reaches forked processes."
    requirements = ("UltraDict2==0.3.1", "atomics2==1.1.0", "psutil==7.2.2")
    environment = "ultradict2"
    imports = "from UltraDict2 import UltraDict"
    forked = True
    increment = "with d.lock: d[k] += 1"

    def __init__(self, place: Place, create: bool) -> None:
        from UltraDict2 import UltraDict

        own_names(place)
        self.d = UltraDict(name=place.name, create=create, buffer_size=BUFFER_SIZE, recurse=place.nested)

    def close(self, last: bool) -> None:
        if last:  # a forked process would remove it, too
            self.d.close(unlink=True)
