# SPDX-License-Identifier: Apache-2.0
"""This project."""

from __future__ import annotations

from stores.base import Place, Store


class ThisProject(Store):
    title = "UltraDict (this project)"
    settings = "Default parameters; `recurse=True` for the nested dict alone."
    imports = "from UltraDict import UltraDict"
    ours = True
    increment = "with d.lock: d[k] += 1"

    def __init__(self, place: Place, create: bool) -> None:
        from UltraDict import UltraDict

        self.d = UltraDict(name=place.name, create=create, recurse=place.nested)

    def close(self, last: bool) -> None:
        self.d.close(unlink=last, data=False)
