# SPDX-License-Identifier: Apache-2.0
"""d.view(key): values without a copy of their bytes, safe whatever happens to the key, the dict and the process."""

from __future__ import annotations

import array
import ctypes
import gc
import mmap
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from programs import Program, run
from UltraDict import UltraDict

np = pytest.importorskip("numpy")

LARGE = bytes(range(256)) * 1000
SIZES = [0, 1, 1000, 32 * 1024, 33 * 1024, 1_000_000, 3_000_000]


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict() as made:
        yield made


@pytest.fixture
def other(d: UltraDict[Any, Any]) -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(name=d.name, create=False) as attached:
        yield attached


@pytest.mark.parametrize("size", SIZES)
def test_bytes(d: UltraDict[Any, Any], other: UltraDict[Any, Any], size: int) -> None:
    value = (LARGE * 12)[:size]
    d["k"] = value
    view = other.view("k")
    assert type(view) is memoryview
    assert view.readonly
    assert view == value
    assert other["k"] == value
    with pytest.raises(TypeError):
        view[:1] = b"x"


ARRAYS: dict[str, Callable[[], Any]] = {
    "small": lambda: np.arange(10),
    "empty": lambda: np.empty((0, 3)),
    "large": lambda: np.arange(100_000, dtype="f4"),
    "Fortran's order": lambda: np.asfortranarray(np.arange(1_000_000.0).reshape(1000, 1000)),
    "a slice with gaps": lambda: np.arange(100_000)[::2],
    "structured": lambda: np.zeros(20_000, dtype=[("price", "f8"), ("name", "S8")]),
    "objects": lambda: np.array([None, "x", 1.5] * 1000, dtype=object),
}


def same(left: Any, right: Any) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and bool((left == right).all())


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays(d: UltraDict[Any, Any], other: UltraDict[Any, Any], kind: str) -> None:
    value = ARRAYS[kind]()
    d["k"] = value
    copy = other["k"]
    assert same(copy, value)
    assert copy.flags.writeable
    if kind in ("objects", "a slice with gaps"):
        with pytest.raises(TypeError, match=r"read it with d\[key\]"):
            other.view("k")
        return
    view = other.view("k")
    assert same(view, value)
    assert not view.flags.writeable or view.size == 0
    assert view.flags.f_contiguous == value.flags.f_contiguous


def test_an_object_with_several_arrays(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    value = {"a": np.arange(50_000), "b": [np.ones(3), "text"], "c": np.zeros(70_000, dtype="u1")}
    d["k"] = value
    for read in (other["k"], other.view("k")):
        assert list(read) == list(value)
        assert same(read["a"], value["a"])
        assert same(read["b"][0], value["b"][0])
        assert same(read["c"], value["c"])


def test_what_is_shared_and_what_is_not(d: UltraDict[Any, Any]) -> None:
    d["k"] = np.zeros(100_000)
    first, second = d.view("k"), d.view("k")
    assert first.__array_interface__["data"][0] == second.__array_interface__["data"][0]
    copy = d["k"]
    copy[:] = 1
    assert not first.any()
    assert not d.load(force=True)
    assert not d["k"].any()


def test_pandas(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"price": np.arange(50_000.0), "size": np.arange(50_000), "name": ["x"] * 50_000})
    d["k"] = frame
    assert other["k"].equals(frame)
    assert other.view("k").equals(frame)
    private = other["k"]
    private.loc[0, "price"] = -1.0
    assert other.view("k").loc[0, "price"] == 0.0


def test_arrow(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"n": list(range(50_000)), "s": ["x"] * 50_000})
    d["k"] = table
    assert other["k"].equals(table)
    assert other.view("k").equals(table)


@pytest.mark.parametrize("size", SIZES)
def test_a_bytearray(d: UltraDict[Any, Any], other: UltraDict[Any, Any], size: int) -> None:
    value = bytearray((LARGE * 12)[:size])
    stored = bytes(value)
    d["k"] = value
    value += b"it is not held"
    for reader in (d, other):
        copy = reader["k"]
        assert type(copy) is bytearray
        assert copy == stored
        view = reader.view("k")
        copy += b"and private"
        assert type(view) is memoryview
        assert view.readonly
        assert view == stored


