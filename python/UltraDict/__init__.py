# SPDX-License-Identifier: Apache-2.0
"""A dict in shared memory: `from UltraDict import UltraDict`.

This file only re-exports, and tells its version when asked. The attribute `UltraDict.UltraDict` is the class; the
module of the same path, from which older programs import it, is found by the import system.
"""

from . import Exceptions
from .UltraDict import SharedLock, UltraDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str

__all__ = ["Exceptions", "SharedLock", "UltraDict"]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("ultradict")
        except PackageNotFoundError as error:
            raise AttributeError("the package is not installed: nothing tells its version") from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
