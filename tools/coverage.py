# SPDX-License-Identifier: Apache-2.0
"""Prints how many branches of the engine its tests take, and each that none takes.

    coverage.py <build directory> <program> ...

The programs were built with the preset `coverage`. They are run here, with their counters in a mapped file, so that
what a killed process did counts, too. A branch that no test takes and that tests/coverage/unreached.txt explains is
listed with its reason; the others are listed without. Exit status 1 if fewer than 95 of 100 are taken, or explained.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

root = Path(__file__).resolve().parents[1]
wanted = 0.95
llvm_version = "14"


def run_tests(programs: list[str], profiles: Path) -> None:
    shutil.rmtree(profiles, ignore_errors=True)
    profiles.mkdir(parents=True)
    environment = {**os.environ, "LLVM_PROFILE_FILE": f"{profiles}/%c%p.profraw", "GTEST_BRIEF": "1"}
    for program in programs:
        subprocess.run([program], check=True, env=environment, cwd=profiles)


def exported(programs: list[str], profiles: Path) -> list[dict[str, object]]:
    """The files of the engine with their branches, as llvm-cov tells them."""
    merged = profiles / "merged.profdata"
    found = [str(path) for path in profiles.glob("*.profraw")]
    subprocess.run([f"llvm-profdata-{llvm_version}", "merge", "-sparse", *found, "-o", str(merged)], check=True)
    objects = [word for program in programs[1:] for word in ("-object", program)]
    command = [f"llvm-cov-{llvm_version}", "export", f"-instr-profile={merged}", programs[0], *objects]
    command.append("-ignore-filename-regex=/(tests|tools|usr)/")
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    files: list[dict[str, object]] = json.loads(answer)["data"][0]["files"]
    return files


def branches(files: list[dict[str, object]]) -> dict[tuple[str, int, int, bool], int]:
    """How often each branch was taken, over all places that a function was compiled into."""
    taken: dict[tuple[str, int, int, bool], int] = defaultdict(int)
    for file in files:
        name = os.path.relpath(str(file["filename"]), root)
        for line, column, _, _, if_true, if_false, *_ in file["branches"]:  # type: ignore[attr-defined]
            taken[name, line, column, True] += if_true
            taken[name, line, column, False] += if_false
    return taken


def explanations() -> dict[tuple[str, str], str]:
    """Reasons by file and line of text: a line `# reason`, then lines `file: text` that it is the reason of."""
    reasons = {}
    reason = ""
    for line in (root / "tests/coverage/unreached.txt").read_text("utf-8").splitlines():
        if line.startswith("#"):
            reason = line.strip("# ")
        elif line:
            name, _, text = line.partition(": ")
            reasons[name, text.strip()] = reason
    return reasons


def main() -> int:
    build, *programs = sys.argv[1:]
    profiles = Path(build).resolve() / "profiles"
    run_tests(programs, profiles)
    taken = branches(exported(programs, profiles))
    reasons = explanations()
    missed = sorted(branch for branch, count in taken.items() if count == 0)
    unexplained = 0
    for name, line, column, value in missed:
        text = (root / name).read_text("utf-8").splitlines()[line - 1].strip()
        reason = reasons.get((name, text), "")
        unexplained += not reason
        print(f"{name}:{line}:{column}: never {str(value).lower()}: {text}{'  -- ' + reason if reason else ''}")
    share = 1 - len(missed) / len(taken)
    print(f"branches: {len(taken) - len(missed)} of {len(taken)} taken ({share:.1%}), {unexplained} not explained")
    return 0 if share >= wanted and unexplained == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