BUFFERS: dict[str, Callable[[], tuple[Any, bytes]]] = {
    "memoryview": lambda: (memoryview(LARGE), LARGE),
    "small memoryview": lambda: (memoryview(b"small"), b"small"),
    "memoryview with gaps": lambda: (memoryview(LARGE)[::3], LARGE[::3]),
    "memoryview of two dimensions": lambda: (memoryview(LARGE).cast("B", (1000, 256)), LARGE),
    "ctypes": lambda: ((ctypes.c_char * len(LARGE)).from_buffer_copy(LARGE), LARGE),
}


@pytest.mark.parametrize("kind", BUFFERS)
def test_buffers_that_cannot_be_pickled_are_bytes(d: UltraDict[Any, Any], kind: str) -> None:
    value, expected = BUFFERS[kind]()
    d["k"] = value
    assert d["k"] == expected
    assert d.view("k") == expected


def test_a_file_that_is_mapped_is_bytes(d: UltraDict[Any, Any]) -> None:
    with mmap.mmap(-1, len(LARGE)) as file:
        file[:] = LARGE
        d["k"] = file
        file[:4] = b"else"
    assert d["k"] == LARGE


def test_other_types_with_buffers_keep_their_type(d: UltraDict[Any, Any]) -> None:
    for value in (bytearray(LARGE), array.array("d", range(10_000)), array.array("b", b"abc")):
        d["k"] = value
        assert d["k"] == value
        assert type(d["k"]) is type(value)


@pytest.mark.parametrize(
    "value", [None, True, 1, 1 << 90, 1.5, "text", "long" * 20_000, (1,), [b"x"], {}, {1, 2}, [b"x" * 40_000]]
)
def test_what_has_no_buffer_is_refused(d: UltraDict[Any, Any], value: Any) -> None:
    d["the key"] = value
    with pytest.raises(TypeError, match=r"'the key' is .*: nothing in it can be shared; read it with d\[key\]"):
        d.view("the key")


@pytest.mark.parametrize(
    "make", [lambda a: a.view(np.recarray), np.ma.array, lambda a: array.array("d", a), lambda a: a.view("M8[s]")]
)
def test_which_arrays_have_no_buffer(d: UltraDict[Any, Any], make: Callable[[Any], Any]) -> None:
    d["k"] = make(np.arange(10_000.0))
    with pytest.raises(TypeError, match=r"if its class is numpy.ndarray itself and it is contiguous, and not of dates"):
        d.view("k")


def test_a_missing_key(d: UltraDict[Any, Any]) -> None:
    with pytest.raises(KeyError, match="missing"):
        d.view("missing")
    with pytest.raises(TypeError, match="unhashable"):
        d.view([])
    d.close(data=False)
    with pytest.raises(UltraDict.Exceptions.AlreadyClosed):
        d.view("missing")


def test_a_nested_dict_and_a_key_of_any_kind() -> None:
    with UltraDict(recurse=True) as d:
        d["n"] = {"b": LARGE, 1.5: LARGE}
        with pytest.raises(TypeError, match="a nested dict"):
            d.view("n")
        assert d["n"].view("b") == LARGE
        assert d["n"].view(1.5) == LARGE
        assert d["n"].view(True + 0.5) == LARGE


def test_nothing_is_unpickled_where_that_is_not_allowed(d: UltraDict[Any, Any]) -> None:
    d["a"], d["small"], d["b"] = np.zeros(50_000), np.zeros(3), LARGE
    with UltraDict.open(d.name, create=False, allow_pickle=False) as careful:
        assert careful.view("b") == LARGE
        for key in ("a", "small"):
            for read in (careful.view, careful.__getitem__):
                with pytest.raises(UltraDict.Exceptions.Forbidden):
                    read(key)


