# SPDX-License-Identifier: Apache-2.0
"""No use of a dict keeps what it should let go: references to the objects given, nor memory of the process."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict

ROUNDS = 8_000  # one small object lost in each would be a quarter of a megabyte
KEPT_MAX = 120_000  # bytes


def raises(kind: type[BaseException], action: Callable[[], object]) -> None:
    try:
        action()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


class Unlike:
    """Equal to nothing else, and refuses to be pickled."""

    def __reduce__(self) -> Any:
        raise ValueError("not to be stored")


def loop(d: Any, iterator: Callable[[Any], Iterator[Any]]) -> None:
    for _ in iterator(d):
        pass


def with_lock(d: Any) -> None:
    with d.lock, d.lock(timeout=1):
        d["counter"] = d.get("counter", 0) + 1


def open_and_close(d: Any) -> None:
    UltraDict(name=d.name, create=False).close(data=False)


USES: dict[str, Callable[[Any, Any, Any], object]] = {
    "d[k] = v": lambda d, key, value: d.__setitem__(key, value),
    "d[k] = new": lambda d, key, value: d.__setitem__(key, [value, object]),
    "d[k]": lambda d, key, value: d[key],
    "a read that decodes": lambda d, key, value: (d.load(force=True), d[key]),
    "get, in, missing": lambda d, key, value: (d.get(key), key in d, d.get("missing"), "missing" in d),
    "setdefault": lambda d, key, value: d.setdefault(key, value),
    "insert and pop": lambda d, key, value: (d.__setitem__("n", value), d.pop("n")),
    "insert and popitem": lambda d, key, value: (d.__setitem__("n", value), d.popitem()),
    "insert and del": lambda d, key, value: (d.__setitem__("n", value), d.__delitem__("n")),
    "update": lambda d, key, value: d.update({key: value}, other=value),
    "|=": lambda d, key, value: d.__ior__([(key, value)]),
    "|": lambda d, key, value: d | {key: value},
    "==": lambda d, key, value: (d == {key: value}, d != {}),
    "keys": lambda d, key, value: loop(d, iter),
    "items": lambda d, key, value: loop(d, lambda d: iter(d.items())),
    "values, backwards": lambda d, key, value: loop(d, lambda d: reversed(d.values())),
    "half a loop": lambda d, key, value: next(iter(d.items())),
    "sets of views": lambda d, key, value: (d.keys() & {key}, d.keys() | {1}, d.keys().mapping),
    "copies": lambda d, key, value: (d.copy(), dict(d), copy.deepcopy(d), d.to_dict()),
    "repr": lambda d, key, value: repr(d),
    "data": lambda d, key, value: (d.apply_update(), d.data),
    "stats, status": lambda d, key, value: (d.stats(), d.status()),
    "the lock": lambda d, key, value: with_lock(d),
    "an exotic key": lambda d, key, value: (d.__setitem__(1.5, value), d[1.5], d.pop(1.5)),
    "no such key": lambda d, key, value: raises(KeyError, lambda: d["missing"]),
    "an unhashable key": lambda d, key, value: raises(TypeError, lambda: d[[]]),
    "a value refused": lambda d, key, value: raises(ValueError, lambda: d.__setitem__(key, Unlike())),
    "an update refused": lambda d, key, value: raises(ValueError, lambda: d.update({key: 1, "u": Unlike()})),
    "an update of nonsense": lambda d, key, value: raises(TypeError, lambda: d.update([1])),
}
SLOW_USES: dict[str, Callable[[Any, Any, Any], object]] = {
    "a handle": lambda d, key, value: open_and_close(d),
    "a dict": lambda d, key, value: UltraDict({key: value}),
    "pickle": lambda d, key, value: pickle.loads(pickle.dumps(d)).close(data=False),
    "clear": lambda d, key, value: (d.clear(), d.__setitem__(key, value)),
    "a blob": lambda d, key, value: (d.__setitem__("b", b"x" * 50_000), d.load(force=True), d["b"], d.pop("b")),
}


def private_memory() -> int:
    """Bytes of this process that no other one shares."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no RssAnon")


def kept_by(use: Callable[[], object], rounds: int) -> int:
    """Bytes that so many rounds keep, after as many that may fill caches and arenas."""
    for _ in range(rounds):
        use()
    gc.collect()
    before = private_memory()
    for _ in range(rounds):
        use()
    gc.collect()
    return private_memory() - before


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict({"first": 1, "k": ["v"]}) as made:
        yield made


@pytest.mark.parametrize("use", [*USES, *SLOW_USES])
def test_memory_stays_flat(d: UltraDict[Any, Any], use: str) -> None:
    action, rounds = (USES[use], ROUNDS) if use in USES else (SLOW_USES[use], ROUNDS // 8)
    bound = KEPT_MAX * rounds / ROUNDS + 40_000
    kept = [kept_by(lambda: action(d, "k", ["v"]), rounds)]
    while kept[-1] > bound and len(kept) < 4:  # an arena of the allocator may grow once more; a leak grows each time
        kept.append(kept_by(lambda: action(d, "k", ["v"]), rounds))
    assert min(kept) <= bound


@pytest.mark.parametrize("use", [*USES, *SLOW_USES])
def test_no_reference_is_lost_or_left(d: UltraDict[Any, Any], use: str) -> None:
    action = (USES | SLOW_USES)[use]
    key, value = "the key of this test", ["the value of this test"]
    d[key] = value
    before = sys.getrefcount(value), sys.getrefcount(list)
    for _ in range(50):
        action(d, key, value)
    d.clear()
    d.load(force=True)
    gc.collect()
    assert (sys.getrefcount(value), sys.getrefcount(list)) <= before
    assert sys.getrefcount(value) >= 2
    d.close(data=False)
    assert sys.getrefcount(key) <= 4  # this name, the argument and a constant of the code
