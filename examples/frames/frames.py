# SPDX-License-Identifier: Apache-2.0
"""One process writes video frames, three others look at the newest without copying it, and none ever sees a torn one.

A frame is the array under the key "frame". `view` shows it where it lies in shared memory; what is shown stays as it
is while the writer goes on, so nobody waits for anybody. Its memory is given back when the last view of it is gone.

Each frame has its number in its first word and the sum of the others in its second. From one frame to the next every
word grows by one, so that a mixture of two frames cannot have the sum of either.

First the writer keeps to a rate, then it writes as fast as it can.

    frames.py [--seconds 3] [--rate 60] [--width 1920] [--height 1080]
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from multiprocessing.synchronize import Barrier
from typing import Any

import numpy as np

from UltraDict import UltraDict

READERS = 3
CHANNELS = 3
Shared = UltraDict[Any, Any]  # "frame", "number" of the newest, "end", and what each reader saw


def words_of(frame: Any) -> Any:
    """The bytes of a frame in words of eight, but for the few that are left over."""
    return frame.reshape(-1)[: frame.size // 8 * 8].view(np.uint64)


def is_torn(frame: Any) -> bool:
    """Whether this is anything else than one frame as it was written."""
    words = words_of(frame)
    return bool(words[2:].sum() != words[1])


class Camera:
    """Makes one frame after the other, in the same memory."""

    def __init__(self, width: int, height: int) -> None:
        self.frame = np.random.default_rng(0).integers(0, 256, (height, width, CHANNELS), np.uint8)
        self.number = 0

    def next(self) -> Any:
        """The next frame."""
        self.number += 1
        words = words_of(self.frame)
        words += 1
        words[0], words[1] = self.number, words[2:].sum()
        return self.frame


def look(shared: Shared, reader: int, ready: Barrier) -> None:
    """A reader: whenever there is a newer frame, look whether it is a whole one."""
    seen = torn = last = viewed = 0
    ready.wait()
    while (newest := shared.get("number", 0)) > last or not shared.get("end"):  # to the last frame
        if newest <= last:  # it may have been seen already: the frame is written before its number
            time.sleep(0.0002)
            continue
        frame = shared.view("frame")
        torn += is_torn(frame)
        last, seen = int(words_of(frame)[0]), seen + 1
        viewed = max(viewed, shared.stats()["pinned_bytes"])
    shared["saw", reader] = (seen, torn, viewed)


def size_of(shared: Shared) -> int:
    """Bytes that the dict has in shared memory for frames that can be found in it, and for everything else."""
    stats = shared.stats()
    return stats["blob_size"] + stats["log_size"] + stats["table_size"]


def record(shared: Shared, camera: Camera, seconds: float, rate: float | None) -> tuple[int, float, int]:
    """Write frames, `rate` of them a second, or as many as can be: their number, the seconds, the bytes at most."""
    first, started, most = camera.number, time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        shared["frame"] = camera.next()
        shared["number"] = camera.number
        most = max(most, size_of(shared))
        if rate is not None:
            due = started + (camera.number - first) / rate
            time.sleep(max(0.0, due - time.perf_counter()))
    return camera.number - first, time.perf_counter() - started, most


def show(title: str, seconds: float, rate: float | None, camera: Camera) -> None:
    """Write for some seconds with all readers looking, and print how it went."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(READERS + 1)
    shared: Shared = UltraDict()
    with shared:
        readers = [context.Process(target=look, args=(shared, reader, ready), daemon=True) for reader in range(READERS)]
        for process in readers:
            process.start()
        ready.wait()
        written, took, most = record(shared, camera, seconds, rate)
        shared["end"] = True
        for process in readers:
            process.join()
        seen, torn, viewed = zip(*(shared["saw", reader] for reader in range(READERS)))
    print(f"{title}: {written} frames in {took:.1f} s, {written / took:.0f} a second")
    print(f"  seen by the readers: {', '.join(map(str, seen))}; torn: {sum(torn)}")
    size = camera.frame.nbytes
    print(f"  memory at most, in frames: the dict {most / size:.1f};", end=" ")
    print(f"viewed by the readers {', '.join(f'{bytes_viewed / size:.1f}' for bytes_viewed in viewed)}")


def main() -> None:
    """At the rate of a video, then without a pause."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    options = parser.parse_args()
    camera = Camera(options.width, options.height)
    show(f"at {options.rate:.0f} a second", options.seconds, options.rate, camera)
    show("as fast as it goes", options.seconds, None, camera)


if __name__ == "__main__":
    main()
