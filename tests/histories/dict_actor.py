# SPDX-License-Identifier: Apache-2.0
"""Operations on an UltraDict as programs do them, whatever way a value may come out of its cache. Values are numbers,
in one of many dresses; one that is read shows whether somebody wrote it."""

from __future__ import annotations

import enum
import os
import random
import sys
import traceback
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from UltraDict import UltraDict

absent = -1
wrong = -2  # an exception, or a value that nobody wrote: no history has a place for it

operations = ["get", "contains", "put", "erase", "pop", "setdefault", "increment", "clear"]


class Color(enum.Enum):
    RED = "red"


# Plain keys, and some that only Python can compare.
keys: list[Any] = ["text", 3, Decimal("0.1"), (1, "x"), Color.RED, b"octets", None, 2.5]

dresses: list[Callable[[int], Any]] = [
    lambda number: number,
    lambda number: f"{number}|" + f"{number}" * (number % 50),
    lambda number: (number, "x" * (number % 300)),
    lambda number: [number, {"again": number}],
    lambda number: Decimal(number),
]
large_size = 40_000


def dressed(number: int) -> Any:
    """The same for the same number, and no number's dress is another one's."""
    if number % 61 == 0:
        return b"%d|" % number + b"x" * large_size
    return dresses[number % len(dresses)](number)


def number_in(value: Any) -> int:
    if isinstance(value, (tuple, list)):
        number = value[0]
    elif isinstance(value, (str, bytes)):
        number = int(value.split(b"|" if isinstance(value, bytes) else "|")[0])
    else:
        number = int(value)
    if value == dressed(number) and type(value) is type(dressed(number)):
        return number
    print(f"a value that nobody wrote: {value!r:.100}", file=sys.stderr)
    return wrong


class Actor:
    """Belongs to one thread; several may share the dict."""

    def __init__(self, shared: UltraDict[Any, Any], seed: int) -> None:
        self.dict = shared
        self.random = random.Random(seed)

    def act(self, operation: str, key_number: int, argument: int) -> int:
        """The answer, as the checker knows it."""
        try:
            return int(getattr(self, operation)(keys[key_number], argument))
        except Exception:
            traceback.print_exc()
            return wrong

    def get(self, key: Any, _: int = 0) -> int:
        way = self.random.randrange(8)
        try:
            if way == 0:
                return number_in(self.dict.data[key])
            if way < 5:
                return number_in(self.dict[key])
        except KeyError:
            return absent
        found = self.dict.get(key, self)
        return absent if found is self else number_in(found)

    def contains(self, key: Any, _: int) -> int:
        return key in self.dict

    def put(self, key: Any, argument: int) -> int:
        if self.random.randrange(4) == 0:
            self.dict.update({key: dressed(argument)})
        else:
            self.dict[key] = dressed(argument)
        return 0

    def erase(self, key: Any, _: int) -> int:
        try:
            del self.dict[key]
        except KeyError:
            return 0
        return 1

    def pop(self, key: Any, _: int) -> int:
        found = self.dict.pop(key, self)
        return absent if found is self else number_in(found)

    def setdefault(self, key: Any, argument: int) -> int:
        return number_in(self.dict.setdefault(key, dressed(argument)))

    def increment(self, key: Any, _: int) -> int:
        with self.dict.lock:
            before = self.get(key)
            if before == wrong:
                return wrong
            if self.random.randrange(3) == 0:
                os.sched_yield()  # readers come to see the lock held
            after = 1 if before == absent else before + 1
            if type(self.dict.get(key)) is int and type(dressed(after)) is int:
                self.dict[key] += 1
            else:
                self.dict[key] = dressed(after)
            return after

    def clear(self, _: Any, __: int) -> int:
        self.dict.clear()
        return 0


def make_noise(shared: UltraDict[Any, Any], seed: int, stop: Callable[[], bool]) -> None:
    """Other keys come and go in crowds, so that the table grows and records die; now and then all that live move."""
    rng = random.Random(seed)
    while not stop():
        count = rng.randrange(300)
        for number in range(count):
            shared["noise", number] = "n" * rng.randrange(2000)
            if rng.randrange(20) == 0:
                shared.dump()
        for number in range(count):
            shared.pop(("noise", number), None)
