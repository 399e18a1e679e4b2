# SPDX-License-Identifier: Apache-2.0
"""Handles of nested dicts (recurse=True) and what they share in one process: tables, the cache, objects kept alive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from UltraDict import Exceptions, UltraDict


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(recurse=True) as made:
        yield made


def test_a_handle_that_read_before_another_one_cleared_the_dict(d: UltraDict[Any, Any]) -> None:
    d["a"] = {number: str(number) for number in range(1000)}
    child = d["a"]
    with UltraDict(name=d.name) as other:
        assert all(child[number] == other["a"][number] for number in range(1000))
        for _ in range(2):
            d.clear()
            d.update((number, number) for number in range(1000))
            assert d[999] == 999
        assert other[500] == 500
        with pytest.raises(Exceptions.DictDeleted):
            child[999]
