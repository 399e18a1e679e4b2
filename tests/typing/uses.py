# SPDX-License-Identifier: Apache-2.0
"""A program for type checkers: each line must be accepted, and each `reveal` must be what it says. It also runs."""

from __future__ import annotations

import sys

from UltraDict import Exceptions, SharedLock, UltraDict

if sys.version_info >= (3, 11):
    from typing import assert_type
else:

    def assert_type(value: object, _: object) -> object:
        return value


def use(d: UltraDict[str, int]) -> None:
    assert_type(d["a"], int)
    assert_type(d.get("a"), "int | None")
    assert_type(list(d), "list[str]")
    assert_type(list(d.items()), "list[tuple[str, int]]")
    assert_type(d.copy(), "dict[str, int]")
    assert_type(d.to_dict(), "dict[str, int]")
    assert_type(d.name, str)
    assert_type(d.lock, SharedLock)
    assert_type(d.full_dump_size, "int | None")
    assert_type(d.full_dump_counter, int)
    assert_type(d.update_stream_position, int)
    assert_type(d.data, "dict[str, int]")
    d.apply_update()
    d.load(force=True)
    d.data = None
    del d.data
    d.print_status(d.status(), stderr=False)
    assert_type(d.has_key("a"), bool)
    d["b"] = 2
    d.update(c=3)
    d |= {"d": 4}
    with d.lock as lock, d.lock(timeout=1.0, sleep_time=0):
        assert_type(lock, SharedLock)
        assert_type(lock.acquire(block=True, timeout=2), bool)
    try:
        d.lock.release()
    except Exceptions.CannotAcquireLock as error:
        assert_type(error.blocking_pid, int)
        assert_type(error.timestamp, float)
    plain: dict[str, int] = d
    assert_type(plain, "dict[str, int]")


def main() -> None:
    with UltraDict[str, int]({"a": 1}, name=None, create=None) as d:
        use(d)
    with UltraDict[str, int].open("typed", cache_bytes=0, mode=0o600) as d:
        assert_type(d.closed, bool)
    UltraDict.unlink_by_name("typed", ignore_errors=True)


if __name__ == "__main__":
    main()
