# SPDX-License-Identifier: Apache-2.0
"""The documents run: every `pycon` block is executed in the order of its page, and its answers are compared.

The README tells of two REPLs. There the blocks alternate between two sets of names, as its text says: the first makes
the dict, the second attaches to it, the first looks again. The blocks that follow stand alone.
"""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```pycon\n(.*?)^```", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def blocks(document: Path) -> list[tuple[int, str]]:
    """The first line number and the text of every block that can run."""
    text = document.read_text("utf-8")
    return [(text.count("\n", 0, found.start(1)), found.group(1)) for found in BLOCK.finditer(text)]


def run(document: Path, repls: list[dict[str, Any]]) -> None:
    """Run the blocks of a document, in one REPL after the other."""
    found = blocks(document)
    assert found, f"{document} has nothing to run"
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    report: list[str] = []
    for index, (line, block) in enumerate(found):
        names = repls[index % len(repls)]
        example = doctest.DocTestParser().get_doctest(block, names, document.name, str(document), line)
        runner.run(example, out=report.append, clear_globs=False)
        names.update(example.globs)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize("name", ["docs/moving-over.md", "docs/recipes.md", "docs/tutorial.md"])
def test_a_page_runs_from_top_to_bottom(name: str) -> None:
    run(ROOT / name, [{"__name__": "__main__"}])


def test_every_figure_of_stats_has_its_meaning() -> None:
    with UltraDict() as d:
        figures = d.stats()
    page = (ROOT / "docs/performance.md").read_text("utf-8").partition("## What `d.stats()` says")[2]
    rows = "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))
    assert set(re.findall(r"`(\w+)`", rows)) == set(figures)


def test_the_two_repls_of_the_readme_see_each_other() -> None:
    run(ROOT / "README.md", [{"__name__": "first"}, {"__name__": "second"}])
