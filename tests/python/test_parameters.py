# SPDX-License-Identifier: Apache-2.0
"""Every parameter of the constructor: what it may be, what it is on attach, and how anything else is refused."""

from __future__ import annotations

import importlib
import json
import marshal
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import (
    AlreadyExists,
    CannotAttachSharedMemory,
    InvalidParameter,
    ParameterMismatch,
    UltraDictError,
)

originals = {
    "name",
    "create",
    "buffer_size",
    "serializer",
    "shared_lock",
    "full_dump_size",
    "auto_unlink",
    "recurse",
    "recurse_register",
}


def refused(error: type[Exception], words: str, **given: Any) -> None:
    """The parameters are refused by both ways to open, and nothing is made."""
    for start in (UltraDict, UltraDict.open):
        with pytest.raises(error, match=words):
            start(**given)


@pytest.mark.parametrize("word", sorted({"buffer_size", "full_dump_size"}))
@pytest.mark.parametrize("value", ["x", 1.5, True, [], b"1"])
def test_a_size_is_an_integer(word: str, value: object) -> None:
    refused(TypeError, f"{word} must be an integer", **{word: value})


@pytest.mark.parametrize("word", ["create", "shared_lock", "auto_unlink", "recurse"])
@pytest.mark.parametrize("value", ["yes", 2, 0.5, []])
def test_a_flag_is_true_false_or_none(word: str, value: object) -> None:
    refused(TypeError, word, **{word: value})


@pytest.mark.parametrize("size", [-1, 0, 2**32, 2**70])
def test_a_buffer_size_out_of_range(size: int) -> None:
    refused(ValueError, "buffer_size", buffer_size=size)
    refused(InvalidParameter, str(size), buffer_size=size)


def test_the_largest_buffer_size_is_a_number_like_any_other() -> None:
    with UltraDict(name="buffered", buffer_size=4096 * 8) as d, UltraDict(name="buffered", buffer_size=1) as other:
        assert d.buffer_size == other.buffer_size == 4096 * 8


@pytest.mark.parametrize("size", [-1, -(2**70)])
def test_a_negative_full_dump_size(size: int) -> None:
    refused(ValueError, "full_dump_size", full_dump_size=size)


@pytest.mark.parametrize(
    ("word", "least", "most", "unit"),
    [
        ("buffer_size", "1", "4294967295", "bytes; leave it out: memory grows by itself"),
        ("full_dump_size", "1", "4611686018427387904", "bytes; leave it out for a content without bound"),
        ("max_bytes", "65536", "4611686018427387904", "bytes; leave it out for a dict without bound"),
        ("cache_bytes", "0", "4611686018427387904", "bytes; 0 keeps no objects"),
        ("mode", "0", "0o777", "permission bits; 0o600 lets nobody else in"),
    ],
)
def test_a_bad_number_is_told_its_bounds_its_unit_and_the_way_out(word: str, least: str, most: str, unit: str) -> None:
    for number, shown in {-1: "-1", 2**1000: "about 2**1000", -(10**5000): "about -2**16609"}.items():
        with pytest.raises(InvalidParameter) as found:
            UltraDict.open(**{word: number})  # type: ignore[arg-type]
        assert str(found.value) == f"{word} must be between {least} and {most}, not {shown}: it is in {unit}"
    for value, kind in {1.5: "float", "x": "str"}.items():
        with pytest.raises(TypeError) as refusal:
            UltraDict.open(**{word: value})  # type: ignore[arg-type]
        assert str(refusal.value) == f"{word} must be an integer, not {kind}: it is in {unit}"


def test_bounds_that_contradict_each_other() -> None:
    words = "full_dump_size=2097152 does not fit into max_bytes=1048576.*: raise max_bytes, or leave full_dump_size out"
    with pytest.raises(InvalidParameter, match=words):
        UltraDict.open(max_bytes=2**20, full_dump_size=2**21)


def test_a_name_without_bytes() -> None:
    for name in ("a\udc80", "root/\udc80"):
        refused(InvalidParameter, r"'\\udc80' has no bytes in UTF-8", name=name)


def test_flags_of_numpy() -> None:
    with UltraDict(shared_lock=np.bool_(True), recurse=np.bool_(False)) as d:
        assert (d.shared_lock, d.recurse) == (True, False)