ENDS: dict[str, Callable[[Any, Any], object]] = {
    "overwritten": lambda d, other: other.__setitem__("k", b"y" * len(LARGE)),
    "overwritten by a small one": lambda d, other: d.__setitem__("k", 1),
    "deleted": lambda d, other: other.pop("k"),
    "cleared": lambda d, other: other.clear(),
    "cleaned": lambda d, other: (other.pop("k"), other.dump(), d.dump()),
    "cleaned a thousand times": lambda d, other: [(other.update(k=number), d.dump()) for number in range(1000)],
    "unlinked": lambda d, other: d.unlink(),
    "closed": lambda d, other: (d.close(data=False), other.close(data=False)),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("kind", ["bytes", "array"])
def test_d7_h4_a_view_stays(d: UltraDict[Any, Any], other: UltraDict[Any, Any], end: str, kind: str) -> None:
    d["k"] = LARGE if kind == "bytes" else np.frombuffer(LARGE, dtype="u1")
    views = [d.view("k"), other.view("k"), d.view("k")]
    ENDS[end](d, other)
    gc.collect()
    for view in views:
        assert bytes(view) == LARGE


def test_d7_what_is_pinned_is_told_and_let_go(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    for number in range(100):
        d[number] = LARGE
    assert d.stats()["pinned_bytes"] == 0
    views = [other.view(number) for number in range(100)]
    assert other.stats()["pinned_bytes"] >= 100 * len(LARGE)
    d.clear()
    len(other.keys() & {1})  # any operation
    other.get("missing")
    assert other.stats()["pinned_bytes"] >= 100 * len(LARGE)
    del views[1:]
    assert len(LARGE) <= other.stats()["pinned_bytes"] < 2 * len(LARGE)
    assert views[0] == LARGE
    views.clear()
    assert other.stats()["pinned_bytes"] == 0


def mapped_and_removed() -> int:
    """Mappings of blobs whose file is gone."""
    with open("/proc/self/maps") as maps:
        return sum("blob-" in line and line.rstrip().endswith("(deleted)") for line in maps)


@pytest.mark.parametrize("write", ["assign", "lock"])
def test_d7_who_does_nothing_but_short_work_lets_go_as_well(
    d: UltraDict[Any, Any], other: UltraDict[Any, Any], write: str
) -> None:
    d["n"] = 0
    d["big"] = LARGE
    for number in range(3):
        other["n"] = number
    view = other.view("big")
    assert view is not None
    del view
    d["big"] = 1
    assert mapped_and_removed() == 1
    if write == "assign":
        other["n"] = 7
    else:
        with other.lock:
            pass
    assert mapped_and_removed() == 0


def test_a_new_value_is_a_new_view(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    for number in range(200):
        d["frame"] = bytes([number]) * 50_000
        view = other.view("frame")
        assert (view[0], view[-1]) == (number, number)
    assert other.stats()["pinned_bytes"] < 60_000


def test_c4_a_forked_child_and_the_end_of_a_process() -> None:
    program = """
from UltraDict import UltraDict
import numpy as np
d = UltraDict(b=b"x" * 100_000, a=np.arange(50_000))
b, a = d.view("b"), d.view("a")
child = os.fork()
if child == 0:
    ok = b == b"x" * 100_000 and (a == np.arange(50_000)).all() and d.view("b") == b
    d["b"] = 1
    os._exit(0 if ok and b[0] == 120 else 1)
_, status = os.waitpid(child, 0)
assert status == 0 and b == b"x" * 100_000 and d["b"] == 1
say("ends with views alive")
"""
    ended = run(program)
    assert (ended.stdout, ended.stderr) == ("ends with views alive\n", "")


def test_a_view_outlives_the_process_that_wrote_it() -> None:
    program = """
from UltraDict import UltraDict
d = UltraDict(k=b"x" * 100_000)
say(d.name); wait()
"""
    with Program(program) as writer:
        d: UltraDict[str, bytes] = UltraDict(name=writer.said(), create=False)
        view = d.view("k")
        writer.go_on()
        assert writer.end() == (0, "")
        assert view == b"x" * 100_000
        d.close(data=False)
        assert view == b"x" * 100_000


def test_a_buffer_that_changes_while_it_is_written(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    value = np.zeros(2_000_000, dtype="u1")
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            value[:] = number % 256

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(20):
            d["k"] = value
            assert other["k"].shape == value.shape  # some mixture, and a sound one
    finally:
        stop.set()
        thread.join()
    d["k"] = value
    assert (other["k"] == value).all()


def test_no_second_copy_in_the_writer(d: UltraDict[Any, Any]) -> None:
    program = """
import sys
from UltraDict import UltraDict
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) * 1024
d = UltraDict.open(sys.argv[1], create=False)
value = b"v" * (64 << 20)
with open("/proc/self/clear_refs", "w") as file: file.write("5")  # the peak begins anew
before = peak()
d["k"] = value
say(peak() - before < 8 << 20)
"""
    ended = run(program, d.name)
    assert (ended.stdout, ended.stderr) == ("True\n", "")
    assert len(d["k"]) == 64 << 20


def test_a_memoryview_that_was_released_is_none_of_the_next_view() -> None:
    with UltraDict({"k": pickle.PickleBuffer(memoryview(b"x" * 100_000))}) as d:
        for _ in range(2):
            with d.view("k") as view:
                assert view.nbytes == 100_000
