# SPDX-License-Identifier: Apache-2.0
"""Instructions of one operation, as callgrind counts them: repeatable where times are not.

    instructions.py <build directory> [--record]

Each operation of bench/cpp/operations.cc and bench/operations.py runs twice, a different number of times; what the
longer run takes more is divided by the operations it does more. The numbers are held against those in
bench/instructions.json: one that grew by more than a tenth is an error, to be mended or to be recorded on purpose.
They belong to a compiler and a Python: with others there is nothing to hold them against, and that is said.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parents[1]
recorded_in = root / "bench/instructions.json"
fewer, more = 2000, 12_000
growth_max = 1.10

ENGINE = ("get", "get_missing", "overwrite", "insert", "insert_and_erase", "increment")
PYTHON = ("read", "read_missing", "overwrite", "insert", "lock", "increment")


def counted(command: list[str], place: str) -> int:
    """Instructions of a program from its begin to its end."""
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={place}/counts"]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "ULTRADICT_DIR": place}
    finished = subprocess.run([*valgrind, *command], capture_output=True, text=True, env=environment)
    found = re.search(r"I +refs: +([0-9,]+)", finished.stderr)
    if finished.returncode != 0 or found is None:
        raise SystemExit(f"{' '.join(command)}: {finished.stderr}")
    return int(found[1].replace(",", ""))


def cost(command: list[str], place: str) -> int:
    """Instructions of one operation."""
    counts = [counted([*command, str(count)], place) for count in (fewer, more)]
    return round((counts[1] - counts[0]) / (more - fewer))


def measured(build: Path) -> dict[str, int]:
    """Of every operation, by its name."""
    found = {}
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        for name in ENGINE:
            found[f"C++ {name}"] = cost([str(build / "bench/cpp/operations"), name], place)
        for name in PYTHON:
            found[f"Python {name}"] = cost([sys.executable, str(root / "bench/operations.py"), name], place)
    return found


def tools(build: Path) -> str:
    """What made the programs: with another compiler or Python the numbers are others."""
    cache = (build / "CMakeCache.txt").read_text()
    compiler = re.search(r"^CMAKE_CXX_COMPILER:[A-Z]+=(.*)$", cache, re.MULTILINE)
    assert compiler is not None
    version = subprocess.run([compiler[1], "-dumpversion"], capture_output=True, text=True, check=True).stdout.strip()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{Path(compiler[1]).name} {version}, {python}, {platform.machine()}"


def judge(found: dict[str, int], before: dict[str, int]) -> int:
    """Prints all; how many grew too much."""
    grown = 0
    for name, number in found.items():
        ratio = number / before[name] if name in before else 1.0
        verdict = "GREW" if ratio > growth_max else "record it" if ratio < 1 / growth_max else ""
        grown += verdict == "GREW"
        print(f"{name:<24} {number:>7} {before.get(name, 0):>7} {ratio:>6.2f}  {verdict}".rstrip())
    return grown


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--record", action="store_true", help="these are the numbers from now on")
    arguments = parser.parse_args()
    known: dict[str, dict[str, int]] = json.loads(recorded_in.read_text()) if recorded_in.exists() else {}
    made_by = tools(arguments.build)
    found = measured(arguments.build)
    grown = judge(found, known.get(made_by, {}))
    if arguments.record:
        recorded_in.write_text(json.dumps({**known, made_by: found}, indent=2) + "\n")
        return 0
    if made_by not in known:
        print(f"instructions: nothing was recorded for {made_by}; it was for {'; '.join(known)}")
        return 0
    print(f"instructions: {len(found)} operations, {grown} grew by more than a tenth")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