def test_parameters_as_attributes() -> None:
    """A subclass of UltraDict 0.0.6 may set them before the dict is there."""
    words = ("name", "serializer", "shared_lock", "recurse", "buffer_size", "full_dump_size", "auto_unlink")

    class Sized(UltraDict[Any, Any]):
        def __init__(self, **given: Any) -> None:
            for word in words:
                setattr(self, word, given.get(word))
            self._id = self._open = self._handle = "the program's own"
            super().__init__(**given)

    with Sized(buffer_size=20_000, shared_lock=True) as d:
        assert (d.buffer_size, d.shared_lock, d._open) == (20_000, True, "the program's own")
        for word in words:
            with pytest.raises(AttributeError, match=f"{word} of an UltraDict cannot be set"):
                setattr(d, word, None)


def test_a_mode_is_told_in_octal() -> None:
    with pytest.raises(ValueError, match="mode must be between 0 and 0o777, not 0o1777"):
        UltraDict.open(mode=0o1777)
    for mode in (0, 0o077, 0o400, 0o277):
        with pytest.raises(InvalidParameter, match=f"let the owner read and write, as 0o600 does; {mode:#o} does not"):
            UltraDict.open(mode=mode)


def test_items_in_the_place_of_the_name_are_told() -> None:
    anything: Any = {"a": 1}
    with pytest.raises(TypeError, match="name must be a str, not dict: the items are given as data="):
        UltraDict.open(anything)


@pytest.mark.parametrize("name", [5, b"x", ["x"]])
def test_a_name_is_a_str(name: object) -> None:
    refused(TypeError, "name", name=name)


@pytest.mark.parametrize("register", [5, {}, b"x", object()])
def test_a_register_is_a_name_or_an_ultradict(register: object) -> None:
    refused(TypeError, "recurse_register", recurse_register=register)


def test_a_register_is_accepted_and_not_needed() -> None:
    with UltraDict() as register, UltraDict(recurse_register=register) as d, UltraDict(recurse_register="x") as other:
        assert d == other == {}
        assert d.recurse_register is None


def test_recurse_needs_pickle() -> None:
    refused(ValueError, "pickle", recurse=True, serializer=json)


