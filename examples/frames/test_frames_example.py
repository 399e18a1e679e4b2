# SPDX-License-Identifier: Apache-2.0
"""Readers see frames while they are written, whole ones only, and their memory is given back as they go."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from frames import Camera, is_torn

SCRIPT = Path(__file__).with_name("frames.py")


def test_no_reader_sees_a_torn_frame_and_memory_stays_flat() -> None:
    command = [sys.executable, SCRIPT, "--seconds", "1", "--width", "640", "--height", "480"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert finished.stderr == ""
    lines = finished.stdout.splitlines()
    assert len(lines) == 6
    for title, seen, memory in (lines[:3], lines[3:]):
        first = re.fullmatch(r".*: (\d+) frames in [\d.]+ s, \d+ a second", title)
        assert first, title
        written = int(first[1])
        *counts, torn = map(int, re.findall(r"\d+", seen))
        assert len(counts) == 3
        assert all(0 < count <= written for count in counts)
        assert torn == 0
        dict_has, *viewed = [float(text) for text in re.findall(r"\d+\.\d", memory)]
        assert 1 <= dict_has < 3, "frames that nobody can find are still there"
        assert viewed == [1.0, 1.0, 1.0]


def test_a_mixture_of_two_frames_is_torn() -> None:
    camera = Camera(64, 48)
    first, second = camera.next().copy(), camera.next().copy()
    assert not is_torn(first)
    assert not is_torn(second)
    for row in (1, 24, 47):
        for above, below in ((first, second), (second, first)):
            assert is_torn(np.concatenate([above[:row], below[row:]]))
