# SPDX-License-Identifier: Apache-2.0
"""The programs beside this file run, and between them they say the type of everything that is public.

That their claims are right, and that what refusals.py holds is refused, is for the type checkers to find:
`make check-python` runs both.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from claims import is_of

from UltraDict import Exceptions, SharedLock, UltraDict

here = Path(__file__).parent
programs = sorted(path for path in here.glob("*.py") if path.stem not in ("claims", "test_typing"))


@pytest.mark.parametrize("program", programs, ids=lambda path: path.stem)
def test_a_program_for_type_checkers_runs(program: Path) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", str(program)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")


def claimed(source: str) -> set[str]:
    """The attributes in what assert_type() is told of."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    told = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "assert_type"]
    return {node.attr for root in told for node in ast.walk(root) if isinstance(node, ast.Attribute)}


def claimed_in(*names: str) -> set[str]:
    return {attribute for name in names for attribute in claimed((here / f"{name}.py").read_text("utf-8"))}


def public(owner: object) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def exceptions() -> Iterator[type[Exception]]:
    for name in public(Exceptions):
        kind = getattr(Exceptions, name)
        if isinstance(kind, type) and issubclass(kind, Exception):
            yield kind


def test_everything_public_of_the_dict_has_a_claim() -> None:
    assert public(UltraDict) - claimed_in("construction", "mapping", "lifetime") == set()


def test_everything_public_of_the_lock_has_a_claim() -> None:
    assert public(SharedLock) - claimed_in("lock") == set()


def test_every_exception_and_its_attributes_have_a_claim() -> None:
    names = {kind.__name__ for kind in exceptions()}
    attributes = {name for kind in exceptions() if kind.__init__ is not Exception.__init__ for name in vars(kind())}
    assert len(names) > 10
    assert attributes >= {"blocking_pid", "timestamp", "time_passed"}
    assert (names | attributes) - claimed_in("exceptions") == set()


def unasked(source: str) -> list[str]:
    """The statements in functions that not both checkers are asked to refuse."""
    both = re.compile(r"# type: ignore\[[a-z, -]+\]  # pyright: ignore$", re.MULTILINE)
    lines = source.splitlines()
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    statements = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for held in functions for node in held.body]
    return [statement for statement in statements if not both.search(statement)]


def test_every_refusal_is_asked_of_both_checkers() -> None:
    assert unasked((here / "refusals.py").read_text("utf-8")) == []


def test_a_refusal_that_one_checker_is_not_asked_is_found() -> None:
    asked = "    d[1]  # type: ignore[index]  # pyright: ignore\n"
    assert unasked(f"def f():\n{asked}    d[2]  # type: ignore[index]\n") == ["    d[2]  # type: ignore[index]"]


def test_what_is_only_called_has_no_claim() -> None:
    assert claimed("d.clear()\nassert_type(d.get(d.name), d.closed)\n") == {"get", "name"}


@pytest.mark.parametrize(
    ("value", "claim"),
    [
        ({"a": 1}, UltraDict[str, int]),
        ({"a": 1}, dict[str, str]),
        ({"a": 1}, dict[int, int]),
        ([1], list[str]),
        (("a", 1), tuple[str, str]),
        (None, int),
        (1, None),
        ("1", float),
    ],
)
def test_a_false_claim_is_found(value: object, claim: Any) -> None:
    assert not is_of(value, claim)


def test_a_shared_dict_is_not_taken_for_a_plain_one() -> None:
    with UltraDict(a=1) as d:
        assert is_of(d, UltraDict[str, int])
        assert not is_of(d, UltraDict[str, str])
        assert not is_of(d, dict[str, int])
