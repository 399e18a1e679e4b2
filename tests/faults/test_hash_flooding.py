# SPDX-License-Identifier: Apache-2.0
"""Hash flooding: nobody can choose keys that collide in a dict, for its hash has a secret; keys that collide in Python
are no worse than others, and exotic ones, whose hash is Python's, are at least found."""

from __future__ import annotations

from pathlib import Path

import pytest
from raw_writer import control_of, secret_of
from repeating import runs

import alphabet
from peer import Peer
from UltraDict import UltraDict


def test_e12_each_dict_has_a_secret_of_its_own_for_its_hash() -> None:
    """Where keys lie in the table cannot be learned from another dict, nor from another run: the words of the table of
    two dicts with the same keys have nothing in common."""
    keys = [f"key{number}" for number in range(30)]
    secrets: set[bytes] = set()
    tables: list[set[bytes]] = []
    for _ in runs(5, 50):
        with UltraDict(dict.fromkeys(keys)) as d:
            secrets.add(secret_of(d.name))
            tables.append(hashes_of(control_of(d.name), len(keys)))
    assert len(secrets) == len(runs(5, 50))
    assert all(len(set(secret)) > 64 for secret in secrets)
    assert not set.intersection(*tables)
    assert all(len(table) == len(keys) for table in tables)


def hashes_of(control: Path, count: int) -> set[bytes]:
    """The hashes in the entries 1 to count: the second of their four words."""
    content = control.read_bytes()
    entries = int.from_bytes(content[13 * 8 : 14 * 8], "little")  # Identity.entries_offset
    return {content[entries + 32 * n + 8 : entries + 32 * n + 16] for n in range(1, count + 1)}


def test_e12_keys_that_collide_in_python_are_found() -> None:
    """Python's own hash of integers is no secret: multiples of 2**61 - 1 all have the hash 0, -1 and -2 the same."""
    colliding = [n * (2**61 - 1) for n in range(1, 1500)]
    with UltraDict() as d, Peer() as peer:
        for number, key in enumerate(colliding):
            d[key] = number
        assert len({hash(key) for key in colliding}) == 1
        assert peer(sum_elsewhere, d.name, len(colliding)) == sum(range(len(colliding)))
        assert all(d[key] == number for number, key in enumerate(colliding))


def sum_elsewhere(name: str, count: int) -> int:
    with UltraDict.open(name, create=False, cache_bytes=0) as d:
        return sum(d[n * (2**61 - 1)] for n in range(1, count + 1))


def test_e12_exotic_keys_that_all_collide_are_found_by_everybody() -> None:
    with UltraDict() as d, Peer() as peer:
        keys = [alphabet.Colliding(number) for number in range(60)]
        for key in keys:
            d[key] = key.number
        assert peer(look_for_colliding, d.name, 60) == sum(range(60))
        with pytest.raises(KeyError):
            d[alphabet.Colliding(60)]


def look_for_colliding(name: str, count: int) -> int:
    with UltraDict(name=name, create=False) as d:
        return sum(d[alphabet.Colliding(number)] for number in range(count))
