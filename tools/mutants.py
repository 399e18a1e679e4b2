# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs, one in each copy of the sources at a time, and shows that a test catches each.

    mutants.py [--only WORD] [--list] [--jobs COUNT]

The bugs are in tests/mutants/*.toml: a piece of a source file, what it becomes, and the test that must fail then: a
program and a filter of its tests, `pytest` and a node, or `histories` and how many. They are planted in copies of the
sources under build/mutants/, one for each job, built there as `make build-dev` builds. A bug that does not compile, or
whose place is no longer there, is an error, not a catch; so is a test that fails without any bug. A test that takes far
longer with a bug than without has caught it. What was missed is tried once more, alone. The last line has the count;
the exit status is 1 if a bug was not caught.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import SimpleQueue
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

root = Path(__file__).resolve().parents[1]
seconds_max = 300.0  # of a test without any bug
programs = {
    "engine_tests": "tests/engine/engine_tests",
    "crash_tests": "tests/engine/crash_tests",
    "campaigns": "tests/campaigns/campaigns",
    "interleavings": "tests/interleavings/interleavings",
}
Test = tuple[str, str]  # a program and which of its tests


@dataclass(frozen=True)
class Mutant:
    """A bug: `replaced` in `file` becomes `by`."""

    file: str
    replaced: str
    by: str
    test: Test
    why: str

    def planted(self) -> str:
        """The text of the file with the bug in it."""
        words = (root / self.file).read_text("utf-8")
        if words.count(self.replaced) != 1:
            raise SystemExit(f"{self.file}: the place of a bug is there {words.count(self.replaced)} times: {self.why}")
        return words.replace(self.replaced, self.by)


@dataclass(frozen=True)
class Outcome:
    """Whether it ended well, what it printed, and how long it took."""

    ok: bool
    printed: str = ""
    seconds: float = 0


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


class Tree:
    """A copy of the sources, in which one bug at a time is planted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.built = path / "build/dev"
        path.mkdir(parents=True, exist_ok=True)
        self._copy_sources()
        self._configure()

    def try_without_bugs(self, test: Test) -> Outcome:
        """Whether the test passes as it must without any bug: else its failure says nothing."""
        outcome = self._build(test)
        return self._test(test, seconds_max) if outcome.ok else outcome

    def catches(self, mutant: Mutant, seconds: float) -> bool:
        """Plants the bug, looks whether the test fails, and takes it out again."""
        there = self.path / mutant.file
        there.write_text(mutant.planted(), "utf-8")
        try:
            build = self._build(mutant.test)
            if not build.ok:
                print(f"does not compile: {build.printed[-3000:]}", flush=True)
                return False
            return not self._test(mutant.test, seconds).ok
        finally:
            shutil.copy(root / mutant.file, there)

    def _copy_sources(self) -> None:
        """Makes the tree what the repository is; files that are the same stay untouched, so little is built anew."""
        listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
        wanted = {name for name in listed if (root / name).is_file()}
        for path in self.path.rglob("*"):
            place = path.relative_to(self.path)
            if path.is_file() and place.parts[0] != "build" and path.suffix != ".so" and str(place) not in wanted:
                path.unlink()
        for name in wanted:
            there = self.path / name
            there.parent.mkdir(parents=True, exist_ok=True)
            if not there.exists() or there.read_bytes() != (root / name).read_bytes():
                shutil.copy(root / name, there)

    def _configure(self) -> None:
        """The build of make build-dev, and the extension beside it."""
        wanted = ["-DULTRADICT_BUILD_EXTENSION=ON", f"-DPython_EXECUTABLE={sys.executable}"]
        outcome = self._run(["cmake", "--preset", "dev", *wanted])
        if not outcome.ok:
            raise SystemExit(outcome.printed)

    def _build(self, test: Test) -> Outcome:
        """Builds what a test needs."""
        targets = {"pytest": ["_core"], "histories": ["_core", "record_histories"]}
        wanted = targets.get(test[0], [test[0]])
        outcome = self._run(["cmake", "--build", str(self.built), "--target", *wanted])
        for made in self.built.glob("_core*.so"):
            shutil.copy(made, self.path / "python/UltraDict")
        return outcome

    def _test(self, test: Test, seconds: float) -> Outcome:
        program, chosen = test
        python = str(self.path / "python")
        if program == "pytest":
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *chosen.split()]
            return self._run(command, seconds, PYTHONPATH=python)
        if program == "histories":
            environment = {"ULTRADICT_BUILD": str(self.built), "ULTRADICT_TEST_PYTHON": sys.executable}
            return self._run(["tools/histories.sh", chosen], seconds, PYTHONPATH=python, **environment)
        command = [str(self.built / programs[program]), f"--gtest_filter={chosen}"]
        return self._run(command, seconds, GTEST_BRIEF="1")

    def _run(self, command: list[str], seconds: float | None = None, **environment: str) -> Outcome:
        """What the command started ends with it."""
        begin = time.monotonic()
        process = subprocess.Popen(
            command, cwd=self.path, text=True, errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **environment},
        )  # fmt: skip
        try:
            printed, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Outcome(False, process.communicate()[0] + f"\nno end within {seconds:.0f} s")
        return Outcome(process.returncode == 0, printed, time.monotonic() - begin)


class Worker:
    """What the process of one job has: a tree of its own."""

    tree: Tree

    @classmethod
    def begin(cls, numbers: SimpleQueue[int]) -> None:
        cls.tree = Tree(root / f"build/mutants/{numbers.get()}")

    @classmethod
    def try_without_bugs(cls, test: Test) -> Outcome:
        return cls.tree.try_without_bugs(test)

    @classmethod
    def catches(cls, mutant: Mutant, seconds: float) -> bool:
        return cls.tree.catches(mutant, seconds)


def seconds_without_bugs(workers: ProcessPoolExecutor, tests: list[Test]) -> dict[Test, float]:
    """How long each test takes without any bug."""
    seconds = {}
    for test, outcome in zip(tests, workers.map(Worker.try_without_bugs, tests)):
        if not outcome.ok:
            raise SystemExit(f"without any bug: {' '.join(test)}\n{outcome.printed[-3000:]}")
        seconds[test] = outcome.seconds
    return seconds


def say(caught: bool, mutant: Mutant) -> None:
    print(f"{'caught' if caught else 'MISSED'}: {mutant.file}: {mutant.why}", flush=True)


def missed(workers: ProcessPoolExecutor, mutants: list[Mutant]) -> list[Mutant]:
    """Those that their tests do not catch. What only a race shows may need every processor: the second time it has."""
    seconds = seconds_without_bugs(workers, sorted({mutant.test for mutant in mutants}))
    patience = {mutant: 30 + 10 * seconds[mutant.test] for mutant in mutants}
    again = []
    for mutant, caught in zip(mutants, workers.map(Worker.catches, mutants, patience.values())):
        say(caught, mutant)
        if not caught:
            again.append(mutant)
    found = []
    for mutant in again:
        caught = workers.submit(Worker.catches, mutant, patience[mutant]).result()
        say(caught, mutant)
        if not caught:
            found.append(mutant)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="those with this word in their file or reason")
    parser.add_argument("--list", action="store_true", help="say which there are, and whether their places are")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many are planted at a time")
    arguments = parser.parse_args()
    mutants = [mutant for mutant in catalogue() if arguments.only in f"{mutant.file} {mutant.why}"]
    if arguments.list:
        for mutant in mutants:
            mutant.planted()
            print(f"{mutant.file}: {mutant.why}: {' '.join(mutant.test)}")
        return 0
    numbers: SimpleQueue[int] = SimpleQueue()
    for number in range(arguments.jobs):
        numbers.put(number)
    with ProcessPoolExecutor(arguments.jobs, initializer=Worker.begin, initargs=(numbers,)) as workers:
        count = len(missed(workers, mutants))
    print(f"mutants: {len(mutants) - count} of {len(mutants)} caught")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