def test_further_parameters_are_words_of_open_alone() -> None:
    with UltraDict(cache_bytes=1, mode=2, allow_pickle=3) as d:
        assert d == {"cache_bytes": 1, "mode": 2, "allow_pickle": 3}
    for word, value in {"cache_bytes": -1, "mode": 0o1777}.items():
        with pytest.raises(ValueError, match=word):
            UltraDict.open(**{word: value})  # type: ignore[arg-type]
    for word in ("cache_bytes", "mode", "allow_pickle"):
        with pytest.raises(TypeError, match=word):
            UltraDict.open(**{word: "x"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="item"):
        UltraDict.open("x", item=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        UltraDict.open("x", {}, True)  # type: ignore[misc]


def test_data_of_open_is_what_the_argument_of_the_class_is() -> None:
    with UltraDict.open(data=[("a", 1)]) as d, UltraDict.open(d.name, {"b": 2}) as other:
        assert d == other == {"a": 1, "b": 2}


def test_every_original_parameter_is_a_word_and_no_item() -> None:
    with UltraDict(
        {"a": 1},
        name=None,
        create=None,
        buffer_size=10_000,
        serializer=pickle,
        shared_lock=None,
        full_dump_size=None,
        auto_unlink=None,
        recurse=None,
        recurse_register=None,
    ) as d:
        assert d == {"a": 1}
        assert originals.isdisjoint(d)


def test_a_full_dump_size_of_nothing_is_none_as_in_the_original() -> None:
    with UltraDict(full_dump_size=0) as d:
        assert d.full_dump_size is None


# ---- what who attaches says ----


def test_recorded_parameters_of_another_value_are_refused_by_name_and_both_values() -> None:
    with UltraDict(name="recorded", serializer=json, shared_lock=True, recurse=False):
        cases: list[tuple[dict[str, Any], list[str]]] = [
            ({"serializer": marshal}, ["serializer", "json", "marshal"]),
            ({"shared_lock": False}, ["shared_lock", "True", "False"]),
            ({"recurse": True, "serializer": None}, ["recurse", "True", "False"]),
        ]
        for given, words in cases:
            with pytest.raises(ParameterMismatch) as mismatch:
                UltraDict(name="recorded", **given)
            assert all(word in str(mismatch.value) for word in ["recorded", *words])
        for same in ({"serializer": json}, {"shared_lock": True}, {"recurse": False}, {"serializer": pickle}, {}):
            with UltraDict(name="recorded", create=False, **same) as other:
                assert (other.serializer, other.shared_lock, other.recurse) == (json, True, False)


def test_every_other_parameter_is_the_creators() -> None:
    with UltraDict(name="silent", buffer_size=20_000, full_dump_size=30_000):
        other = UltraDict.open(
            "silent",
            buffer_size=5,
            full_dump_size=7,
            auto_unlink=False,
            recurse_register="x",
            mode=0o644,
            cache_bytes=0,
        )
        with other:
            assert (other.buffer_size, other.full_dump_size, other.auto_unlink) == (20_000, 30_000, True)


def test_create_is_as_in_the_original() -> None:
    with pytest.raises(CannotAttachSharedMemory):
        UltraDict(name="created", create=False)
    with UltraDict(name="created", create=True), pytest.raises(AlreadyExists):
        UltraDict(name="created", create=True)


# ---- serializers ----


@pytest.mark.parametrize("lacking", ["dumps", "loads"])
def test_a_serializer_has_dumps_and_loads(lacking: str) -> None:
    serializer = type("Half", (), {word: staticmethod(json.dumps) for word in {"dumps", "loads"} - {lacking}})()
    refused(TypeError, lacking, serializer=serializer)
    setattr(serializer, lacking, 5)
    refused(TypeError, lacking, serializer=serializer)


class Failing:
    """Fails on one value."""

    @staticmethod
    def dumps(value: object) -> str:
        if value == "bad":
            raise ZeroDivisionError("half-way")
        return json.dumps(value)

    loads = staticmethod(json.loads)


def test_a_serializer_that_fails_half_way_changes_nothing() -> None:
    with UltraDict({"a": 1}, serializer=Failing()) as d:
        before = (d.stats()["content_size"], d.update_stream_position)
        for use in (
            lambda: d.update({"b": 2, "a": "bad"}),
            lambda: d.__setitem__("a", "bad"),
            lambda: d.setdefault("b", "bad"),
            lambda: d.__ior__({"b": 1, "c": "bad"}),
        ):
            with pytest.raises(ZeroDivisionError, match="half-way"):
                use()
        assert d == {"a": 1}
        assert (d.stats()["content_size"], d.update_stream_position) == before
        assert d.lock.get_remote_lock() == 0
    with pytest.raises(ZeroDivisionError):
        UltraDict({"a": 1, "b": "bad"}, name="never", serializer=Failing())
    with pytest.raises(CannotAttachSharedMemory):
        UltraDict(name="never", create=False)


@pytest.fixture
def passing_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A serializer in a module that will not be there later."""
    (tmp_path / "passing_serializer.py").write_text("from json import dumps, loads\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("passing_serializer")
    sys.modules.pop("passing_serializer", None)


def test_a_serializer_that_cannot_be_imported_on_attach(passing_module: Any, tmp_path: Path) -> None:
    with UltraDict({"a": 1}, name="passed", serializer=passing_module):
        with UltraDict(name="passed") as other:
            assert other.serializer is passing_module
        del sys.modules["passing_serializer"]
        (tmp_path / "passing_serializer.py").unlink()
        importlib.invalidate_caches()
        for cached in tmp_path.rglob("*.pyc"):
            cached.unlink()
        with pytest.raises(ParameterMismatch, match=r"passing_serializer.*pass serializer="):
            UltraDict(name="passed")
        with UltraDict(name="passed", serializer=passing_module) as other:
            assert other == {"a": 1}


def test_an_instance_must_be_passed_again() -> None:
    with UltraDict({"a": 1}, name="instance", serializer=Failing()):
        with pytest.raises(ParameterMismatch, match="pass serializer="):
            UltraDict(name="instance")
        with UltraDict(name="instance", serializer=Failing()) as other:
            assert other == {"a": 1}


# ---- names ----


@pytest.mark.parametrize("kind", ["directory", "file", "fifo", "stray link"])
def test_a_name_in_use_by_something_else(shared_directory: Path, kind: str) -> None:
    UltraDict().close()  # so that the directory is there
    place = shared_directory / "n" / "in use"
    if kind == "directory":
        place.mkdir()
    elif kind == "file":
        place.write_text("mine")
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.symlink_to("../../elsewhere")
    try:
        for create in (None, True, False):
            with pytest.raises(UltraDictError, match="in use"):
                UltraDict(name="in use", create=create)
        with pytest.raises(UltraDictError, match="in use"):
            UltraDict.unlink_by_name("in use")
        assert os.path.lexists(place)
    finally:
        place.rmdir() if kind == "directory" else place.unlink()
