# SPDX-License-Identifier: Apache-2.0
"""The comparison of stores notices wrong answers, and judges goals by what was measured alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from house.tree import root

sys.path.insert(0, str(root / "bench"))

from comparisons import counter, read, write
from harness import WrongAnswer
from stores import ADAPTERS, adapter
from stores.base import ABILITIES, Place
from stores.plain import PlainDict
from suite import goals
from suite.contention import run_loops
from suite.distribution import Distribution
from suite.member import Member
from suite.results import Results

keys = 50


class LosesIncrements(PlainDict):
    increment = "d[k] += d[k] < 100"


class LosesWrites(PlainDict):
    write = "d[k] = v if v % 1_000_000 != 7 else 0"


class ReadsOld(PlainDict):
    read = "d[k] if k != 'key3' else -1"


def member_of(store: type[PlainDict]) -> Member:
    member = Member("dict", "")
    member.adapter = store
    member.open(Place("", ""), create=True)
    member.store.fill([(key, number) for number, key in enumerate(member.keys(keys))])
    return member


def count(member: Member) -> None:
    counter.prepare(member, 0, 1)
    counter.reset(member, 0, 1)
    done = run_loops(member, time.monotonic(), 0.002)["all"]
    counter.check_counter(member, [done])


def write_all(member: Member) -> None:
    write.write(member, "uniform", keys, 0.002)


def read_all(member: Member) -> None:
    read.read(member, "uniform", keys, 0.002)


@pytest.mark.parametrize(("work", "faulty"), [(count, LosesIncrements), (write_all, LosesWrites), (read_all, ReadsOld)])
def test_a_wrong_answer_is_noticed(work: Callable[[Member], None], faulty: type[PlainDict]) -> None:
    work(member_of(PlainDict))
    with pytest.raises(WrongAnswer):
        work(member_of(faulty))


def results_with(**rates: float) -> Results:
    results = Results({"stores": {}})
    for store, rate in rates.items():
        for workload, variant in ("read", "hot"), ("read", "uniform"), ("read", "zipf"), ("write", "hot"):
            results.add(workload, variant, store, {"per_s": rate})
    return results


def judged(results: Results, text: str) -> goals.Goal:
    return next(goal for goal in goals.judge(results) if goal.text == text)


def test_goals_follow_the_figures() -> None:
    assert judged(results_with(ultradict=61.0, ultradict2=10.0), "hot reads, beside UltraDict2").met is True
    assert judged(results_with(ultradict=59.0, ultradict2=10.0), "hot reads, beside UltraDict2").met is False


def test_the_worst_pattern_counts() -> None:
    results = results_with(ultradict=61.0, ultradict2=10.0)
    results.add("read", "zipf", "ultradict2", {"per_s": 30.0})
    goal = judged(results, "spread reads, beside UltraDict2")
    assert (goal.met, goal.note) == (False, "read zipf")
    assert judged(results, "hot reads, beside UltraDict2").met is True


def test_what_a_plain_dict_reaches_stands_beside_it() -> None:
    results = results_with(ultradict=50.0, ultradict2=10.0, dict=40.0)
    goal = judged(results, "hot reads, beside UltraDict2")
    assert (goal.met, goal.note) == (False, "read hot; a plain dict 4.0 x")


def test_what_was_not_measured_or_is_wrong_is_not_judged() -> None:
    results = results_with(ultradict=61.0, ultradict2=10.0)
    results.cell("read", "hot", "ultradict2")["wrong"] = "5, not 7"
    goal = judged(results, "hot reads, beside UltraDict2")
    assert (goal.met, goal.note) == (None, "ultradict2: wrong: 5, not 7")
    assert judged(results, "hot reads, beside LMDB").met is None


def test_distributions_of_processes_add_up() -> None:
    parts: list[dict[str, Any]] = [Distribution.of({100: 989}).sent(), Distribution.of({5_000: 10, 9_999: 1}).sent()]
    merged = Distribution.merged(parts)
    assert merged.quantile(0.5) == pytest.approx(100, rel=0.02)
    assert merged.quantile(0.999) == pytest.approx(5_000, rel=0.02)
    assert merged.figures()["max_ns"] == 9_999


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_store_says_what_it_is_and_what_it_lacks(name: str) -> None:
    store = adapter(name)
    assert store.title
    assert store.settings
    assert set(store.cannot) <= set(ABILITIES)
    assert all(store.cannot.values())
    assert all("==" in requirement for requirement in store.requirements)
    assert bool(store.requirements) == bool(store.environment)
