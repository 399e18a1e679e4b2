# SPDX-License-Identifier: Apache-2.0
"""Each look is newer than the one before, and no pair is torn."""

import re
import subprocess
import sys
from pathlib import Path


def test_each_look_finds_newer_numbers_and_whole_pairs() -> None:
    script = Path(__file__).with_name("two_writers.py")
    finished = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    assert finished.stderr == ""
    lines = finished.stdout.splitlines()
    looks = [re.fullmatch(r"look (\d+): left at (\d+), right at (\d+), pairs fit", line) for line in lines]
    assert all(looks), finished.stdout
    numbers = [tuple(int(text) for text in look.groups()) for look in looks if look]
    assert [number for number, *_ in numbers] == list(range(1, 11))
    for before, after in zip(numbers, numbers[1:]):
        assert after[1] > before[1]
        assert after[2] > before[2]
