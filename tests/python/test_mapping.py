# SPDX-License-Identifier: Apache-2.0
"""Everything dict does, with its results, exceptions and order: each case runs on a dict and on an UltraDict, and must
answer, raise and leave the same."""

from __future__ import annotations

import collections
import copy
import json
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import UltraDict as package  # noqa: N813
from UltraDict import UltraDict

Mapping = dict[Any, Any]
start = {"a": 1, "b": [2, 3], 3: "three", None: None, (1, "x"): {"y": 2.5}, 2.5: b"bytes"}


def plain_names(text: str) -> str:
    """A message with the names of dict's types in place of ours."""
    return text.replace("UltraDict._core.", "dict_").replace("'UltraDict'", "'dict'")


def outcome(case: Callable[[Any], Any], mapping: Any) -> tuple[object, ...]:
    """What a case answers or raises, and what it leaves."""
    try:
        answer = case(mapping)
    except Exception as error:
        answer = (type(error), plain_names(str(error)))
    return answer, list(mapping.items())


def lines(text: str) -> Callable[[Any], Any]:
    """A case made of statements; its answer is what they assign to `answer`."""

    def run(d: Any) -> Any:
        names: dict[str, Any] = {"d": d, "copy": copy, "json": json, "collections": collections}
        exec(text, names)
        return names.get("answer")

    run.__name__ = text
    return run


