# SPDX-License-Identifier: Apache-2.0
"""Everything dict does, with its results, exceptions and order: each case runs on a dict and on an UltraDict, and must
answer, raise and leave the same, whichever handle and process does it."""

from __future__ import annotations

import collections
import copy
import json
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import dict_cases
import pytest
import view_cases

import UltraDict as package  # noqa: N813
from outcomes import lines, outcome, outcome_by_name, state
from peer import Peer
from UltraDict import Exceptions, UltraDict

start = dict_cases.start
topics = [dict_cases.reading, dict_cases.writing, dict_cases.updating, dict_cases.comparing]
topics += [view_cases.views, view_cases.iterating, view_cases.reentrant]
if sys.version_info >= (3, 10):
    topics += [dict_cases.matching, view_cases.views_of_later_pythons]
cases = [line.replace(r"\n", "\n") for topic in topics for line in topic.splitlines() if line]


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    with Peer() as other:
        yield other


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(start) as shared:
        yield shared


def by_one_handle(text: str, peer: Peer) -> Any:
    with UltraDict(start) as d:
        return outcome(lines(text), d)


def by_one_handle_without_a_cache(text: str, peer: Peer) -> Any:
    with UltraDict.open(data=start, cache_bytes=0) as d:
        return outcome(lines(text), d)


def by_another_handle(text: str, peer: Peer) -> Any:
    """One handle writes, the other acts; both must see what came of it."""
    with UltraDict() as writer, UltraDict(name=writer.name) as actor:
        writer.update(start)
        result = outcome(lines(text), actor)
        assert state(writer) == result[-1]
        return result


def by_another_process(text: str, peer: Peer) -> Any:
    """This process writes, the other acts; both must see what came of it."""
    with UltraDict(start) as writer:
        result = peer(outcome_by_name, writer.name, text)
        assert state(writer) == result[-1]
        return result


def by_a_nested_dict(text: str, peer: Peer) -> Any:
    """A dict in a dict is one like any other."""
    with UltraDict({"nested": start}, recurse=True) as root:
        return outcome(lines(text), root["nested"])


arrangements = [
    by_one_handle,
    by_one_handle_without_a_cache,
    by_another_handle,
    by_another_process,
    by_a_nested_dict,
]


@pytest.mark.parametrize("arrangement", arrangements)
@pytest.mark.parametrize("text", cases)
def test_answers_and_leaves_what_dict_does(text: str, arrangement: Callable[[str, Peer], Any], peer: Peer) -> None:
    expected = outcome(lines(text), copy.deepcopy(start))
    assert arrangement(text, peer) == expected


walks: dict[str, Callable[[Any], Iterator[Any]]] = {
    "keys": iter,
    "values": lambda d: iter(d.values()),
    "items": lambda d: iter(d.items()),
    "keys backwards": reversed,
    "values backwards": lambda d: reversed(d.values()),
    "items backwards": lambda d: reversed(d.items()),
}


@pytest.mark.parametrize("walk", walks)
def test_who_iterates_bears_what_another_process_writes(walk: str, d: UltraDict[Any, Any], peer: Peer) -> None:
    """What was there throughout is seen once and in order; what came meanwhile may be."""
    walker = walks[walk](d)
    first = next(walker)
    peer(outcome_by_name, d.name, "d['new'] = 1; del d[3]; d['b'] = 0")
    seen = [first, *walker]
    now = list(walks[walk](d))
    came_meanwhile = now[0] if "backwards" in walk else now[-1]
    assert [item for item in seen if item != came_meanwhile] == [item for item in now if item != came_meanwhile]


def test_a_copy_of_an_iterator_that_cannot_go_on_says_why(d: UltraDict[Any, Any]) -> None:
    walker = iter(d)
    d["new"] = 1
    with pytest.raises(RuntimeError, match="changed size during iteration"):
        copy.copy(walker)
    walker = iter(d)
    d.close()
    with pytest.raises(Exceptions.AlreadyClosed):
        copy.copy(walker)


