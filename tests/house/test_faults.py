# SPDX-License-Identifier: Apache-2.0
"""Every fault of docs/faults.md is in the name of a test, and no test names one that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from house.tree import expect_none, sources, text

catalogue = Path("docs/faults.md")
row = re.compile(r"^\| ([A-Z]\d+) \| ", re.MULTILINE)
test_name = re.compile(r"^\s*(?:TEST(?:_[FP])?\(\s*\w+,\s*(\w+)|def (test_\w+)|func (Test\w+))", re.MULTILINE)
code = re.compile(r"(?<![A-Za-z0-9])([A-Ha-h]\d{1,2})(?![A-Za-z0-9])")


def codes_in(words: str) -> set[str]:
    """The faults that the names of the tests in a file speak of: `A3_KilledAtRandom`, `test_a3_a4_killed`."""
    names = ("".join(found).replace("_", " ") for found in test_name.findall(words))
    return {found.upper() for name in names for found in code.findall(name)}


def test_every_fault_has_a_test_and_every_test_a_fault() -> None:
    known = set(row.findall(text(catalogue)))
    named = {found: path for path in sources(".cc", ".py", ".go") for found in codes_in(text(path))}
    without = [f"{fault} of {catalogue} is in the name of no test" for fault in sorted(known - set(named))]
    unknown = [f"{named[fault]}: {fault} is not in {catalogue}" for fault in sorted(set(named) - known)]
    expect_none(without + unknown)


def test_codes_are_found_in_names_of_tests_only() -> None:
    words = "TEST(Lock, A3_B14_Killed) { int a9; }\n  def test_c1_forked():\ndef helper_d1(): pass\nTEST(X, Utf8) {}\n"
    assert codes_in(words) == {"A3", "B14", "C1"}
