# SPDX-License-Identifier: Apache-2.0
"""A handle from opening to its end: names, parameters, close, unlink, garbage, the exit of the interpreter."""

from __future__ import annotations

import gc
import json
import marshal
import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import (
    AlreadyClosed,
    AlreadyExists,
    CannotAttachSharedMemory,
    FullDumpMemoryFull,
    ParameterMismatch,
)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program in an interpreter of its own."""
    return subprocess.run([sys.executable, "-X", "dev", "-c", program, *arguments], capture_output=True, text=True)


def exists(name: str) -> bool:
    """Whether a dict of this name can be attached."""
    try:
        UltraDict(name=name, create=False).close()
    except CannotAttachSharedMemory:
        return False
    return True


def test_create_says_what_may_exist() -> None:
    with pytest.raises(CannotAttachSharedMemory, match="life"):
        UltraDict(name="life", create=False)
    with UltraDict({"a": 1}, name="life", create=True) as first:
        with pytest.raises(AlreadyExists, match="life"):
            UltraDict(name="life", create=True)
        second = UltraDict({"b": 2}, name="life", c=3)
        assert first == second == {"a": 1, "b": 2, "c": 3}
        assert UltraDict(name="life", create=False) == first


def test_a_random_name_can_be_attached() -> None:
    with UltraDict(a=1) as d:
        assert d.name.startswith("psm_")
        assert UltraDict(name=d.name, create=False)["a"] == 1


def test_open_refuses_words_that_are_no_parameters() -> None:
    with pytest.raises(TypeError, match="colour"):
        UltraDict.open("x", colour=1)  # type: ignore[call-arg]
    with UltraDict.open("x", {"name": 1}, cache_bytes=0) as d:
        assert d == {"name": 1}


def test_says_how_it_was_created() -> None:
    with UltraDict(name="said", buffer_size=20_000, shared_lock=True, full_dump_size=50_000, serializer=json) as d:
        other = UltraDict(name="said", buffer_size=5)
        for handle in (d, other):
            assert handle.name == "said"
            assert handle.buffer_size == 20_000
            assert handle.full_dump_size == 50_000
            assert handle.shared_lock is True
            assert handle.serializer is json
            assert handle.auto_unlink is True
            assert handle.recurse is False
            assert handle.closed is False
    with UltraDict() as d:
        assert d.full_dump_size is None
        assert d.serializer.__name__ == "pickle"
        assert d.shared_lock is False


def test_another_value_of_a_recorded_parameter_is_refused() -> None:
    with UltraDict(name="recorded", serializer=json, shared_lock=True):
        for other in ({"serializer": marshal}, {"shared_lock": False}):
            with pytest.raises(ParameterMismatch, match="recorded"):
                UltraDict(name="recorded", **other)  # type: ignore[arg-type]
        with pytest.raises(ParameterMismatch):
            UltraDict({"a": 1}, name="recorded", shared_lock=False)
        assert UltraDict(name="recorded", shared_lock=True) == {}


def test_full_dump_size_bounds_the_content() -> None:
    with UltraDict(full_dump_size=10_000) as d:
        d["a"] = b"x" * 8_000
        with pytest.raises(FullDumpMemoryFull) as full:
            d["b"] = b"x" * 8_000
        assert isinstance(full.value, MemoryError)
        assert list(d) == ["a"]
        with pytest.raises(FullDumpMemoryFull):
            d.update({"c": 1, "b": b"x" * 8_000})
        assert list(d) == ["a"]
        del d["a"]
        d["b"] = b"x" * 8_000


def test_stream_counters() -> None:
    with UltraDict() as d:
        assert d.full_dump_counter == 0
        d["a"] = 1
        position = d.update_stream_position
        assert position > 0
        d["a"] = 2
        assert d.update_stream_position > position
        d["big"] = b"x" * 1_000_000
        assert (d.full_dump_counter, d.update_stream_position) == (1, 0)
        d.dump()
        d.clear()
        assert d.full_dump_counter == 3
        assert d.stats()["full_dump_counter"] == 3


def test_close_returns_the_data_and_ends_everything_but_the_name() -> None:
    d = UltraDict({"a": [1]}, name="ending")
    view = d.keys()
    iterator = iter(d)
    assert d.close() == {"a": [1]}
    assert d.closed
    assert d.name == "ending"
    assert repr(d) == "<UltraDict 'ending' (closed)>"
    assert d.close() is None
    uses = [lambda: d["a"], lambda: d.get("a"), lambda: "a" in d, lambda: len(d), lambda: list(d), lambda: d.lock]
    uses += [lambda: d.update(a=1), lambda: d.pop("a", 1), d.popitem, d.clear, d.copy, d.keys, lambda: d == {}, d.dump]
    uses += [lambda: list(view), lambda: next(iterator), lambda: d.setdefault("a"), lambda: d | {}, d.stats]
    uses += [lambda: d.serializer, lambda: d.__reduce__(), lambda: d.__setitem__("a", 1), lambda: d.__delitem__("a")]
    for use in uses:
        with pytest.raises(AlreadyClosed, match="ending"):
            use()


class Elsewhere:
    """A class that this process does not have any more."""


def test_what_close_cannot_return_it_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    d = UltraDict({"a": [1]})
    UltraDict(name=d.name)["b"] = Elsewhere()
    with monkeypatch.context() as patch:
        patch.delitem(globals(), "Elsewhere")
        with pytest.raises(AttributeError, match="Elsewhere") as raised:
            d.close(unlink=True)
        assert sys.version_info < (3, 11) or "close(data=False)" in raised.value.__notes__[-1]
        assert d["a"] == [1]
        del d["b"]
        assert d.close(unlink=True) == {"a": [1]}


def test_close_without_data() -> None:
    assert UltraDict(a=1).close(data=False) is None
    with UltraDict(a=1) as d:
        pass
    assert d.closed


def test_the_last_reference_closes() -> None:
    d = UltraDict(name="referred")
    watch = weakref.ref(d)
    del d
    assert watch() is None
    assert not exists("referred")


def test_a_cycle_through_the_dict_is_garbage() -> None:
    d = UltraDict(name="cycle", a=[1])
    d.me = d  # type: ignore[attr-defined]
    d["a"].append(d)
    watch = weakref.ref(d)
    del d
    gc.collect()
    assert watch() is None
    assert not exists("cycle")


def test_without_auto_unlink_only_unlink_removes_it() -> None:
    UltraDict({"a": 1}, name="staying", auto_unlink=False).close()
    with UltraDict(name="staying", create=False) as d:
        assert d["a"] == 1
    UltraDict(name="staying", auto_unlink=True).close()
    assert exists("staying")
    UltraDict(name="staying").unlink()
    assert not exists("staying")


def test_unlink_closes_and_others_go_on() -> None:
    d = UltraDict(name="unlinked")
    other = UltraDict(name="unlinked")
    d.unlink()
    assert d.closed
    assert not exists("unlinked")
    other["a"] = 1
    with UltraDict(name="unlinked", create=True) as new:
        assert new == {}
        other.close(unlink=True)
        assert exists("unlinked")


def test_to_attach_one_needs_its_name() -> None:
    with pytest.raises(CannotAttachSharedMemory, match="name= says which"):
        UltraDict(create=False)


def test_a_name_that_is_given_as_the_items_is_told() -> None:
    with pytest.raises(ValueError, match=r"cannot be 'stock'.* pass name='stock'"):
        UltraDict("stock")  # type: ignore[call-overload]


@pytest.mark.parametrize("unlink", [UltraDict.unlink, lambda d: d.close(unlink=True)])
def test_unlink_after_close_is_of_the_dict_that_was_closed(unlink: Callable[[Any], None]) -> None:
    d: UltraDict[Any, Any] = UltraDict(name="later", auto_unlink=False)
    d.close()
    assert exists("later")
    unlink(d)
    assert not exists("later")
    unlink(d)
    with UltraDict(name="later", newer=1) as newer:
        unlink(d)
        assert exists("later")
        assert newer == {"newer": 1}


def test_unlink_by_name() -> None:
    UltraDict(name="left over", auto_unlink=False).close()
    assert UltraDict.unlink_by_name("left over") is True
    assert UltraDict.unlink_by_name("left over", ignore_errors=True) is False
    for name in ("left over", "left over_memory", "left over_full", "left over_register"):
        with pytest.raises(CannotAttachSharedMemory):
            UltraDict.unlink_by_name(name)


def test_the_exit_of_the_interpreter_closes_quietly() -> None:
    program = "from UltraDict import UltraDict; d = UltraDict(name='exit', a=1); d.me = d; it = iter(d); lock = d.lock"
    ended = run(program)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not exists("exit")


def test_a_destructor_that_writes_at_exit_does_no_harm() -> None:
    ended = run(
        "from UltraDict import UltraDict\n"
        "d = UltraDict(name='exit', auto_unlink=False, a=1)\n"
        "class Late:\n"
        "    def __del__(self): d['late'] = 1\n"
        "late = Late()\n"
    )
    assert ended.returncode == 0
    with UltraDict(name="exit", create=False) as d:
        assert d["a"] == 1
        d.unlink()


def test_a_killed_creator_leaves_nothing_to_read() -> None:
    ended = run("import os; from UltraDict import UltraDict; d = UltraDict(name='killed', a=1); os._exit(3)")
    assert ended.returncode == 3
    with UltraDict(name="killed") as d:
        assert d == {}


def test_importing_is_cheap() -> None:
    dear = ("multiprocessing", "logging", "typing", "pickle")
    program = f"import sys, UltraDict; print([m for m in {dear} if m in sys.modules])"
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:] = {sys.path!r}; {program}"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.stdout == "[]\n", ended.stderr


def test_closing_descriptors_behind_its_back_does_no_harm() -> None:
    program = (
        "import os; from UltraDict import UltraDict; d = UltraDict(a=1); os.closerange(3, 256); d['b'] = 2\n"
        "with d.lock: d['c'] = 3\n"
        "print(d == {'a': 1, 'b': 2, 'c': 3})"
    )
    assert run(program).stdout == "True\n"


def test_a_subclass_with_its_own_init() -> None:
    class Named(UltraDict[str, int]):
        def __init__(self, label: str, **items: Any) -> None:
            super().__init__(items)
            self.label = label

    with Named("x", a=1) as d:
        assert d.label == "x"
        assert d == {"a": 1}


def test_the_directory_is_private(shared_directory: Path) -> None:
    with UltraDict.open(mode=0o600):
        modes = [path.lstat().st_mode & 0o077 for path in shared_directory.rglob("*") if path.is_file()]
        assert modes
        assert not any(modes)
    assert os.stat(shared_directory).st_mode & 0o077 == 0
