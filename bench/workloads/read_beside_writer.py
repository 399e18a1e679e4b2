# SPDX-License-Identifier: Apache-2.0
"""Reading unchanged keys while another process writes other keys of the same dict at full speed.

The writer is spawned; it must be seen to have written during the measurement, and no value the reader sees may change.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import Pair, Row, Scale, WrongAnswer, alternate, check, int_keys

from UltraDict import UltraDict

STATEMENT = "for k in keys: d[k]"
GOAL = 2.5
WRITTEN = "written"
ROUND = 20_000  # keys the writer overwrites again and again


def write_for_ever(shared: UltraDict[Any, Any]) -> None:
    """The writer: overwrite negative keys until killed, and say after each round how many writes there were."""
    keys = [-1 - number for number in range(ROUND)]
    written = 0
    while True:
        for key in keys:
            shared[key] = written
        written += ROUND
        shared[WRITTEN] = written


@contextmanager
def writer(shared: UltraDict[Any, Any]) -> Iterator[None]:
    """The writer at work: from its second round on, until it is killed."""
    process = multiprocessing.get_context("spawn").Process(target=write_for_ever, args=(shared,), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 30
        while shared[WRITTEN] < 2 * ROUND:
            if time.monotonic() > deadline or not process.is_alive():
                raise WrongAnswer("the writer does not write")
            time.sleep(0.01)
        yield
    finally:
        process.kill()
        process.join()


def measure(scale: Scale) -> Iterator[Row]:
    """`d[k]`, int keys, beside the writer."""
    keys = int_keys(scale.of(20_000, 2_000))
    plain = {key: key + 7 for key in keys}
    shared: UltraDict[Any, Any] = UltraDict(plain)
    with shared:
        shared[WRITTEN] = 0
        with writer(shared):
            pair, writes_per_second = measure_beside_writer(scale, shared, plain, keys)
        check(STATEMENT, [shared[key] for key in keys], [plain[key] for key in keys])
    yield pair.row("read while another process writes", STATEMENT, GOAL, f"{writes_per_second:,.0f} writes/s beside")


def measure_beside_writer(
    scale: Scale, shared: UltraDict[Any, Any], plain: dict[int, int], keys: list[int]
) -> tuple[Pair, float]:
    """The measurement, and how fast the writer was meanwhile."""
    written, started = shared[WRITTEN], time.perf_counter()
    ours, beside = ({"d": d, "keys": keys} for d in (shared, plain))
    pair = alternate(STATEMENT, ours, beside, len(keys), scale.of(31, 5), scale.of(20, 20))
    writes = shared[WRITTEN] - written
    if writes <= 0:
        raise WrongAnswer("the writer wrote nothing during the measurement")
    return pair, writes / (time.perf_counter() - started)
