# SPDX-License-Identifier: Apache-2.0
"""`data`: one plain dict per handle, the same object for ever, brought up to date in place by what changed."""

from __future__ import annotations

import gc
import json
import random
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import AlreadyClosed


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict({"a": 1, "b": [2]}) as shared:
        yield shared


@pytest.fixture
def other(d: UltraDict[Any, Any]) -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(name=d.name, create=False) as shared:
        yield shared


def test_is_a_plain_dict_with_all_items(d: UltraDict[Any, Any]) -> None:
    assert type(d.data) is dict
    assert d.data == {"a": 1, "b": [2]}


def test_is_the_same_object_ever_after(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    first = d.data
    other["c"] = 3
    del other["a"]
    other["b"] = "changed"
    assert d.data is first
    assert first == {"b": "changed", "c": 3}
    other.clear()
    other["new"] = 1
    assert d.data is first
    assert first == {"new": 1}
    assert other.data is not first


def test_apply_update_brings_it_up_to_date_in_place(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    plain = d.data
    other["c"] = 3
    assert plain == {"a": 1, "b": [2]}
    assert d.apply_update() is None
    assert plain == {"a": 1, "b": [2], "c": 3}


def test_apply_update_and_load_need_no_data(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    d.apply_update()
    d.load()
    other["c"] = 3
    d.apply_update()
    d.load(force=True)
    assert d["c"] == 3


def test_keeps_the_order_of_insertion(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    plain = d.data
    del other["a"]
    other["z"] = 1
    other["a"] = 2
    other["b"] = 3
    assert list(d.data) == list(d) == ["b", "z", "a"]
    other.dump()
    other["y"] = 1
    assert list(d.data) == list(d)
    assert plain is d.data


def test_keeps_objects_that_did_not_change(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    kept = d.data["b"]
    other["a"] = 5
    other.dump()
    assert d.data["b"] is kept
    other["b"] = [2]
    assert d.data["b"] is not kept


def test_costs_what_changed_and_not_what_is_there() -> None:
    class Counting:
        """Counts what it decodes."""

        loaded = 0

        def dumps(self, value: object) -> str:
            return json.dumps(value)

        def loads(self, data: str) -> object:
            self.loaded += 1
            return json.loads(data)

    serializer = Counting()
    with UltraDict.open(None, {n: n for n in range(2000)}, serializer=serializer, cache_bytes=0) as d:
        assert len(d.data) == 2000
        serializer.loaded = 0
        d[5] = 6
        d[5] = 7
        del d[8]
        d["new"] = 1
        assert d.data[5] == 7
        assert 8 not in d.data
        assert serializer.loaded <= 2


def test_what_a_program_does_to_it_stays_there(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    plain = d.data
    plain["local"] = 1
    del plain["a"]
    assert d == {"a": 1, "b": [2]}
    other["c"] = 3
    del other["a"]
    assert d.data["c"] == 3
    assert "local" not in other
    plain.clear()
    other["c"] = 4
    other["d"] = 5
    assert d.data == {"c": 4, "d": 5}


def test_load_with_force_reads_everything_again(d: UltraDict[Any, Any]) -> None:
    plain = d.data
    read = d["b"]
    plain["local"] = 1
    d.load()
    assert plain["local"] == 1
    assert d["b"] is read
    d.load(force=True)
    assert plain == {"a": 1, "b": [2]}
    assert d.data is plain
    assert d["b"] is not read
    with pytest.raises(TypeError):
        d.load(True, 1)  # type: ignore[call-arg]


def test_none_drops_it(d: UltraDict[Any, Any]) -> None:
    first = d.data
    d.data = None
    again = d.data
    assert again == first
    assert again is not first
    del d.data
    assert d.data is not again
    for wrong in ({}, 5):
        with pytest.raises(TypeError, match="None"):
            d.data = wrong  # type: ignore[assignment]


def test_close_lets_it_go(d: UltraDict[Any, Any]) -> None:
    class Watched:
        pass

    with UltraDict(name=d.name) as handle:
        plain = handle.data
        plain["local"] = watched = Watched()
        watch = weakref.ref(watched)
        del watched
        handle.close(data=False)
        assert plain["a"] == 1
        del plain
        assert watch() is None
        for use in (lambda: handle.data, handle.apply_update, handle.load, lambda: setattr(handle, "data", None)):
            with pytest.raises(AlreadyClosed):
                use()


def test_a_cycle_through_it_is_garbage() -> None:
    d = UltraDict(name="data cycle", a=1)
    d.data["self"] = d
    watch = weakref.ref(d)
    del d
    gc.collect()
    assert watch() is None


def test_exotic_keys_and_large_values(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    nan = float("nan")
    other[Decimal("0.1")] = "tenth"
    other[nan] = 1
    other["large"] = b"x" * 200_000
    assert d.data[Decimal("0.1")] == "tenth"
    assert len(d.data) == 5
    assert d.data["large"] == b"x" * 200_000
    other["large"] = b"y" * 200_000
    del other[Decimal("0.1")]
    assert d.data["large"] == b"y" * 200_000
    assert Decimal("0.1") not in d.data


def test_a_value_that_cannot_be_decoded_is_asked_for_again(d: UltraDict[Any, Any]) -> None:
    class Moody:
        broken = True

        def dumps(self, value: object) -> str:
            return json.dumps(value)

        def loads(self, data: str) -> object:
            if self.broken and data == '"moody"':
                raise ZeroDivisionError
            return json.loads(data)

    serializer = Moody()
    with UltraDict({"a": 1}, serializer=serializer) as shared:
        plain = shared.data
        shared["b"] = "moody"
        shared["c"] = 3
        for _ in range(2):
            with pytest.raises(ZeroDivisionError):
                shared.apply_update()
        serializer.broken = False
        assert shared.data is plain
        assert plain == {"a": 1, "b": "moody", "c": 3}
        assert list(plain) == ["a", "b", "c"]


def test_destructors_may_use_the_dict(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    seen: list[object] = []

    class Nosy:
        def __del__(self) -> None:
            seen.append(dict(d.data))

    for key in ("a", "b"):
        d.data[key] = Nosy()
    other["a"] = 2
    del other["b"]
    other["c"] = 3
    assert d.data == {"a": 2, "c": 3}
    assert seen == [{"a": 2, "c": 3}] * 2


class Ending(str):
    """A key that calls `act` when one goes, once."""

    act: Callable[[], object] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Ending, (str(self),)

    def __del__(self) -> None:
        if (act := Ending.act) is not None:
            Ending.act = None
            act()


def test_a_key_that_drops_it_when_it_goes() -> None:
    with UltraDict({Ending("a"): 1, "b": 1, "c": 1}) as d:
        d.load(force=True)
        d.data.pop("a")
        d["a"] = 2

        def act() -> None:
            d.data = None
            del d["a"]
            assert d.data == {"b": 1, "c": 1}

        Ending.act = act
        assert d.data == {"b": 1, "c": 1}
        assert Ending.act is None
        d["b"] = 2
        assert list(d.data.items()) == [("b", 2), ("c", 1)]


def test_nested_dicts_are_handles_in_it_and_have_their_own() -> None:
    with UltraDict({"x": {"y": {"z": 1}}, "a": 1}, recurse=True) as d, UltraDict(name=d.name) as other:
        plain, nested = d.data, d["x"].data
        assert plain == {"x": {"y": {"z": 1}}, "a": 1}
        assert type(plain["x"]) is UltraDict
        assert nested == {"y": {"z": 1}}
        other["x"]["y"]["z"] = 2
        other["x"]["w"] = 3
        assert d["x"].data is nested
        assert nested == {"y": {"z": 2}, "w": 3}
        assert d.data == {"x": {"y": {"z": 2}, "w": 3}, "a": 1}
        child = d["x"]
        other["x"] = {"new": 1}
        assert d.data is plain
        assert plain == {"x": {"new": 1}, "a": 1}
        with pytest.raises(UltraDict.Exceptions.UltraDictError):
            child.data


def test_follows_random_changes(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    chance = random.Random(1)
    for _ in range(300):
        for _ in range(chance.randrange(8)):
            key = chance.randrange(60)
            action = chance.randrange(12)
            if action == 0:
                other.update({n: chance.random() for n in range(key, key + 20)})
            elif action == 1 and chance.random() < 0.1:
                other.clear()
            elif action < 5:
                other.pop(key, None)
            else:
                other[key] = "x" * chance.randrange(1000)
        assert list(d.data.items()) == list(other.items())


def test_threads_bring_it_up_to_date_together(d: UltraDict[Any, Any]) -> None:
    d.data
    wrong: list[object] = []

    def work(number: int) -> None:
        with UltraDict(name=d.name) as own:
            for value in range(300):
                own[number] = value
                if d.data[number] != value:
                    wrong.append((number, value))
                del own[number]
                if number in d.data:
                    wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert d.data == d


restless_program = """
import random, sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
rng = random.Random(1)
number = 0
print("ready", flush=True)
while True:
    number += 1
    what, key = rng.randrange(100), rng.randrange(64)
    if what < 80: d[key] = number
    elif what < 95: d.pop(key, None)
    elif what < 97: d["filling", rng.randrange(300)] = b"x" * 1000
    else: d.dump()
"""


def test_is_never_older_than_what_was_read_before(d: UltraDict[Any, Any], other: UltraDict[Any, Any]) -> None:
    """Not even what the cache knows of: each value is a number that grows."""
    with subprocess.Popen([sys.executable, "-c", restless_program, d.name], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        for _ in range(60_000):
            read = {key: other.get(key, 0) for key in range(64)}
            data = d.data
            assert all(data.get(key, number) >= number for key, number in read.items())
        writer.kill()
    assert list(d.data.items()) == list(d.items())


writer_program = """
import sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
print("ready", flush=True)
number = 0
while True:
    number += 1
    d["counter"] = number
    d[number % 50] = number
    if number % 7 == 0: d.pop(number % 31, None)
"""


def test_is_right_beside_a_writer_that_is_killed(d: UltraDict[Any, Any]) -> None:
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", writer_program, d.name], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            last = 0
            while last < 2000:
                before = d.get("counter", 0)
                counted = d.data.get("counter", 0)
                assert counted >= max(before, last)
                last = counted if counted != last else last
            writer.kill()
        assert list(d.data.items()) == list(d.items())
        d["counter"] = 0
