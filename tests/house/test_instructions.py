# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md shows the instruction counts that are recorded in bench/instructions.json."""

from __future__ import annotations

import json
import re

from house.tree import root

row = re.compile(r"^\| (?:C\+\+|Python) .+? \| ([\d,]+)[ ,|]", re.MULTILINE)
# What the rows are of, from the first to the last.
operations = (
    *("Python read", "Python read_missing", "C++ get", "C++ get_missing"),
    *("C++ overwrite", "C++ insert", "C++ insert_and_erase"),
    *("Python overwrite", "Python insert", "Python lock", "Python increment"),
)
without_a_row = {"C++ increment"}


def test_documents_show_the_recorded_counts() -> None:
    shown = [int(count.replace(",", "")) for count in row.findall((root / "docs/performance.md").read_text())]
    for recorded in json.loads((root / "bench/instructions.json").read_text()).values():
        assert set(recorded) - without_a_row == set(operations)
        counts = [recorded[operation] for operation in operations]
        assert shown == counts, "tools/instructions.py recorded other counts than docs/performance.md shows"
