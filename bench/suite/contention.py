# SPDX-License-Identifier: Apache-2.0
"""Several processes that do the same at once: each prepares, all begin at one moment, the figures are put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from suite.distribution import Distribution
from suite.loops import Loop, chunks, compiled, each_timed, single_operations, throughput, warm_up
from suite.member import Member

WARM_UP_SECONDS = 0.05
LAST_SECONDS = 2.0


def prepare_loops(member: Member, body: str, target: str, items: Sequence[Any], last: Sequence[Any] = ()) -> None:
    """Compile and warm up. `last` is done once in the end, untimed, as far as there is time: what it wrote stays."""
    names = member.store.names()
    loop: Loop = compiled(names, f"for {target} in items:\n  " + body.replace("\n", "\n  "))
    parts = chunks(loop, items)
    warm_up(loop, parts, WARM_UP_SECONDS)
    member.ready = (loop, each_timed(names, body, target), parts, last)


def run_loops(member: Member, start: float, seconds: float) -> dict[str, Any]:
    """Both loops, one after the other, from a moment on that all processes were told; how many of the last are done."""
    loop, timed, parts, last = member.ready
    time.sleep(max(0.0, start - time.monotonic()))
    done, elapsed = throughput(loop, parts, seconds)
    single = single_operations(timed, parts, seconds)
    all_done = done + sum(single.counts.values())
    finished = as_time_allows(loop, last)
    return {"done": done, "elapsed": elapsed, "single": single.sent(), "all": all_done, "finished": finished}


def as_time_allows(loop: Loop, items: Sequence[Any]) -> int:
    """Go through the items, each once; how many that were."""
    deadline = time.monotonic() + LAST_SECONDS
    for done, item in enumerate(items):
        if time.monotonic() > deadline:
            return done
        loop([item])
    return len(items)


def together(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The figures of all: sums of rates, one distribution; how even the shares were, and the longest wait."""
    rates = [result["done"] / result["elapsed"] for result in results]
    single = Distribution.merged(result["single"] for result in results)
    return {"per_s": sum(rates), **single.figures(), "slowest_to_fastest": min(rates) / max(rates)}


def neighbour(index: int, count: int, shared: bool) -> int:
    """Whose answers a process checks: another one's where the store is shared."""
    return (index + 1) % count if shared else index


def by_count(variant: str) -> int:
    """The number of processes at the end of a variant's name."""
    return int(variant.rpartition("_")[2])


def needs_when_several(one: Sequence[str], several: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """Needs that depend on the number of processes."""
    return lambda variant: tuple(one) if by_count(variant) == 1 else (*one, *several)
