# SPDX-License-Identifier: Apache-2.0
"""House rules for files: license line, size, no sleeping tests, no private places, nothing left over."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from house import file_rules as rules
from house.tree import all_files, expect_none, root, sources, text

Rule = Callable[[Path, str], list[str]]


def faults(rule: Rule, paths: list[Path]) -> list[str]:
    return [fault for path in paths for fault in rule(path, text(path))]


def outside_house(paths: list[Path]) -> list[Path]:
    return [path for path in paths if path.parts[:2] != ("tests", "house")]


def test_sources_begin_with_the_license() -> None:
    expect_none(faults(rules.license_faults, sources()))


def test_sources_have_a_readable_size() -> None:
    expect_none(faults(rules.size_faults, sources()))


def test_long_files_that_are_excused_still_need_it() -> None:
    for name, reason in rules.long_files.items():
        assert reason, name
        assert len(text(Path(name)).splitlines()) > rules.lines_max, f"{name} is short enough by now"


def test_tests_do_not_sleep() -> None:
    tests = [path for path in sources(".py", ".cc", ".h") if path.parts[0] == "tests" or path.name.startswith("test_")]
    expect_none(faults(rules.sleep_faults, outside_house(tests)))


def test_files_that_may_sleep_still_do() -> None:
    for name in rules.sleeping_files:
        assert rules.sleep_call.search(text(Path(name))), f"{name} sleeps no more"


def test_no_file_names_a_place_of_one_machine() -> None:
    expect_none(faults(rules.place_faults, outside_house(all_files())))


def test_nothing_is_left_over() -> None:
    expect_none(faults(rules.leftover_faults, outside_house(all_files())))


def test_continuous_integration_calls_what_people_call() -> None:
    assert "exec make test" in (root / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        (rules.license_faults, "// Table: slots.\n", f"// {rules.spdx}\n// Table: slots.\n"),
        (rules.license_faults, "#!/usr/bin/env bash\necho\n", f"#!/usr/bin/env bash\n# {rules.spdx}\n"),
        (rules.size_faults, "\n" * 401, "\n" * 400),
        (rules.size_faults, "x" * 121, "x" * 120),
        (rules.sleep_faults, "time.sleep(1)", "lock.acquire(sleep_time=0)"),
        (rules.sleep_faults, "std::this_thread::sleep_for(1ms);", "ready.wait();"),
        (rules.sleep_faults, "os::pause_ns(20'000);", "::pause();"),
        (rules.place_faults, "see /work/shared/notes", "see tests/work/notes"),
        (rules.place_faults, "cd /home/someone/src", "cd ~/src"),
        (rules.place_faults, "https://pypi.org/simple", "a package from PyPI"),
        (rules.leftover_faults, "// TODO: later", "// done"),
    ],
)
def test_each_rule_can_fail(rule: Rule, bad: str, good: str) -> None:
    path = Path("sample")
    assert len(rule(path, bad)) == 1
    assert rule(path, good) == []
