# SPDX-License-Identifier: Apache-2.0
"""Code that takes a dict and gets an UltraDict: what it makes of it is right, or it raises.

C code may read the storage of the `dict` base, where the items are not. It must never see an empty or a stale dict.
"""

from __future__ import annotations

import collections
import contextlib
import copy
import csv
import io
import json
import pprint
import sqlite3
import string
import types
import urllib.parse
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgpack
import msgspec
import orjson
import pandas as pd
import pydantic
import pytest
import yaml

from UltraDict import UltraDict

PLAIN: dict[str, Any] = {"b": 1, "a": [1, 2], "c": {"x": None}}


class Consumer(NamedTuple):
    """What is done with the dict, and what comes of it."""

    name: str
    use: Callable[[Any], Any]
    outcome: str = "right"


def _exec_globals(mapping: Any) -> Any:
    exec("r = b", mapping)
    return mapping["r"]


def _exec_locals(mapping: Any) -> Any:
    seen: list[Any] = []
    exec("seen.append(b)", {"seen": seen}, mapping)
    return seen


def _csv_row(mapping: Any) -> str:
    out = io.StringIO()
    csv.DictWriter(out, ["a", "b", "c"]).writerow(mapping)
    return out.getvalue()


def _updated(mapping: Any) -> Any:
    target = {"z": 0}
    dict.update(target, mapping)
    return target


def _class_attributes(mapping: Any) -> Any:
    return {key: value for key, value in vars(type("T", (), mapping)).items() if not key.startswith("__")}


def _sqlite_parameter(mapping: Any) -> Any:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        return connection.execute("select :b", mapping).fetchall()


def _adapter() -> Any:
    return pydantic.TypeAdapter(dict[str, Any])


CONSUMERS = [
    Consumer("json.dumps", json.dumps),
    Consumer("json indent", lambda m: json.dumps(m, indent=1)),
    Consumer("json sort_keys", lambda m: json.dumps(m, sort_keys=True)),
    Consumer("json inside", lambda m: json.dumps([{"m": m}])),
    Consumer("json iterencode", lambda m: "".join(json.JSONEncoder().iterencode(m))),
    Consumer("json encoder in Python", lambda m: "".join(json.JSONEncoder(indent=2).iterencode(m))),
    Consumer("json.dump", lambda m: (out := io.StringIO(), json.dump(m, out))[0].getvalue()),
    Consumer("orjson", orjson.dumps, "raises"),
    Consumer("orjson passthrough", lambda m: orjson.dumps(m, default=dict, option=orjson.OPT_PASSTHROUGH_SUBCLASS)),
    Consumer("msgspec json", msgspec.json.encode, "raises"),
    Consumer("msgspec msgpack", msgspec.msgpack.encode, "raises"),
    Consumer("msgspec to_builtins", msgspec.to_builtins, "raises"),
    Consumer("msgspec convert", lambda m: msgspec.convert(m, dict), "raises"),
    Consumer("msgspec of to_dict", lambda m: msgspec.json.encode(dict(m))),
    Consumer("msgpack", msgpack.packb),
    Consumer("msgpack strict", lambda m: msgpack.packb(m, strict_types=True, default=dict)),
    Consumer("yaml", lambda m: yaml.unsafe_load(yaml.dump(m))),
    Consumer("yaml safe_dump", yaml.safe_dump, "raises"),
    Consumer("pandas.Series", lambda m: pd.Series(m).to_dict()),
    Consumer("pandas.DataFrame", lambda m: pd.DataFrame({"column": m}).to_dict()),
    Consumer("pandas row", lambda m: pd.DataFrame([m]).to_dict()),
    Consumer("pydantic validate", lambda m: _adapter().validate_python(m)),
    Consumer("pydantic validate strict", lambda m: _adapter().validate_python(m, strict=True)),
    Consumer("pydantic dump_python", lambda m: _adapter().dump_python(m), "raises"),
    Consumer("pydantic dump_json", lambda m: _adapter().dump_json(m), "raises"),
    Consumer("pydantic dump_json of any", lambda m: pydantic.TypeAdapter(Any).dump_json(m), "raises"),
    Consumer("type()", _class_attributes),
    Consumer("exec, globals", _exec_globals),
    Consumer("exec, locals", _exec_locals),
    Consumer("eval, locals", lambda m: eval("b", {}, m)),
    Consumer("format_map", lambda m: "{a} {b}".format_map(m)),
    Consumer("% formatting", lambda m: "%(a)s %(b)s" % m),  # noqa: UP031
    Consumer("string.Template", lambda m: string.Template("$a $b").substitute(m)),
    Consumer("str.translate", lambda m: "abc".translate(m)),
    Consumer("dict()", dict),
    Consumer("dict.update", _updated),
    Consumer("dict.copy", dict.copy),
    Consumer("{**m}", lambda m: {**m}),
    Consumer("f(**m)", lambda m: dict(**m)),
    Consumer("{} | m", lambda m: {"z": 0} | m if hasattr(dict, "__or__") else {"z": 0, **m}),
    Consumer("m | {}", lambda m: m | {"z": 0} if hasattr(dict, "__or__") else {**m, "z": 0}),
    Consumer("plain == m", lambda m: m == PLAIN and PLAIN == m),  # noqa: SIM300
    Consumer("pprint", lambda m: pprint.pformat(m, sort_dicts=False)),
    Consumer("ChainMap", lambda m: dict(collections.ChainMap({"z": 0}, m))),
    Consumer("ChainMap ==", lambda m: collections.ChainMap(m) == PLAIN),
    Consumer("OrderedDict", collections.OrderedDict),
    Consumer("defaultdict", lambda m: collections.defaultdict(int, m)),
    Consumer("UserDict", lambda m: collections.UserDict(m).data),
    Consumer("SimpleNamespace", lambda m: vars(types.SimpleNamespace(**m))),
    Consumer("MappingProxyType", lambda m: dict(types.MappingProxyType(m))),
    Consumer("MappingProxyType.copy", lambda m: types.MappingProxyType(m).copy()),
    Consumer("MappingProxyType ==", lambda m: types.MappingProxyType(m) == PLAIN),
    Consumer("copy", copy.copy),
    Consumer("deepcopy", copy.deepcopy),
    Consumer("urlencode", urllib.parse.urlencode),
    Consumer("ElementTree", lambda m: ET.Element("tag", {key: str(m[key]) for key in m}).attrib),
    Consumer("csv.DictWriter", _csv_row),
    Consumer("sqlite3", _sqlite_parameter),
    Consumer("dict.__getitem__", lambda m: dict.__getitem__(m, "b"), "raises"),
    Consumer("a set of dict.keys", lambda m: set(dict.keys(m)), "raises"),
    Consumer("a dict of dict.items", lambda m: dict(dict.items(m)), "raises"),
]


