# SPDX-License-Identifier: Apache-2.0
"""Links between documents lead somewhere, and what the documents call with make exists and is explained."""

from __future__ import annotations

import re
from pathlib import Path

from house.tree import expect_none, root, sources, text

link = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
heading = re.compile(r"^#+\s+(.*)$", re.MULTILINE)
make_call = re.compile(r"(?:`|^\s*\$?\s*)make ([a-z][a-z-]*)", re.MULTILINE)
make_target = re.compile(r"^([a-z][a-z-]*):(?!=)(.*)$", re.MULTILINE)


def anchor(title: str) -> str:
    """The fragment by which a heading is reached."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def link_faults(path: Path, words: str) -> list[str]:
    """Relative links whose file or heading does not exist."""
    faults = []
    for target in link.findall(words):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, fragment = target.partition("#")
        there = root / path.parent / name if name else root / path
        document = words if not name else there.read_text("utf-8") if there.is_file() else ""
        if not there.exists() or (fragment and fragment not in map(anchor, heading.findall(document))):
            faults.append(f"{path}: {target}")
    return faults


def unexplained_targets(makefile: str) -> list[str]:
    """Targets that `make help` would leave out."""
    return [name for name, rest in make_target.findall(makefile) if "  ## " not in rest]


def test_links_lead_somewhere() -> None:
    expect_none([fault for path in sources(".md") for fault in link_faults(path, text(path))])


def test_every_make_target_has_a_help_line() -> None:
    expect_none(unexplained_targets(text(Path("Makefile"))))


def test_documents_call_make_targets_that_exist() -> None:
    known = {name for name, _ in make_target.findall(text(Path("Makefile")))}
    called = {(str(path), name) for path in sources(".md") for name in make_call.findall(text(path))}
    assert {call for call in called if call[1] not in known} == set()


def test_a_dead_link_is_found() -> None:
    words = "# One idea\n[a](#one-idea) [b](README.md) [c](https://example.com) [d](missing.md) [e](#two-ideas)\n"
    found = link_faults(Path("Makefile"), words.replace("README.md", "LICENSE"))
    assert found == ["Makefile: missing.md", "Makefile: #two-ideas"]


def test_a_target_without_help_is_found() -> None:
    assert unexplained_targets("pip := python -m pip\ntest: build  ## Run\nbuild: x\n") == ["build"]
