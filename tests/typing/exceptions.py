# SPDX-License-Identifier: Apache-2.0
"""Every exception with its attributes, as our own class and as the built-in one."""

from __future__ import annotations

from claims import assert_type

from UltraDict import Exceptions


def with_attributes() -> None:
    try:
        raise Exceptions.CannotAcquireLockTimeout("busy", blocking_pid=1, timestamp=2.0, time_passed=3.0)
    except Exceptions.CannotAcquireLock as error:
        assert_type(error.blocking_pid, int)
        assert_type(error.timestamp, float)
        if isinstance(error, Exceptions.CannotAcquireLockTimeout):
            assert_type(error.time_passed, float)
    assert_type(Exceptions.CannotAcquireLock(), Exceptions.CannotAcquireLock)
    assert_type(Exceptions.CannotAcquireLockTimeout(), Exceptions.CannotAcquireLockTimeout)


def ours() -> list[Exceptions.UltraDictError]:
    return [
        assert_type(Exceptions.UltraDictError(), Exceptions.UltraDictError),
        assert_type(Exceptions.AlreadyClosed(), Exceptions.AlreadyClosed),
        assert_type(Exceptions.AlreadyExists(), Exceptions.AlreadyExists),
        assert_type(Exceptions.CannotAttachSharedMemory(), Exceptions.CannotAttachSharedMemory),
        assert_type(Exceptions.MissingDependency(), Exceptions.MissingDependency),
        assert_type(Exceptions.ParameterMismatch(), Exceptions.ParameterMismatch),
    ]


def built_in() -> None:
    memory: list[MemoryError] = [
        assert_type(Exceptions.FullDumpMemoryFull(), Exceptions.FullDumpMemoryFull),
        assert_type(Exceptions.SharedMemoryFull(), Exceptions.SharedMemoryFull),
    ]
    value: list[ValueError] = [
        assert_type(Exceptions.CyclicReference(), Exceptions.CyclicReference),
        assert_type(Exceptions.Damaged(), Exceptions.Damaged),
        assert_type(Exceptions.InvalidParameter(), Exceptions.InvalidParameter),
        assert_type(Exceptions.OtherFormat(), Exceptions.OtherFormat),
    ]
    system: OSError = assert_type(Exceptions.SystemFailure(), Exceptions.SystemFailure)
    internal: RuntimeError = assert_type(Exceptions.InternalError(), Exceptions.InternalError)
    permission: PermissionError = assert_type(Exceptions.Forbidden(), Exceptions.Forbidden)
    reference: ReferenceError = assert_type(Exceptions.DictDeleted(), Exceptions.DictDeleted)
    lacking: NotImplementedError = assert_type(Exceptions.Unsupported(), Exceptions.Unsupported)
    for error in [*memory, *value, system, internal, permission, reference, lacking]:
        assert isinstance(error, Exceptions.UltraDictError)


if __name__ == "__main__":
    with_attributes()
    ours()
    built_in()