cases = [
    "answer = d['a'], d[3], d[None], d[1, 'x'], d[2.5]",
    "d['missing']",
    "d[()]",
    "d[[]]",
    "answer = 'a' in d, 'z' in d, 3 in d, 3.0 in d, None in d",
    "[] in d",
    "answer = len(d), bool(d)",
    "d.clear(); answer = len(d), bool(d), list(d)",
    "answer = d.get('a'), d.get('z'), d.get('z', 5)",
    "d.get()",
    "d.get(1, 2, 3)",
    "d.get([])",
    "d['a'] = 2; d['new'] = 3; answer = list(d)",
    "d[{}] = 1",
    "del d['a']; d['a'] = 9; answer = list(d)",
    "del d['z']",
    "del d[[]]",
    "answer = d.pop('a'), d.pop('z', 4)",
    "d.pop('z')",
    "d.pop()",
    "d.pop([])",
    "d.clear(); d.pop([], 1)",
    "answer = [d.popitem() for _ in range(len(d))]",
    "d.clear(); d.popitem()",
    "answer = d.setdefault('a', 5), d.setdefault('n'), d.setdefault('m', (6,)), d['m']",
    "d.setdefault()",
    "d.setdefault([], 1)",
    "d.update({'a': 0, 'u': 1}, v=2)",
    "d.update([('a', 0), ('u', 1)])",
    "d.update()",
    "d.update(5)",
    "d.update([1])",
    "d.update([(1, 2, 3)])",
    "d.update({}, {})",
    "d.update(collections.ChainMap({'c': 1}))",
    "d.update((k, 0) for k in list(d))",
    "d |= {'o': 1}; answer = None",
    "d |= [('p', 2)]",
    "d |= 5",
    "answer = d | {'o': 1}, {'o': 1, 'a': 5} | d, type(d | {})",
    "d | 5",
    "5 | d",
    "answer = list(d), list(d.keys()), list(d.values()), list(d.items())",
    "answer = list(reversed(d)), list(reversed(d.keys())), list(reversed(d.values())), list(reversed(d.items()))",
    "answer = repr(d), str(d)",
    "answer = repr(d.keys()), repr(d.values()), repr(d.items())",
    "answer = d.copy(), type(d.copy()), copy.copy(d), copy.deepcopy(d)",
    "answer = json.dumps({k: v for k, v in d.items() if isinstance(k, str)})",
    "for k in (3, None, (1, 'x'), 2.5): del d[k]\nanswer = json.dumps(d, sort_keys=1), json.dumps(d, indent=2)",
    "answer = d == dict(d), d != dict(d), d == {}, d == 5, dict(d) == d, {} == d, d == collections.ChainMap(dict(d))",
    "answer = d == collections.OrderedDict(d.items())",
    "d < {}",
    "hash(d)",
    "d()",
    "answer = d.keys() & {'a', 'z'}, d.keys() | ['q'], d.keys() - {'a'}, d.keys() ^ {'a', 'q'}, {'a'} & d.keys()",
    "answer = d.keys() == set(d), d.keys() < {*d, 'q'}, d.keys() >= {'a'}, d.keys() != {1}, d.keys() == 5",
    "answer = {'a'} <= d.keys(), set(d) == d.keys(), d.items() <= set(), d.values() == d.values()",
    "answer = ('a', 1) in d.items(), ('a', 2) in d.items(), 5 in d.items(), ('z', 1) in d.items()",
    "answer = 1 in d.values(), 7 in d.values(), [2, 3] in d.values()",
    "answer = d.keys().isdisjoint(['q']), d.keys().isdisjoint(['a']), d.items().isdisjoint([('a', 1)])",
    "d.keys() & 5",
    "d.items() | {1}",
    "d.keys() + {1}",
    "hash(d.keys())",
    "answer = len(d.keys()), len(d.items()), len(d.values())",
    "v = d.keys(); d['later'] = 1; answer = list(v), len(v)",
    "i = iter(d); d['x'] = 1; next(i)",
    "i = iter(d.items()); del d['a']; next(i)",
    "i = iter(d); next(i); d['a'] = 5; answer = list(i)",
    "for k in d: d.clear()",
    "for k in list(d): d[k, 1] = 0",
    "answer = [iter(d).__length_hint__(), iter(d.values()).__length_hint__()]",
    "i = iter(d); next(i); answer = i.__length_hint__(), list(i), list(i), i.__length_hint__()",
    "answer = {**d}, [*d]",
    "answer = (lambda **words: words)(**{k: v for k, v in d.items() if isinstance(k, str)})",
    "d[1] = 'int'; d[True] = 'bool'; d[1.0] = 'float'; answer = d[1], [type(k) for k in d]",
    "d[0] = 1; d[-0.0] = 2; answer = d[False]",
    "n = float('nan'); d[n] = 1; answer = d[n], float('nan') in d, n in d; del d[n]",
    "d[2**70] = 1; d[float(2**70)] = 2; answer = d[2**70]",
    "d['\\ud800'] = '\\udfff'; answer = d['\\ud800']; del d['\\ud800']",
    "d['a' * 5000] = 'b' * 100_000; answer = d['a' * 5000]",
    "for i in range(3000): d[i] = i * i\nanswer = sum(d[i] for i in range(3000))",
    "for i in range(3000): d[i] = i\nfor i in range(0, 3000, 2): del d[i]\nanswer = len(d)",
    "d.update({i: str(i) for i in range(3000)}); answer = d[2999]",
    "answer = d.__contains__('a'), d.__getitem__('a'), d.__len__()",
    "d.__setitem__('s', 1); d.__delitem__('s')",
    "answer = d.__eq__(5)",
    "answer = d.__ne__({})",
    "answer = [k for k in (1, 'a') if k in d.keys()]",
]
if sys.version_info >= (3, 10):
    cases.append("answer = dict(d.keys().mapping), dict(d.values().mapping), dict(d.items().mapping)")
    cases.append("match d:\n  case {'a': x, 'b': [*y], **rest}: answer = x, y, rest")


@pytest.mark.parametrize("text", cases)
def test_answers_and_leaves_what_dict_does(text: str) -> None:
    case = lines(text)
    expected = outcome(case, copy.deepcopy(start))
    with UltraDict(start) as shared:
        assert outcome(case, shared) == expected


@pytest.mark.parametrize("text", cases)
def test_does_so_without_a_cache(text: str) -> None:
    case = lines(text)
    expected = outcome(case, copy.deepcopy(start))
    with UltraDict.open(data=start, cache_bytes=0) as shared:
        if "nan" not in text:  # dict finds NaN by identity, and only the cache could keep the caller's object
            assert outcome(case, shared) == expected


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(start) as shared:
        yield shared


