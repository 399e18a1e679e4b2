# SPDX-License-Identifier: Apache-2.0
"""Prints how many branches of the engine its tests take, and each that none takes.

    coverage.py <build directory> <program> ...

The programs were built with the preset `coverage`. They are run here, with their counters in a mapped file, so that
what a killed process did counts, too. Some of them have an engine of their own, with hooks in it: so each is asked for
itself, and a branch, a place of the source, is taken if it is in any program, template and inline copy. One whose
condition the compiler knows (`if constexpr`) is none. A branch that no test takes and that tests/coverage/unreached.txt
explains is listed with its reason; the others are listed without. Exit status 1 if fewer than 95 of 100 are taken, or
one is not explained. A reason for one that was taken this time is told, too: where processes race it may be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

root = Path(__file__).resolve().parents[1]
wanted = 0.95
llvm_version = "14"

Branch = tuple[str, int, int, bool]  # file, line, column, and what the condition is


def run(program: Path, profiles: Path) -> Path:
    """Runs it and answers with the counters of all its processes."""
    shutil.rmtree(profiles, ignore_errors=True)
    profiles.mkdir(parents=True)
    environment = {**os.environ, "LLVM_PROFILE_FILE": f"{profiles}/%c%p.profraw", "GTEST_BRIEF": "1"}
    subprocess.run([program], check=True, env=environment, cwd=profiles)
    merged = profiles / "merged.profdata"
    found = [str(path) for path in profiles.glob("*.profraw")]
    subprocess.run([f"llvm-profdata-{llvm_version}", "merge", "-sparse", *found, "-o", str(merged)], check=True)
    return merged


def exported(program: Path, counters: Path) -> list[dict[str, object]]:
    """The files of the engine with their branches, as llvm-cov tells them."""
    command = [f"llvm-cov-{llvm_version}", "export", f"-instr-profile={counters}", str(program)]
    command.append("-ignore-filename-regex=/(tests|tools|usr)/")
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    files: list[dict[str, object]] = json.loads(answer)["data"][0]["files"]
    return files


@cache
def lines_of(name: str) -> list[str]:
    return (root / name).read_text("utf-8").splitlines()


def text_of(name: str, line: int) -> str:
    return lines_of(name)[line - 1].strip()


def add_branches(files: list[dict[str, object]], taken: dict[Branch, int]) -> None:
    """How often each branch was taken, over all places that a function was compiled into."""
    for file in files:
        name = os.path.relpath(str(file["filename"]), root)
        for line, column, _, _, if_true, if_false, *_ in file["branches"]:  # type: ignore[attr-defined]
            if "if constexpr" not in text_of(name, line):
                taken[name, line, column, True] += if_true
                taken[name, line, column, False] += if_false


def explanations() -> dict[tuple[str, str], str]:
    """Reasons by file and line of text. Each paragraph is one: `# reason`, then lines `file: text` of which it is."""
    reasons = {}
    for paragraph in (root / "tests/coverage/unreached.txt").read_text("utf-8").split("\n\n"):
        lines = paragraph.splitlines()
        reason = " ".join(line.strip("# ") for line in lines if line.startswith("#"))
        for name, _, text in (line.partition(": ") for line in lines if not line.startswith("#")):
            reasons[name, text.strip()] = reason
    return reasons


def main() -> int:
    build, *names = sys.argv[1:]
    profiles = Path(build).resolve() / "profiles"
    taken: dict[Branch, int] = defaultdict(int)
    for program in [Path(name).resolve() for name in names]:
        add_branches(exported(program, run(program, profiles / program.name)), taken)
    reasons = explanations()
    unused = set(reasons)
    unexplained = 0
    missed = sorted(branch for branch, count in taken.items() if count == 0)
    for name, line, column, value in missed:
        text = text_of(name, line)
        reason = reasons.get((name, text), "")
        unused.discard((name, text))
        unexplained += not reason
        print(f"{name}:{line}:{column}: never {str(value).lower()}: {text}{'  -- ' + reason if reason else ''}")
    for name, text in sorted(unused):
        print(f"explained, but taken this time, or not there: {name}: {text}")
    share = 1 - len(missed) / len(taken)
    print(f"branches: {len(taken) - len(missed)} of {len(taken)} taken ({share:.1%}), {unexplained} not explained")
    return 0 if share >= wanted and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
