# SPDX-License-Identifier: Apache-2.0
"""Every exception that UltraDict raises of its own.

The first group has the names of the library that this one replaces. The second is new; each of its classes is also the
built-in one that fits, so that `except OSError` and its like catch what they should.
"""

from __future__ import annotations

import time


class UltraDictError(Exception):
    """Base of all exceptions here."""


class CannotAttachSharedMemory(UltraDictError):
    """There is no dict of this name, or not the one that was meant."""


class CannotAcquireLock(UltraDictError):
    """Somebody else holds the lock: `blocking_pid`. The attempt began at `timestamp`, by time.monotonic()."""

    def __init__(self, *args: object, blocking_pid: int = 0, timestamp: float | None = None) -> None:
        super().__init__(*(args or ("Cannot acquire lock",)))
        self.blocking_pid = blocking_pid
        self.timestamp = time.monotonic() if timestamp is None else timestamp

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self.args, self.__dict__


class CannotAcquireLockTimeout(CannotAcquireLock):
    """Somebody else still held the lock when the time was over."""

    def __init__(
        self, *args: object, blocking_pid: int = 0, timestamp: float | None = None, time_passed: float = 0.0
    ) -> None:
        super().__init__(*args, blocking_pid=blocking_pid, timestamp=timestamp)
        self.time_passed = time_passed


class ParameterMismatch(UltraDictError):
    """The dict was created with another value of this parameter."""


class AlreadyClosed(UltraDictError):
    """This handle was closed, or never opened."""


class AlreadyExists(UltraDictError):
    """create=True, and the name is taken."""


class FullDumpMemoryFull(UltraDictError, MemoryError):
    """full_dump_size would be exceeded; nothing was changed."""


class MissingDependency(UltraDictError):
    """A package that an option needs is not installed."""


class SharedMemoryFull(UltraDictError, MemoryError):
    """No shared memory is left; nothing was changed."""


class Damaged(UltraDictError, ValueError):
    """Stored bytes contradict themselves."""


class OtherFormat(UltraDictError, ValueError):
    """The dict was made by a version with another byte layout."""


class InvalidParameter(UltraDictError, ValueError):
    """A name, a size or an option that cannot be."""


class Forbidden(UltraDictError, PermissionError):
    """File permissions or allow_pickle=False refuse."""


class DictDeleted(UltraDictError, ReferenceError):
    """A handle of a nested dict that no key refers to any more."""


class CyclicReference(UltraDictError, ValueError):
    """A nested dict would lie in itself."""


class Unsupported(UltraDictError, NotImplementedError):
    """The operating system lacks something indispensable."""


class SystemFailure(UltraDictError, OSError):
    """A system call failed."""


class InternalError(UltraDictError, RuntimeError):
    """An assumption of UltraDict's own code does not hold; this process must open the dict anew. Please report it."""