@pytest.mark.parametrize("walk", walks)
def test_an_exhausted_iterator_stays_so(walk: str, d: UltraDict[Any, Any], peer: Peer) -> None:
    walker = walks[walk](d)
    assert len(list(walker)) == len(start)
    peer(outcome_by_name, d.name, "d['new'] = 1")
    assert list(walker) == []
    d["newer"] = 1
    assert list(walker) == []


@pytest.mark.parametrize("walk", walks)
def test_a_size_changed_here_and_there_is_changed_here(walk: str, d: UltraDict[Any, Any], peer: Peer) -> None:
    walker = walks[walk](d)
    next(walker)
    d["mine"] = 1
    peer(outcome_by_name, d.name, "del d['mine']")
    with pytest.raises(RuntimeError, match="changed size during iteration"):
        list(walker)


def test_views_are_live_across_processes(d: UltraDict[Any, Any], peer: Peer) -> None:
    keys, values, items = d.keys(), d.values(), d.items()
    peer(outcome_by_name, d.name, "d.clear(); d['new'] = 1")
    assert (list(keys), list(values), list(items)) == (["new"], [1], [("new", 1)])
    assert "new" in keys
    assert len(values) == 1


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


class Deciding(dict[Any, Any]):
    def __ror__(self, other: Any) -> Any:
        return "decided", other


class Leaving(dict[Any, Any]):
    def __ror__(self, other: Any) -> Any:
        return NotImplemented


def test_a_subclass_of_dict_on_the_right_of_an_or_decides() -> None:
    with UltraDict(a=1, b=2) as d:
        rights = (collections.OrderedDict(b=3), collections.defaultdict(int, b=3), collections.Counter(b=3), {"b": 3})
        for right in (*rights, Deciding(b=3), Leaving(b=3)):
            expected = dict(d) | right
            assert d | right == expected
            assert type(d | right) is type(expected)
            assert right | d == {"a": 1, "b": 2}


class Ending:
    def __reduce__(self) -> Any:
        return next, (iter(()),)


def test_a_value_whose_loading_raises_stop_iteration_does_not_end_a_loop() -> None:
    with UltraDict.open(data={"a": 1, "b": Ending(), "c": 3}, cache_bytes=0) as d:
        for walk in (d.values, d.items, lambda: reversed(d.values())):
            with pytest.raises(RuntimeError, match="StopIteration") as raised:
                list(walk())
            assert isinstance(raised.value.__cause__, StopIteration)
        assert list(d) == ["a", "b", "c"]
        with pytest.raises(StopIteration):
            d["b"]


deletes: list[Any] = []


class Deletes:
    """What loads it deletes a key elsewhere, as another process might just then."""

    def __reduce__(self) -> Any:
        return _delete, ()


def _delete() -> str:
    deletes[0].pop("late", None)
    return "loaded"


READS: dict[str, Callable[[UltraDict[str, Any]], Any]] = {
    "d | {}": lambda d: d | {},
    "{} | d": lambda d: {} | d,
    "d | d": lambda d: d | d,
    "update": lambda d: _updated(lambda other: other.update(d)),
    "update and more": lambda d: _updated(lambda other: other.update(d, early="loaded")),
    "|=": lambda d: _updated(lambda other: other.__ior__(d)),
    "UltraDict": lambda d: UltraDict(d).close(),
    "to_dict": UltraDict.to_dict,
}


def _updated(update: Callable[[UltraDict[str, Any]], object]) -> Any:
    with UltraDict[str, Any]() as other:
        update(other)
        return other.to_dict()


@pytest.mark.parametrize("read", READS)
def test_a_key_that_is_deleted_while_all_are_read_is_passed_over(read: str) -> None:
    with UltraDict.open(cache_bytes=0) as d, UltraDict(name=d.name) as other:
        deletes[:] = [other]
        d.update(early=Deletes(), late=1)
        assert READS[read](d) == {"early": "loaded"}
    deletes.clear()