def test_is_a_dict_and_a_mutable_mapping(d: UltraDict[Any, Any]) -> None:
    assert isinstance(d, dict)
    assert isinstance(d, collections.abc.MutableMapping)
    assert isinstance(d.keys(), collections.abc.KeysView)
    assert isinstance(d.values(), collections.abc.ValuesView)
    assert isinstance(d.items(), collections.abc.ItemsView)
    assert isinstance(UltraDict[str, int], types.GenericAlias)


def test_a_key_keeps_the_face_it_was_inserted_with(d: UltraDict[Any, Any]) -> None:
    d[True] = 1
    d[1.0] = 2
    assert [type(key) for key in d if key == 1] == [bool]
    other = UltraDict(name=d.name)
    assert [type(key) for key in other if key == 1] == [bool]
    assert other[1] == 2


def test_update_reads_its_source_to_the_end_first(d: UltraDict[Any, Any]) -> None:
    def pairs() -> Iterator[tuple[str, int]]:
        yield "first", len(d)
        yield "second", len(d)
        raise LookupError("no more")

    with pytest.raises(LookupError):
        d.update(pairs())
    assert d == start


def test_none_is_an_empty_source(d: UltraDict[Any, Any]) -> None:
    d.update(None)
    assert d == start
    with UltraDict(None) as empty:
        assert empty == {}


def test_update_from_itself(d: UltraDict[Any, Any]) -> None:
    d.update(d)
    assert d == start


def test_code_that_reads_the_storage_of_the_base_finds_an_explanation(d: UltraDict[Any, Any]) -> None:
    assert dict.get(d, "a") is None
    [(key, _)] = dict.items(d)
    assert not isinstance(key, str)
    assert "shared memory" in repr(key)
    assert dict.copy(d) == start
    assert dict(d) == start
    names = {"x": 1, "__module__": "m"}
    with UltraDict(names) as namespace:
        assert type("T", (), namespace).x == 1  # type: ignore[attr-defined]


def test_missing_hook_of_a_subclass() -> None:
    class Doubling(UltraDict[str, str]):
        def __missing__(self, key: str) -> str:
            return key * 2

    with Doubling(a="b") as d:
        assert d["a"] == "b"
        assert d["xy"] == "xyxy"
        assert d.get("xy") is None


def test_fromkeys_makes_a_shared_dict() -> None:
    with UltraDict.fromkeys("abc", 1) as d:
        assert type(d) is UltraDict
        assert d == dict.fromkeys("abc", 1)


def test_a_dict_that_holds_itself_has_a_finite_repr(d: UltraDict[Any, Any]) -> None:
    d["self"] = d
    assert "'self': {...}" in repr(d)
    del d["self"]


def test_extra_attributes_and_has_key(d: UltraDict[Any, Any]) -> None:
    d.extra = 5  # type: ignore[attr-defined]
    assert d.extra == 5  # type: ignore[attr-defined]
    assert d.has_key("a")
    assert not d.has_key("z")


def test_as_the_dict_of_an_object() -> None:
    class Config:
        def __init__(self) -> None:
            object.__setattr__(self, "__dict__", UltraDict())

        def __getattr__(self, name: str) -> Any:
            try:
                return self.__dict__[name]
            except KeyError:
                raise AttributeError(name) from None

        def __setattr__(self, name: str, value: Any) -> None:
            self.__dict__[name] = value

    config = Config()
    config.size = 5
    assert config.size == 5
    assert config.__dict__ == {"size": 5}
    config.__dict__.close()


def test_values_of_a_lossy_serializer_are_what_everybody_reads() -> None:
    with UltraDict(serializer=json) as d:
        d["t"] = (1, 2)
        assert d["t"] == [1, 2]
        assert d.setdefault("u", (3,)) == [3]
        d.update(v=(4,))
        assert d["v"] == [4]


def test_imports_as_in_the_original() -> None:
    import UltraDict.Exceptions
    import UltraDict.UltraDict as module_path  # noqa: N813
    from UltraDict.Exceptions import AlreadyExists
    from UltraDict.UltraDict import UltraDict as by_path  # noqa: N813

    assert module_path is by_path is package.UltraDict
    assert UltraDict.Exceptions.AlreadyExists is AlreadyExists is package.UltraDict.Exceptions.AlreadyExists
    assert package.UltraDict.log.__name__ == "logging"
