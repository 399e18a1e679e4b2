# SPDX-License-Identifier: Apache-2.0
"""A handle that is closed, or was never opened, says so to every use but five."""

from __future__ import annotations

import contextlib
import copy
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import AlreadyClosed

# What a program written for the original, or for a dict, may do to a handle.
uses: dict[str, Callable[[Any], object]] = {
    "read": lambda d: d["a"],
    "get": lambda d: d.get("a"),
    "has_key": lambda d: d.has_key("a"),
    "in": lambda d: "a" in d,
    "len": len,
    "bool": bool,
    "iterate": list,
    "reversed": reversed,
    "write": lambda d: d.__setitem__("a", 1),
    "delete": lambda d: d.__delitem__("a"),
    "setdefault": lambda d: d.setdefault("a", 1),
    "pop": lambda d: d.pop("a", None),
    "popitem": lambda d: d.popitem(),
    "update": lambda d: d.update(a=1),
    "update with nothing": lambda d: d.update(),
    "clear": lambda d: d.clear(),
    "keys": lambda d: d.keys(),
    "values": lambda d: d.values(),
    "items": lambda d: d.items(),
    "copy": lambda d: d.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "to_dict": lambda d: d.to_dict(),
    "pickle": pickle.dumps,
    "==": lambda d: d == {},
    "!=": lambda d: d != {},
    "|": lambda d: d | {},
    "|=": lambda d: d.__ior__({}),
    "data": lambda d: d.data,
    "data = None": lambda d: setattr(d, "data", None),
    "apply_update": lambda d: d.apply_update(),
    "load": lambda d: d.load(),
    "load by force": lambda d: d.load(force=True),
    "dump": lambda d: d.dump(),
    "status": lambda d: d.status(),
    "print_status": lambda d: d.print_status(),
    "stats": lambda d: d.stats(),
    "lock": lambda d: d.lock,
    "buffer_size": lambda d: d.buffer_size,
    "full_dump_size": lambda d: d.full_dump_size,
    "serializer": lambda d: d.serializer,
    "shared_lock": lambda d: d.shared_lock,
    "recurse": lambda d: d.recurse,
    "recurse_register": lambda d: d.recurse_register,
    "auto_unlink": lambda d: d.auto_unlink,
    "full_dump_counter": lambda d: d.full_dump_counter,
    "update_stream_position": lambda d: d.update_stream_position,
    "with": lambda d: d.__enter__(),
}


@pytest.mark.parametrize("use", uses)
def test_of_a_closed_handle_raises_with_its_name(use: str) -> None:
    d = UltraDict({"a": 1}, name="no more")
    d.close()
    with pytest.raises(AlreadyClosed, match="no more"):
        uses[use](d)


@pytest.mark.parametrize("use", uses)
def test_of_a_handle_that_was_never_opened_raises(use: str) -> None:
    d: Any = UltraDict.__new__(UltraDict)
    with pytest.raises(AlreadyClosed, match="__init__"):
        uses[use](d)


@pytest.mark.parametrize(
    "end",
    [lambda d: d.close(), lambda d: d.close(unlink=True), lambda d: d.unlink(), lambda d: d.__exit__(None, None, None)],
)
def test_what_still_answers(end: Callable[[Any], object]) -> None:
    d = UltraDict(name="ended", a=1)
    end(d)
    assert d.closed is True
    assert d.name == "ended"
    assert repr(d) == str(d) == "<UltraDict 'ended' (closed)>"
    assert d.close() is None
    assert d.close(unlink=False, data=True) is None
    assert d.unlink() is None


def test_close_takes_its_words_by_position_too() -> None:
    d = UltraDict(name="positions", auto_unlink=False, a=1)
    assert d.close(False, True) == {"a": 1}
    assert UltraDict(name="positions").close(True, False) is None
    with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory):
        UltraDict(name="positions", create=False)


def test_an_iterator_of_a_failed_init_is_none_of_the_next_one() -> None:
    kept = []

    class Again(UltraDict[Any, Any]):
        def __init__(self, name: str) -> None:
            def source() -> Iterator[Any]:
                kept.append(iter(self.items()))
                next(kept[0])
                raise ZeroDivisionError
                yield

            with contextlib.suppress(ZeroDivisionError):
                super().__init__(source(), name=name)
            others = [UltraDict({number: "another"}) for number in range(3)]  # where the memory of the first one was
            super().__init__(name=name)
            assert len(others) == 3

    with UltraDict(dict.fromkeys(range(200), "value")) as d, Again(d.name) as again:
        assert len(again) == 200
        with pytest.raises(AlreadyClosed):
            next(kept[0])


def test_with_closes_and_builds_nothing() -> None:
    with UltraDict({"a": 1}) as d:
        other = UltraDict(name=d.name)
    assert d.closed
    assert other == {"a": 1}
    with pytest.raises(ZeroDivisionError), other:
        raise ZeroDivisionError
    assert other.closed


def test_left_overs_of_the_original_have_no_companions_here() -> None:
    name = "left"
    UltraDict({"a": 1}, name=name, auto_unlink=False).close()
    assert UltraDict.unlink_by_name(name) is True
    for left in (name, f"{name}_memory", f"{name}_full", f"{name}_register", "x" * 300, "", "a/b", "\0", "\ud800"):
        assert UltraDict.unlink_by_name(left, ignore_errors=True) is False
        assert UltraDict.unlink_by_name(left, True) is False
    for left in (name, f"{name}_memory", f"{name}_full", f"{name}_register"):
        with pytest.raises(UltraDict.Exceptions.CannotAttachSharedMemory, match=left):
            UltraDict.unlink_by_name(name=left)
    with pytest.raises(TypeError, match="name must be a str, not int"):
        UltraDict.unlink_by_name(5)  # type: ignore[arg-type]


def test_what_is_cached_is_not_read_while_another_thread_keeps_the_handle_busy() -> None:
    d = UltraDict({"a": 1, 2: "b"})
    assert (d["a"], d[2]) == (1, "b")
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with d.lock:
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    d.close(data=False)
    for use in (lambda: d["a"], lambda: "a" in d, lambda: d[2], lambda: d.get(2)):
        with pytest.raises(AlreadyClosed):
            use()
    over.set()
    thread.join()
