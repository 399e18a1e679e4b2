# SPDX-License-Identifier: Apache-2.0
"""Keys and values of every kind that Python has, for tests of whole histories, and how many of them are tried."""

from __future__ import annotations

import datetime as dt
import math
import os
import uuid
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import alphabet

# `make stress` sets both: then each run tries other histories, and more of them; else each run tries the same.
stressed = "ULTRADICT_STRESS" in os.environ
stress_factor = 6


def histories(count: int) -> settings:
    """As many examples, or many more under `make stress`."""
    return settings(
        max_examples=count * (stress_factor if stressed else 1),
        derandomize=not stressed,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


long_text = "long" * 250_000
pair = (1, "x")

# Equal across types, in groups: which of a group came first is the key, any other finds it.
equal_numbers = [1, 1.0, True, Decimal(1), Fraction(1), 1 + 0j, alphabet.Level.LOW, alphabet.SubInt(1)]
zeros = [0, -0.0, 0.0, False, Decimal("-0"), Fraction(0), 0j, alphabet.Colliding(0), alphabet.Colliding(1)]
large_numbers = [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, float(2**64), 2**127, -(2**200), 2**1000]
large_numbers += [float(2**1000), Decimal(2**200), Fraction(2**64), math.inf, -math.inf, Decimal("inf"), 2**53 + 1]
fractions = [0.5, Decimal("0.5"), Fraction(1, 2), 0.1, Decimal("0.1"), 0.5 + 0j, 5e-324, 1j]
# No CaseBlind: one equals a SubStr that does not equal it, and which of two such keys dict finds is a matter of chance.
letters = ["a", "A", alphabet.SubStr("a"), alphabet.Letter.A]
letters += [alphabet.Word("A"), alphabet.Word("a"), b"a", alphabet.Letter.B, "b"]
texts = ["", "\0", "\0\0", "\ud800", "\udfff\ud800", "\U0001f986", "a" * 5000, "a" * 4999 + "b", long_text]
octets = [b"", b"\0", b"a" * 5000]
tuples = [(), (pair, pair), (pair, (1, "x")), ((1.0, "x"), pair), (True, "x"), alphabet.Point(1, "x"), pair]
tuples += [alphabet.SubTuple((1, "x")), ((),), (((((None,),),),),), (Decimal(1), "x"), (alphabet.Level.LOW, "x")]
frozensets = [frozenset(), frozenset(["a", "b", 1]), frozenset([1.0, "b", "a"]), frozenset([frozenset([True])])]
frozensets += [frozenset([frozenset([1])]), frozenset([alphabet.Letter.A, "b", True]), frozenset(map(str, range(20)))]
moments = [
    dt.date(2020, 1, 1),
    dt.datetime(2020, 1, 1),
    dt.timedelta(1),
    dt.timedelta(hours=24),
]
moments += [dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc), dt.time(1), uuid.UUID(int=5)]
moments += [dt.datetime(2020, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))]
named = [alphabet.Color.RED, alphabet.Flags.X | alphabet.Flags.Y, int, alphabet.Word, len, alphabet.fail, math.sin]
own = [alphabet.Tagged(1), alphabet.Tagged(1, "another"), alphabet.Tagged(2), alphabet.HashedByProcess(1)]
own += [alphabet.HashedByProcess(1, "x"), alphabet.HashedByProcess(2), (alphabet.Tagged(1, "in a tuple"),)]
own += [(alphabet.HashedByProcess(1, 1), 2), (alphabet.HashedByProcess(1, 2), 2)]
singletons = [None, ..., NotImplemented]

# Equal to nothing but themselves, and in another process not even that.
nan = math.nan
lonely = [nan, float("nan"), (nan, 1), (float("nan"), 1), frozenset([nan]), Decimal("nan"), complex(nan, 0)]
lonely += [alphabet.ByIdentity(), (alphabet.ByIdentity(), 1)]

unhashable: list[Any] = [[], {}, {1}, bytearray(b"a"), (1, []), Decimal("snan")]

# Keys that have to do with each other.
families: list[list[Any]] = [equal_numbers, zeros, large_numbers, fractions, letters, [*texts, *octets], tuples]
families += [frozensets, moments, [*named, *singletons], own, lonely]

keys = st.one_of(*map(st.sampled_from, families), st.integers(0, 30), st.text(max_size=3))
any_key = st.one_of(keys, keys, keys, keys, st.sampled_from(unhashable))
# A few keys of a family or two and some others, to meet again and again.
few_keys = st.builds(
    lambda some_families, others: [key for family in some_families for key in family] + others,
    st.lists(st.sampled_from(families), min_size=1, max_size=2),
    st.lists(keys, max_size=3),
)

shared_list = [1]
values = st.recursive(
    st.one_of(
        keys,
        st.integers(),
        st.floats(),
        st.sampled_from([bytearray(b"a"), [], {}, set(), {1, "a"}, [shared_list, shared_list], b"b" * 100_000]),
        st.sampled_from([{"k": [shared_list, {"l": shared_list}]}, ["v" * 40_000], range(3), slice(1, 2, None)]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=3),
    ),
    max_leaves=4,
)
