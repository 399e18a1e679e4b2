# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs, one after the other, and shows that a test catches each.

    mutants.py [--only WORD] [--list]

The bugs are in tests/mutants/*.toml: a piece of a source file, what it becomes, and the test that must fail then: a
program and a filter of its tests, `pytest` and a node, or `histories` and how many. They are planted in a copy of the
sources under build/mutants/, built there as `make build-dev` builds. A bug that does not compile, or whose place is no
longer there, is an error, not a catch; so is a test that fails without any bug. The last line has the count; the exit
status is 1 if a bug was not caught.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

root = Path(__file__).resolve().parents[1]
tree = root / "build/mutants/tree"
built = tree / "build/dev"
seconds_max = 300  # of one test: what hangs for so long is caught
programs = {
    "engine_tests": "tests/engine/engine_tests",
    "crash_tests": "tests/engine/crash_tests",
    "campaigns": "tests/campaigns/campaigns",
    "interleavings": "tests/interleavings/interleavings",
}


@dataclass(frozen=True)
class Mutant:
    """A bug: `replaced` in `file` becomes `by`; `test` is a program and which of its tests."""

    file: str
    replaced: str
    by: str
    test: tuple[str, str]
    why: str

    def planted(self) -> str:
        """The text of the file with the bug in it."""
        words = (root / self.file).read_text("utf-8")
        if words.count(self.replaced) != 1:
            raise SystemExit(f"{self.file}: the place of a bug is there {words.count(self.replaced)} times: {self.why}")
        return words.replace(self.replaced, self.by)


def catalogue() -> list[Mutant]:
    """Every bug of tests/mutants/."""
    mutants = []
    for path in sorted((root / "tests/mutants").glob("*.toml")):
        for entry in tomllib.loads(path.read_text("utf-8"))["mutant"]:
            program, _, chosen = entry["test"].partition(" ")
            text = {name: entry[name].strip("\n") for name in ("from", "to")}
            why = entry.get("why", entry["test"])
            mutants.append(Mutant(entry["file"], text["from"], text["to"], (program, chosen), why))
    return mutants


def run(command: list[str], seconds: int | None = None, **environment: str) -> tuple[bool, str]:
    """Whether it ended well, and what it printed. What it started ends with it."""
    process = subprocess.Popen(
        command, cwd=tree, text=True, errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **environment},
    )  # fmt: skip
    try:
        printed, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return False, process.communicate()[0] + f"\nno end within {seconds} s"
    return process.returncode == 0, printed


def copy_sources() -> None:
    """Makes the tree what the repository is; files that are the same stay untouched, so little is built anew."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = {name for name in listed if (root / name).is_file()}
    for path in tree.rglob("*"):
        place = path.relative_to(tree)
        if path.is_file() and place.parts[0] != "build" and path.suffix != ".so" and str(place) not in wanted:
            path.unlink()
    for name in wanted:
        there = tree / name
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.exists() or there.read_bytes() != (root / name).read_bytes():
            shutil.copy(root / name, there)


def configure() -> None:
    """The build of make build-dev, and the extension beside it."""
    ok, printed = run(
        ["cmake", "--preset", "dev", "-DULTRADICT_BUILD_EXTENSION=ON", f"-DPython_EXECUTABLE={sys.executable}"]
    )
    if not ok:
        raise SystemExit(printed)


def build(mutant: Mutant) -> tuple[bool, str]:
    """Builds what the test of a mutant needs."""
    targets = {"pytest": ["_core"], "histories": ["_core", "record_histories"]}
    wanted = targets.get(mutant.test[0], [mutant.test[0]])
    ok, printed = run(["cmake", "--build", str(built), "--target", *wanted])
    for made in built.glob("_core*.so"):
        shutil.copy(made, tree / "python/UltraDict")
    return ok, printed


def test(mutant: Mutant) -> tuple[bool, str]:
    """Runs the test of a mutant."""
    program, chosen = mutant.test
    if program == "pytest":
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen.split()]
        return run(command, seconds_max, PYTHONPATH=str(tree / "python"))
    if program == "histories":
        environment = {"ULTRADICT_BUILD": str(built), "ULTRADICT_TEST_PYTHON": sys.executable}
        return run(["tools/histories.sh", chosen], seconds_max, PYTHONPATH=str(tree / "python"), **environment)
    return run([str(built / programs[program]), f"--gtest_filter={chosen}"], seconds_max, GTEST_BRIEF="1")


def is_caught(mutant: Mutant) -> bool:
    """Plants the bug, looks whether the test fails, and takes it out again."""
    there = tree / mutant.file
    there.write_text(mutant.planted(), "utf-8")
    try:
        ok, printed = build(mutant)
        if not ok:
            print(f"does not compile: {printed[-3000:]}")
            return False
        ok, printed = test(mutant)
    finally:
        shutil.copy(root / mutant.file, there)
    return not ok


def expect_sound(mutants: list[Mutant]) -> None:
    """Without any bug every test must pass: else its failure says nothing."""
    for program, chosen in sorted({mutant.test for mutant in mutants}):
        sound = Mutant("", "", "", (program, chosen), "")
        for step in (build, test):
            ok, printed = step(sound)
            if not ok:
                raise SystemExit(f"without any bug: {program} {chosen}\n{printed[-3000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="those with this word in their file or reason")
    parser.add_argument("--list", action="store_true", help="say which there are, and whether their places are")
    arguments = parser.parse_args()
    mutants = [mutant for mutant in catalogue() if arguments.only in f"{mutant.file} {mutant.why}"]
    if arguments.list:
        for mutant in mutants:
            mutant.planted()
            print(f"{mutant.file}: {mutant.why}: {' '.join(mutant.test)}")
        return 0
    tree.mkdir(parents=True, exist_ok=True)
    copy_sources()
    configure()
    expect_sound(mutants)
    missed = []
    for mutant in mutants:
        caught = is_caught(mutant)
        print(f"{'caught' if caught else 'MISSED'}: {mutant.file}: {mutant.why}", flush=True)
        if not caught:
            missed.append(mutant)
    print(f"mutants: {len(mutants) - len(missed)} of {len(mutants)} caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
