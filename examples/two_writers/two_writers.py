# SPDX-License-Identifier: Apache-2.0
"""Two processes write as fast as they can, and a third prints what it reads meanwhile. Nobody waits for the reader.

Each writer changes its two keys by one `update`, so under the lock the reader always finds both at the same number.
"""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Event

from UltraDict import UltraDict

LOOKS = 10


def write(shared: UltraDict[tuple[str, str], int], writer: str, stop: Event) -> None:
    """A writer: on and on until it is told to stop."""
    number = 0
    while not stop.is_set():
        number += 1
        shared.update({(writer, "first"): number, (writer, "second"): number})


def wait_for_news(shared: UltraDict[tuple[str, str], int], writer: str, seen: int) -> None:
    """Reading costs little: look until the writer has moved on."""
    while shared.get((writer, "first"), 0) == seen:
        pass


def read(shared: UltraDict[tuple[str, str], int]) -> None:
    """The reader: each look finds newer numbers, and pairs that fit."""
    seen = {"left": 0, "right": 0}
    for look in range(1, LOOKS + 1):
        for writer, last in seen.items():
            wait_for_news(shared, writer, last)
        with shared.lock:
            found = shared.to_dict()
        seen = {writer: found[writer, "first"] for writer in seen}
        fits = all(found[writer, "second"] == number for writer, number in seen.items())
        print(f"look {look}: left at {seen['left']}, right at {seen['right']}, pairs {'fit' if fits else 'BROKEN'}")


def main() -> None:
    """Start two writers, read beside them, stop them."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    shared: UltraDict[tuple[str, str], int] = UltraDict()
    with shared:
        writers = [context.Process(target=write, args=(shared, name, stop)) for name in ("left", "right")]
        for writer in writers:
            writer.start()
        read(shared)
        stop.set()
        for writer in writers:
            writer.join()


if __name__ == "__main__":
    main()
