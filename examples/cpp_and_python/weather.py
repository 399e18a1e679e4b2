# SPDX-License-Identifier: Apache-2.0
"""One dict, two languages: a C++ weather station (station.cc) and this program write to it at the same time.

Usage: weather.py <path of the built station>. Both count their readings in one shared counter; both use tuples as keys.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from UltraDict import UltraDict

READINGS = 1_000


def measure(weather: UltraDict[Any, Any], city: str) -> None:
    """What the C++ program does, in Python."""
    for number in range(READINGS):
        weather[city, number] = weather["offset"] - number % 30
        with weather.lock:
            weather["readings"] += 1


def main(station: str) -> None:
    """Make the dict, let the station write to it, write to it as well, and look at what both wrote."""
    weather: UltraDict[Any, Any] = UltraDict(offset=0.5, readings=0)
    with weather:
        with subprocess.Popen([station, weather.name, "Oslo", str(READINGS)]) as process:
            measure(weather, "Bergen")
        if process.returncode != 0:
            raise SystemExit("the station failed")
        for city in ("Oslo", "Bergen"):
            temperatures = [weather[city, number] for number in range(READINGS)]
            print(f"{city}: {min(temperatures)} to {max(temperatures)} degrees")
        print(f"{weather['readings']} readings")


if __name__ == "__main__":
    main(sys.argv[1])
