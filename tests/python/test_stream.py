# SPDX-License-Identifier: Apache-2.0
"""What is left of the stream and of the full dump: two counters, two sizes, and a status that says so."""

from __future__ import annotations

import os
import pprint
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import FullDumpMemoryFull

status_words = {
    "name",
    "buffer_size",
    "lock",
    "shared_lock",
    "update_stream_position",
    "update_stream_position_remote",
    "full_dump_counter",
    "full_dump_size",
    "serializer",
    "lock_pid_remote",
    "lock_remote",
    "full_dump_counter_remote",
    "full_dump_static_size_remote",
    "shared_lock_remote",
    "recurse",
    "recurse_remote",
    "recurse_register",
    "full_dump_memory_name_remote",
    "closed",
    "auto_unlink",
}


def counters(d: UltraDict[Any, Any]) -> tuple[int, int]:
    """Both of them."""
    return d.full_dump_counter, d.update_stream_position


def test_a_new_dict_has_streamed_nothing() -> None:
    with UltraDict() as d:
        assert counters(d) == (0, 0)


def test_every_write_counts_and_reads_do_not() -> None:
    with UltraDict() as d:
        d["a"] = 1
        _, first = counters(d)
        assert first > 0
        d["a"] = 1
        assert counters(d)[1] > first
        _, second = counters(d)
        del d["a"]
        _, third = counters(d)
        assert third > second
        assert d.get("a") is None
        assert len(d.data) == 0
        assert counters(d) == (0, third)
        with UltraDict(name=d.name) as other:
            assert counters(other) == (0, third)


def test_one_huge_value_is_one_full_dump() -> None:
    with UltraDict() as d:
        d["huge"] = " " * 1_000_000
        assert counters(d) == (1, 0)
        assert len(d.data["huge"]) == 1_000_000
        with UltraDict(name=d.name) as other:
            assert len(other.data["huge"]) == 1_000_000


def test_past_the_buffer_the_position_begins_anew() -> None:
    with UltraDict(buffer_size=1000) as d:
        dumps = 0
        position = 0
        for number in range(200):
            d["key"] = number
            counter, now = counters(d)
            assert now <= 1000
            assert (counter, now == 0) == ((dumps + 1, True) if now <= position else (dumps, False))
            dumps, position = counter, now
        assert dumps > 5


def test_dump_and_clear_count_once_each() -> None:
    with UltraDict(a=1) as d:
        d.dump()
        assert counters(d) == (1, 0)
        d["a"] = 2
        d.clear()
        assert counters(d) == (2, 0)


def test_an_update_counts_all_of_its_items() -> None:
    with UltraDict(buffer_size=10_000) as d:
        d.update(dict.fromkeys(range(30), "x" * 500))
        counter, position = counters(d)
        assert counter == 1
        assert position > 0


@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_full_dump_size_is_a_bound_that_changes_nothing(size: int) -> None:
    with UltraDict(full_dump_size=size) as d:
        with pytest.raises(FullDumpMemoryFull, match="full_dump_size"):
            d["key"] = "x" * size
        with pytest.raises(MemoryError):
            d.update({"key": "x" * size})
        with pytest.raises(FullDumpMemoryFull):
            d.setdefault("key", "x" * size)
        assert d == {}
        assert d.stats()["content_size"] == 0
        assert d.full_dump_size == size


def test_full_dump_size_counts_what_is_live_now() -> None:
    with UltraDict(full_dump_size=100_000) as d:
        d["value"] = b"x" * 60_000
        with pytest.raises(FullDumpMemoryFull):
            d["other"] = b"x" * 60_000
        d["value"] = b"y" * 90_000
        del d["value"]
        d["other"] = b"x" * 90_000
        with pytest.raises(FullDumpMemoryFull):
            d["other"] = b"x" * 100_001
        assert d == {"other": b"x" * 90_000}


def test_a_counter_goes_on_for_ever_under_a_small_full_dump_size() -> None:
    with UltraDict(buffer_size=10_000, shared_lock=True, full_dump_size=10_000) as d:
        for number in range(100_000):
            d["counter"] = number
        assert d == {"counter": 99_999}


@pytest.mark.parametrize("size", [100, 300_000, 5_000_000])
def test_full_dump_size_is_set_aside_and_stays_so(size: int) -> None:
    with UltraDict(full_dump_size=size) as d:
        assert d.stats()["log_size"] >= size
        value = b"x" * 20_000
        for number in range((size - 10_000) // 21_000):
            d[number] = value
        d.clear()
        d.dump()
        assert d.stats()["log_size"] >= size


def test_what_cannot_be_set_aside_creates_nothing() -> None:
    with pytest.raises(MemoryError):
        UltraDict(name="too large", full_dump_size=2**50)
    with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
        UltraDict(name="too large", create=False)


def test_status_has_the_old_words_and_tells_the_truth() -> None:
    with UltraDict({"a": 1}, name="told", shared_lock=True, full_dump_size=50_000) as d:
        status = d.status()
        assert set(status) == status_words
        assert status["name"] == "told"
        assert status["lock"] is d.lock
        assert status["update_stream_position_remote"] == d.update_stream_position > 0
        assert status["full_dump_counter_remote"] == status["full_dump_counter"] == 0
        assert status["full_dump_static_size_remote"] == status["full_dump_size"] == 50_000
        assert status["shared_lock_remote"] is True
        assert status["recurse_remote"] is False
        assert (status["lock_remote"], status["lock_pid_remote"]) == (0, 0)
        d.dump()
        with d.lock:
            status = d.status()
        assert (status["lock_remote"], status["lock_pid_remote"]) == (1, os.getpid())
        assert status["full_dump_counter_remote"] == 1
        assert status["full_dump_memory_name_remote"]
    with UltraDict() as d:
        assert d.status()["full_dump_static_size_remote"] == 0


def test_print_status_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    with UltraDict(name="printed") as d:
        d.print_status()
        assert capsys.readouterr() == (pprint.pformat(d.status()) + "\n", "")
        d.print_status(stderr=True)
        assert capsys.readouterr() == ("", pprint.pformat(d.status()) + "\n")
        d.print_status({"said": "before"}, True)
        assert capsys.readouterr() == ("", "{'said': 'before'}\n")
        d.lock.print_status()
        assert capsys.readouterr().out == pprint.pformat(d.lock.status()) + "\n"


def test_the_logging_module_is_there() -> None:
    import logging

    assert UltraDict.log is logging
    with UltraDict() as d:
        assert d.log is logging
