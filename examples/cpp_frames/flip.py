# SPDX-License-Identifier: Apache-2.0
"""A picture goes from Python to C++ and back, and neither copies it out of shared memory.

Usage: flip.py <path of the built flip.cc>. Python stores a NumPy array; C++ sees its elements where they lie, and
answers with bytes, which NumPy looks at where they lie. Of the array C++ sees the elements only: what they are, and how
many make a row, both programs must agree on.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np

from UltraDict import UltraDict

SHAPE = (1080, 1920, 3)


def main(flip: str) -> None:
    """Make a picture, have it turned upside down, and compare."""
    frame = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    shared: UltraDict[Any, Any] = UltraDict(frame=frame, row_size=frame[0].nbytes)
    with shared:
        subprocess.run([flip, shared.name], check=True)
        flipped = np.frombuffer(shared.view("flipped"), np.uint8).reshape(SHAPE)
    print(f"{flipped.nbytes} bytes, upside down: {np.array_equal(flipped, frame[::-1])}")


if __name__ == "__main__":
    main(sys.argv[1])
