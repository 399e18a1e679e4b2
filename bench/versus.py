# SPDX-License-Identifier: Apache-2.0
"""This project beside every store that one might take instead: workloads x stores, each answer checked.

`make versus` measures everything, `make versus-quick` in a few minutes; --trial checks the suite itself in seconds,
with the stores that need no package. Peers are installed at pinned versions into environments of their own, servers are
started on loopback and ended again. A wrong answer of ours fails the run; that of a peer is a result.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import comparisons
import stores
from machine import machine
from suite import engine, environments, goals, servers
from suite.family import FULL, QUICK, TRIAL, Scale
from suite.results import Results
from suite.session import PREFIX, Session, environment

MEMORY = Path("/dev/shm")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_const", const=QUICK, dest="scale", help="a few minutes")
    size.add_argument("--trial", action="store_const", const=TRIAL, dest="scale", help="a few seconds, no packages")
    parser.add_argument("--stores", type=names(stores.ADAPTERS), metavar="A,B", help=f"of {', '.join(stores.ADAPTERS)}")
    parser.add_argument("--workloads", type=names(comparisons.ORDER), metavar="A,B", help=f"of {comparisons.ORDER}")
    parser.add_argument("--rounds", type=int, help="how many times every store has its turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there; bench/report.py reads them")
    parser.set_defaults(scale=FULL)
    return parser.parse_args()


def names(known: Any) -> Any:
    """A parser of names with commas between."""

    def parse(text: str) -> list[str]:
        unknown = set(text.split(",")) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}")
        return [name for name in known if name in text.split(",")]

    return parse


@contextmanager
def directory() -> Iterator[str]:
    """A place in memory, and nothing of it left afterwards, however the run ends."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    made = tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY if MEMORY.is_dir() else None)
    os.environ.update(environment(made))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        for left in MEMORY.glob(f"*{PREFIX}*"):
            left.unlink(missing_ok=True)


def prepared(wanted: list[str], results: Results) -> dict[str, str]:
    """The interpreter of each store; what could not be installed is in the results instead."""
    pythons = {}
    without_servers = servers.install() if any(stores.adapter(name).server for name in wanted) else {}
    for name in wanted:
        store = stores.adapter(name)
        about = {"title": store.title, "settings": store.settings, "ours": store.ours}
        try:
            if without_servers.get(store.server):
                raise environments.NotInstalled(without_servers[store.server])
            pythons[name] = environments.python_of(store)
            versions = (servers.version(store.server), environments.versions_of(store))
            about["versions"] = "; ".join(filter(None, versions))
        except environments.NotInstalled as error:
            about["not_installed"] = str(error)
            print(f"{name}: not installed: {error}", flush=True)
        results.content["stores"][name] = about
    return pythons


def measure(pythons: dict[str, str], workloads: list[str], scale: Scale, rounds: int, results: Results) -> None:
    """Every store in turn, as many times as there are rounds, in each in another order."""
    with directory() as where:
        for number in range(1, rounds + 1):
            for name in random.Random(number).sample(list(pythons), len(pythons)):
                started = time.monotonic()
                for line in Session(name, pythons[name], where, scale, results).run(workloads):
                    print(line, flush=True)
                print(f"round {number} of {rounds}  {name:<28} {time.monotonic() - started:6.1f} s", flush=True)
        if scale is not TRIAL and goals.OURS in pythons:
            results.content["cpp"] = engine.figures(quick=scale is QUICK)


def faults_of_ours(results: Results) -> list[str]:
    """What may go wrong for a peer, and never for us or for a plain dict."""
    ours = [name for name, about in results.content["stores"].items() if about["ours"] or name.startswith("dict")]
    found = results.with_reasons("wrong") + results.with_reasons("failed")
    programs = [f"{name}: {line['failed']}" for name, line in results.content["cpp"].items() if "failed" in line]
    return programs + [
        f"{store}: {workload} {variant}: {text}" for workload, variant, store, text in found if store in ours
    ]


def main() -> int:
    """Measure, judge, and say so: 0 unless our own answers were wrong."""
    options = arguments()
    scale: Scale = options.scale
    wanted = options.stores or list(stores.WITHOUT_PACKAGES if scale is TRIAL else stores.ADAPTERS)
    workloads = options.workloads or list(comparisons.ORDER)
    rounds = options.rounds or scale.rounds
    date = dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%d")
    about = {"scale": {**asdict(scale), "rounds": rounds}, "date": date, "machine": machine()}
    results = Results({**about, "awake": True, "stores": {}, "workloads": workloads, "cpp": {}, "cells": {}})
    started = time.monotonic()
    pythons = prepared(wanted, results)
    measured = time.monotonic()
    measure(pythons, workloads, scale, rounds, results)
    results.content["seconds"] = round(time.monotonic() - measured)
    judged = goals.judge(results)
    for goal in judged if scale is not TRIAL else ():
        print(goal.line())
    if scale is not TRIAL and not results.steady():
        print(f"the machine was not steady: its clock took {results.clock()} ns to read")
    if options.json:
        results.write(options.json)
    faults = faults_of_ours(results)
    for fault in faults:
        print(f"WRONG  {fault}", file=sys.stderr)
    cells = sum(len(variants) for workload in results.content["cells"].values() for variants in workload.values())
    spent = f"{measured - started:.0f} s to install, {results.content['seconds']} s to measure"
    told = f"{len(pythons)} stores, {cells} results, {spent}"
    print(f"versus: {told}, {'answers of ours were WRONG' if faults else 'all of our answers right'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
