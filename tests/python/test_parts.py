# SPDX-License-Identifier: Apache-2.0
"""Locks, views and iterators come from a dict alone: made by hand they would belong to none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from UltraDict import UltraDict


@pytest.mark.parametrize(
    "part",
    [
        lambda d: d.lock,
        lambda d: d.lock(),
        lambda d: d.keys(),
        lambda d: d.values(),
        lambda d: d.items(),
        lambda d: iter(d),
        lambda d: next(iter(dict.keys(d))),
    ],
)
def test_what_only_a_dict_makes(part: Callable[[UltraDict[Any, Any]], object]) -> None:
    with UltraDict[Any, Any]() as d:
        kind = type(part(d))
        with pytest.raises(TypeError, match="cannot create"):
            kind()
        with pytest.raises(TypeError):
            object.__new__(kind)
