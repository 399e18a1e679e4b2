# SPDX-License-Identifier: Apache-2.0
"""Objects whose attributes are shared: what one process sets on its object, the others read from theirs.

The dict takes the place of `__dict__`. CPython's own attribute access would look into the storage of that object
directly, which knows nothing of shared memory; so the three methods that lead to it are defined here.
"""

from __future__ import annotations

import multiprocessing
from typing import Any

from UltraDict import UltraDict


class Shared:
    """All objects that are made with one name have the same attributes, in all processes."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "__dict__", UltraDict(name=name))

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self.__dict__[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}") from None


def work() -> None:
    """What another process does: the name of the shared object is all it knows."""
    settings = Shared("settings_of_example")
    settings.colour = settings.colour.upper()
    settings.seen_by = ["child"]
    del settings.draft


def main() -> None:
    """Set attributes, let another process change them, look."""
    settings = Shared("settings_of_example")
    settings.colour, settings.draft = "blue", True
    child = multiprocessing.get_context("spawn").Process(target=work)
    child.start()
    child.join()
    print(f"colour {settings.colour}, seen by {settings.seen_by}, still a draft: {hasattr(settings, 'draft')}")


if __name__ == "__main__":
    main()