@pytest.fixture
def d() -> Iterator[UltraDict[str, Any]]:
    with UltraDict(PLAIN) as made:
        yield made


def expect(consumer: Consumer, shared: UltraDict[str, Any]) -> None:
    expected = consumer.use(copy.deepcopy(PLAIN))
    if consumer.outcome == "right":
        assert consumer.use(shared) == expected
        return
    with pytest.raises((TypeError, KeyError, ValueError, yaml.YAMLError)):
        consumer.use(shared)


each_consumer = pytest.mark.parametrize("consumer", CONSUMERS, ids=[consumer.name for consumer in CONSUMERS])


@each_consumer
def test_a_consumer_gets_it_right_or_raises(consumer: Consumer, d: UltraDict[str, Any]) -> None:
    expect(consumer, d)


@each_consumer
def test_it_gets_what_another_handle_has_changed_since(consumer: Consumer) -> None:
    with UltraDict({"x": 7, "b": 5, "a": 0}) as shared:
        assert shared == {"b": 5, "a": 0, "x": 7}
        other = UltraDict(name=shared.name)
        del other["x"]
        other.update(PLAIN)
        expect(consumer, shared)


def test_what_cannot_be_told_apart_from_an_empty_dict(d: UltraDict[str, Any]) -> None:
    """The documented cases: CPython reads the base here, and asks nobody who could object."""
    assert dict.get(d, "b") is None
    assert not dict.__contains__(d, "b")
    assert collections.OrderedDict(PLAIN) != d
    assert collections.OrderedDict(d) == d.to_dict()


def test_the_storage_of_the_base_says_where_the_items_are(d: UltraDict[str, Any]) -> None:
    assert "use d.to_dict()" in dict.__repr__(d)
    with pytest.raises(TypeError, match=r"use d\.to_dict\(\)"):
        set(dict.keys(d))


def test_the_methods_of_the_base_change_what_nobody_else_reads(d: UltraDict[str, Any]) -> None:
    dict.__setitem__(d, "new", 1)
    dict.setdefault(d, "newer", 1)
    dict.update(d, newest=1)
    assert dict.pop(d, "b", None) is None
    dict.clear(d)
    assert d.to_dict() == PLAIN
    assert list(d) == list(PLAIN)
