# SPDX-License-Identifier: Apache-2.0
"""What a case does with a mapping, in a form that compares: a dict here, an UltraDict here, one in another process.

A case is a few statements over a dict `d`; what they assign to `answer` is its answer. Its text is its name, and all
that another process needs to do it.
"""

from __future__ import annotations

import collections
import copy
import functools
import json
import math
import operator
import pickle
import re
import types
from collections.abc import Callable
from typing import Any

import alphabet
from UltraDict import UltraDict

names_of_a_case: dict[str, Any] = {
    module.__name__: module for module in (alphabet, collections, copy, functools, json, math, operator, pickle, types)
}

# The types of dict that have others in their place here.
_dict_types = {
    "UltraDict._core.keys": "dict_keys",
    "UltraDict._core.values": "dict_values",
    "UltraDict._core.items": "dict_items",
    "UltraDict._core.iterator": "dict_iterator",
    "'UltraDict'": "'dict'",
    "UltraDict.": "dict.",
    "SharedDict.": "dict.",
}


def plain_names(text: str) -> str:
    """A message with the names of dict's types in place of ours, which has one type for all kinds of iterators."""
    for ours, plain in _dict_types.items():
        text = text.replace(ours, plain)
    text = re.sub(r"dict_(reverse)?(key|value|item)iterator", "dict_iterator", text)
    return re.sub(r"cannot use '\w+' as a [a-z ]+ \((.*)\)", r"\1", text)  # of dict from Python 3.14 on


def lines(text: str) -> Callable[[Any], Any]:
    """The case of this text, as a function of the mapping."""

    def run(d: Any) -> Any:
        names = {**names_of_a_case, "d": d}
        exec(text, names)
        return names.get("answer")

    return run


def shape(value: Any, around: tuple[int, ...] = ()) -> Any:
    """All there is to know of a value, types and the sign of zero included, in a form that == and pickle take."""
    kind = dict if type(value) is UltraDict else type(value)
    if id(value) in around:
        return kind, "itself", around.index(id(value))
    inner = (*around, id(value))
    if isinstance(value, (list, tuple)):
        return kind, [shape(item, inner) for item in value]
    if isinstance(value, dict):
        return kind, [(shape(key, inner), shape(item, inner)) for key, item in value.items()]
    if isinstance(value, (set, frozenset)):
        return kind, sorted((shape(member, inner) for member in value), key=repr)
    return plain_names(f"{type(value).__module__}.{type(value).__qualname__}"), plain_names(
        re.sub(" at 0x[0-9a-f]+", "", repr(value))
    )


def answer_of(case: Callable[[Any], Any], mapping: Any) -> Any:
    """What a case answers or raises."""
    try:
        return shape(case(mapping))
    except Exception as error:
        return type(error).__name__, plain_names(str(error)), [shape(argument) for argument in error.args]


def outcome(case: Callable[[Any], Any], mapping: Any) -> tuple[Any, ...]:
    """What a case answers or raises, and what it leaves."""
    return answer_of(case, mapping), state(mapping)


def state(mapping: Any) -> Any:
    """The items in order, with the types of keys and values."""
    return [(shape(key), shape(value)) for key, value in mapping.items()]


def outcome_by_name(name: str, text: str) -> tuple[Any, ...]:
    """What a process that has to attach first does and sees."""
    with UltraDict(name=name, create=False) as d:
        return outcome(lines(text), d)
