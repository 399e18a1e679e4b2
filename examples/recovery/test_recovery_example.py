# SPDX-License-Identifier: Apache-2.0
"""Nobody hangs and no step is lost, whether the program takes care of the lock or not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from recovery import take_by_hand

from UltraDict import UltraDict


@pytest.mark.parametrize("arguments", [[], ["by_hand"]])
def test_the_others_count_on(arguments: list) -> None:
    command = [sys.executable, Path(__file__).with_name("recovery.py"), *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    # Three workers make 300 steps each; the victim makes 151 before it is killed.
    assert finished.stdout == "1 of 4 was killed; they counted to 1051\n"
    # Who takes the lock next says in its log what it found.
    assert len(finished.stderr.splitlines()) == 1
    assert "died while it held the lock" in finished.stderr


def test_by_hand_the_lock_of_the_dead_is_taken() -> None:
    with UltraDict(shared_lock=True) as d:
        child = os.fork()
        if child == 0:
            d.lock.acquire()
            os._exit(0)
        os.waitpid(child, 0)
        assert d.lock.get_remote_pid() == child
        take_by_hand(d.lock)
        assert d.lock.has_lock
        d.lock.release()
