# SPDX-License-Identifier: Apache-2.0
"""Classes and functions whose instances are keys and values of tests: every process finds them here by name."""

from __future__ import annotations

import collections
import contextlib
import enum
import os
import pickle
from collections.abc import Callable, Iterator
from typing import Any

Point = collections.namedtuple("Point", "x y")


class Color(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Letter(str, enum.Enum):
    """A StrEnum by hand: equal to its text, and hashed like it."""

    A = "a"
    B = "b"


class Flags(enum.Flag):
    X = 1
    Y = 2


class SubStr(str):
    """A str in everything but its type."""


class SubInt(int):
    """An int in everything but its type."""


class SubTuple(tuple):  # type: ignore[type-arg]
    """A tuple in everything but its type."""


class Framed:
    """Hands the bytes that it has to pickle as a buffer."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Framed, (pickle.PickleBuffer(self.frame) if protocol >= 5 else self.frame,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Framed) and type(other.frame) is type(self.frame) and other.frame == self.frame

    def __repr__(self) -> str:
        return f"Framed({type(self.frame).__name__})"

    __hash__ = None  # type: ignore[assignment]


class CaseBlind(str):
    """A str that has an == of its own: equal whatever the case."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and self.lower() == other.lower()

    def __hash__(self) -> int:
        return hash(self.lower())


class Word:
    """Equal to its text whatever the case; equal ones pickle differently."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        text = other.text if isinstance(other, Word) else other
        return isinstance(text, str) and text.lower() == self.text.lower()

    def __hash__(self) -> int:
        return hash(self.text.lower())

    def __repr__(self) -> str:
        return f"Word({self.text!r})"


class Tagged:
    """Equal by number alone: the note, which is pickled too, makes no difference."""

    def __init__(self, number: int, note: object = None) -> None:
        self.number = number
        self.note = note

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tagged) and other.number == self.number

    def __hash__(self) -> int:
        return hash(("tagged", self.number))

    def __repr__(self) -> str:
        return f"Tagged({self.number}, {self.note!r})"


class HashedByProcess(Tagged):
    """Its hash is another one in every process."""

    def __hash__(self) -> int:
        return hash((os.getpid(), self.number))


class Colliding(Tagged):
    """All of them have one hash, that of 0 and False."""

    def __hash__(self) -> int:
        return 0


class ByIdentity:
    """Equal to itself alone."""

    def __repr__(self) -> str:
        return "ByIdentity()"


class Unpicklable:
    """Its pickling raises."""

    def __reduce__(self) -> str:
        raise ZeroDivisionError("not to be pickled")


class UnpicklableElsewhere:
    """Its loading raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        return fail, ("not to be loaded",)


class Keyed:
    """An object with keys() and [] that is no Mapping."""

    def __init__(self, **items: Any) -> None:
        self.items_by_key = items

    def keys(self) -> Iterator[str]:
        return iter(self.items_by_key)

    def __getitem__(self, key: str) -> Any:
        return self.items_by_key[key]


class DictWithMissing(dict):  # type: ignore[type-arg]
    """A dict subclass whose [] answers what it has not."""

    def __missing__(self, key: Any) -> str:
        return f"missing {key}"


class Hooked:
    """Does something else when it is asked: `hook` when `when` says (hash, eq, reduce, setstate, repr, del), once.

    Hooks are not pickled; one set by `hooked` goes off in whichever instance is asked first, copies included.
    """

    hook_of_all: tuple[str, Callable[[], Any]] | None = None

    def __init__(self, number: int, when: str = "", hook: Callable[[], Any] | None = None) -> None:
        self.number = number
        self.hook = (when, hook) if hook else None

    @classmethod
    @contextlib.contextmanager
    def hooked(cls, when: str, hook: Callable[[], Any]) -> Iterator[None]:
        cls.hook_of_all = (when, hook)
        try:
            yield
        finally:
            cls.hook_of_all = None

    def asked(self, what: str) -> None:
        """The hook goes off once, so that what it does may come back here."""
        for owner in (self, Hooked):
            hook = vars(owner).get("hook" if owner is self else "hook_of_all")
            if hook and hook[0] == what:
                setattr(owner, "hook" if owner is self else "hook_of_all", None)
                hook[1]()

    def __hash__(self) -> int:
        self.asked("hash")
        return hash(("hooked", self.number))

    def __eq__(self, other: object) -> bool:
        self.asked("eq")
        return isinstance(other, Hooked) and other.number == self.number

    def __repr__(self) -> str:
        self.asked("repr")
        return f"Hooked({self.number})"

    def __reduce__(self) -> tuple[Any, ...]:
        self.asked("reduce")
        return Hooked, (self.number,), {"number": self.number}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.asked("setstate")
        self.__dict__.update(state)

    def __del__(self) -> None:
        self.asked("del")


def fail(words: str = "failed", kind: type[BaseException] = ZeroDivisionError) -> Any:
    """Raises, where an expression must."""
    raise kind(words)


def raising(*items: Any) -> Iterator[Any]:
    """An iterator that raises after its items."""
    yield from items
    raise ZeroDivisionError("no more")


def use(*arguments: Any, **words: Any) -> tuple[Any, ...]:
    """What a call with these arguments gets."""
    return arguments, words
