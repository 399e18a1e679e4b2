# SPDX-License-Identifier: Apache-2.0
"""What IPython prints: of a dict that is larger than its bound, no more than that."""

from __future__ import annotations

from typing import Any

import pytest

from UltraDict import UltraDict


class Printer:
    """As much of IPython's as it is asked."""

    def __init__(self, max_seq_length: int) -> None:
        self.max_seq_length = max_seq_length
        self.shown = ""

    def text(self, words: str) -> None:
        self.shown += words


def pretty(d: UltraDict[Any, Any], most: int) -> str:
    printer = Printer(most)
    d._repr_pretty_(printer, False)
    return printer.shown


@pytest.mark.parametrize(
    ("most", "shown"), [(2, "{0: 0, 1: 1, ...}"), (3, "{0: 0, 1: 1, 2: 2}"), (0, "{0: 0, 1: 1, 2: 2}")]
)
def test_of_a_big_dict_it_shows_the_first_items(most: int, shown: str) -> None:
    with UltraDict({0: 0, 1: 1, 2: 2}) as d:
        assert pretty(d, most) == shown


def test_a_closed_dict_is_shown_as_ever() -> None:
    d = UltraDict()
    d.close()
    assert pretty(d, 1) == repr(d)
