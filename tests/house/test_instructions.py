# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md shows the instruction counts that are recorded in bench/instructions.json."""

from __future__ import annotations

import json
import re

from house.tree import root

row = re.compile(r"^\| (?:C\+\+|Python) .+? \| ([\d,]+)[ ,|]", re.MULTILINE)


def test_documents_show_the_recorded_counts() -> None:
    shown = {int(count.replace(",", "")) for count in row.findall((root / "docs/performance.md").read_text())}
    for recorded in json.loads((root / "bench/instructions.json").read_text()).values():
        counts = {count for operation, count in recorded.items() if operation != "C++ increment"}
        assert shown == counts, "tools/instructions.py recorded other counts than docs/performance.md shows"
