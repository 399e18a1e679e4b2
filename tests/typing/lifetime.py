# SPDX-License-Identifier: Apache-2.0
"""Names, parameters, streaming, status and the end of a handle."""

from __future__ import annotations

import pickle
from types import ModuleType
from typing import Any, Optional

from claims import assert_type

from UltraDict import Exceptions, SharedLock, UltraDict, __version__


def parameters(d: UltraDict[str, int]) -> None:
    assert_type(__version__, str)
    assert_type(d.name, str)
    assert_type(d.closed, bool)
    assert_type(d.buffer_size, int)
    assert_type(d.full_dump_size, Optional[int])
    assert_type(d.serializer, Any)
    assert_type(d.shared_lock, bool)
    assert_type(d.recurse, bool)
    assert_type(d.recurse_register, None)
    assert_type(d.auto_unlink, bool)
    assert_type(d.max_bytes, Optional[int])
    assert_type(d.free_bytes, Optional[int])
    assert_type(d.lock, SharedLock)


def streaming(d: UltraDict[str, int]) -> None:
    assert_type(d.data, dict[str, int])
    d.data = None
    del d.data
    assert_type(d.apply_update(), None)
    assert_type(d.dump(), None)
    assert_type(d.load(), None)
    assert_type(d.load(force=True), None)
    assert_type(d.full_dump_counter, int)
    assert_type(d.update_stream_position, int)


def status(d: UltraDict[str, int]) -> None:
    assert_type(d.status(), dict[str, Any])
    assert_type(d.print_status(), None)
    assert_type(d.print_status(d.status(), stderr=False), None)
    assert_type(d.stats(), dict[str, int])


def is_lock(value: object) -> None:
    assert_type(isinstance(value, UltraDict.SharedLock), bool)
    assert_type(isinstance(value, UltraDict.RLock), bool)


def attributes(d: UltraDict[str, int]) -> None:
    lock: UltraDict.SharedLock = d.lock
    is_lock(lock)
    assert_type(UltraDict.log, ModuleType)
    assert_type(UltraDict.Exceptions.AlreadyClosed(), Exceptions.AlreadyClosed)


def passed_on(d: UltraDict[str, int]) -> None:
    again: UltraDict[str, int] = pickle.loads(pickle.dumps(d))
    assert_type(again, UltraDict[str, int])


def ends() -> None:
    with UltraDict(a=1) as d:
        assert_type(d, UltraDict[str, int])
    assert_type(d.close(), Optional[dict[str, int]])
    assert_type(UltraDict(a=1).close(), Optional[dict[str, int]])
    assert_type(UltraDict(a=1).close(True), Optional[dict[str, int]])
    assert_type(UltraDict(a=1).close(data=False), None)
    assert_type(UltraDict(a=1).close(True, False), None)
    assert_type(UltraDict(a=1).unlink(), None)
    assert_type(UltraDict.unlink_by_name("gone", ignore_errors=True), bool)


if __name__ == "__main__":
    with UltraDict(a=1) as shared:
        for use in (parameters, streaming, status, attributes, passed_on):
            use(shared)
    ends()
