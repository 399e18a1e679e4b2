# SPDX-License-Identifier: Apache-2.0
"""A dict in shared memory: `from UltraDict import UltraDict`.

This file only re-exports. The attribute `UltraDict.UltraDict` is the class; the module of the same path, from which
older programs import it, is found by the import system.
"""

from . import Exceptions
from .UltraDict import SharedLock, UltraDict

__all__ = ["Exceptions", "SharedLock", "UltraDict"]
