# SPDX-License-Identifier: Apache-2.0
"""A pickled handle is a name and an identity: it arrives attached to that very dict, or not at all."""

from __future__ import annotations

import copy
import io
import json
import pickle
import warnings
from typing import Any

import cloudpickle
import dill
import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAttachSharedMemory


class Own(UltraDict[str, Any]):
    pass


class Upper:
    """A serializer that is an instance: it has no importable name."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def dumps(self, value: Any) -> str:
        return self.mark + json.dumps(value)

    def loads(self, text: str) -> Any:
        return json.loads(text[len(self.mark) :])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrives_attached_as_its_own_class(protocol: int) -> None:
    with Own(a=1) as d:
        d.note = "kept"
        there = pickle.loads(pickle.dumps(d, protocol))
        assert type(there) is Own
        assert there is not d
        assert there.note == "kept"
        there["b"] = 2
        assert d == {"a": 1, "b": 2}


@pytest.mark.parametrize("pickler", [pickle, dill, cloudpickle])
def test_everything_in_it_is_pickled_by_name(pickler: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with UltraDict(a=1) as d:
            for handle in (d, d.lock):
                pickled = pickler.dumps(handle)
                assert len(pickled) < 300
                with pickler.loads(pickled) as there:
                    assert type(there) is type(handle)
        assert pickler.loads(pickler.dumps(UltraDict)) is UltraDict


def test_what_was_pickled_by_the_path_of_the_module() -> None:
    with UltraDict(a=1) as d:
        for pickled in (pickle.dumps(d, 0), pickle.dumps(d.lock, 0)):
            by_path = pickled.replace(b"cUltraDict\n", b"cUltraDict.UltraDict\n")
            assert by_path != pickled
            with pickle.loads(by_path):
                assert d == {"a": 1}


def test_an_arrived_handle_does_not_end_the_dict() -> None:
    with UltraDict(a=1) as d:
        pickle.loads(pickle.dumps(d)).close()
        assert UltraDict(name=d.name, create=False)["a"] == 1


def test_a_dict_that_is_gone_is_not_created() -> None:
    d = UltraDict(name="gone")
    pickled = pickle.dumps(d)
    d.close()
    with pytest.raises(CannotAttachSharedMemory, match="gone"):
        pickle.loads(pickled)


def test_another_dict_of_the_name_is_not_taken_for_it() -> None:
    d = UltraDict(name="taken anew")
    pickled = pickle.dumps(d)
    d.close()
    with UltraDict(name="taken anew", a=1) as new:
        with pytest.raises(CannotAttachSharedMemory, match="taken anew"):
            pickle.loads(pickled)
        assert UltraDict(name="taken anew", create=False) == new


def test_a_stranger_under_the_name_is_not_even_looked_at() -> None:
    d = UltraDict(name="stranger", serializer=Upper("> "), shared_lock=False)
    pickled = pickle.dumps(d)
    d.close()
    with UltraDict(name="stranger", serializer=json, shared_lock=True, a=1) as new:
        with pytest.raises(CannotAttachSharedMemory, match=r"stranger.*another has its name"):
            pickle.loads(pickled)
        assert new == {"a": 1}


def test_a_pickled_lock_is_that_dicts_or_none() -> None:
    d = UltraDict(name="locked")
    pickled = pickle.dumps(d.lock)
    with pickle.loads(pickled):
        assert d.lock.has_lock
    d.close()
    for _ in range(2):
        with pytest.raises(CannotAttachSharedMemory, match="locked"):
            pickle.loads(pickled)
        UltraDict(name="locked", auto_unlink=False).close()
    UltraDict.unlink_by_name("locked")


def test_the_serializer_travels() -> None:
    with UltraDict(serializer=json, a=1) as d:
        assert pickle.loads(pickle.dumps(d)).serializer is json
    with UltraDict(serializer=Upper("> "), a=[1]) as d:
        there = pickle.loads(pickle.dumps(d))
        assert there["a"] == [1]
        assert there.serializer.mark == "> "


def test_open_parameters_travel() -> None:
    with UltraDict.open(cache_bytes=0, data={"a": "x"}) as d:
        there = pickle.loads(pickle.dumps(d))
        assert there["a"] == "x"
        assert there.stats()["cache_count"] == 0


def test_as_a_value_of_another_dict() -> None:
    with UltraDict(a=1) as inner, UltraDict(inner=inner) as outer:
        assert outer["inner"]["a"] == 1
        outer["inner"]["a"] = 2
        assert inner["a"] == 2


def test_a_stored_dict_that_was_read_and_closed_is_opened_again() -> None:
    with UltraDict(a=1) as inner, UltraDict(inner=inner) as outer:
        for _ in range(2):
            with outer["inner"] as read:
                assert read["a"] == 1
            assert outer.get("inner", {})["a"] == 1
            next(iter(outer.values())).close()


def test_c13_copies_are_plain() -> None:
    with UltraDict(a=[1]) as d:
        shallow, deep = copy.copy(d), copy.deepcopy({"d": d})["d"]
        assert type(shallow) is type(deep) is dict
        assert shallow == deep == {"a": [1]}
        assert deep["a"] is not d["a"]


def test_a_deep_copy_of_a_dict_that_holds_itself() -> None:
    with UltraDict({"n": {"x": 1}}, recurse=True) as d, UltraDict(d=d) as outer:
        d["self"] = d["n"]["root"] = [d]
        whole = copy.deepcopy(d)
        assert type(whole) is dict
        assert whole["self"][0] is whole
        assert whole["n"]["root"][0] is whole
        assert whole["n"]["x"] == 1
        both = copy.deepcopy([d, outer])
        assert both[0] is both[1]["d"]
        del d["self"], d["n"]


def test_a_plain_pickler_sees_no_contents() -> None:
    with UltraDict(secret="x" * 1000) as d:
        out = io.BytesIO()
        pickle.Pickler(out).dump(d)
        assert len(out.getvalue()) < 500
