# SPDX-License-Identifier: Apache-2.0
"""What one more process costs that uses a filled store."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from suite.family import Column, Family, Figures, Scale, Table, always
from suite.loops import each, grouped
from suite.member import Member
from suite.team import Team

SECONDS_MAX = 2.0
FAMILY = Family(
    title="Memory of one more process",
    text="Pages that are its own after it joined a filled store and read every key once, more than those of the bare "
    "interpreter (of a forked process: than right after the fork); the library itself counts. Proportional: shared "
    "pages as well, divided among those who map them.",
    variants=("process",),
    needs=always("keys"),
    tables=(
        Table(
            "Memory of one more process",
            (
                Column("its own", "process", "private_bytes", "bytes", True),
                Column("proportional", "process", "proportional_bytes", "bytes"),
                Column("of all keys, read", "process", "read_share", "share"),
            ),
            "memory",
        ),
    ),
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    team.voices(1)
    place = None if team.adapter.forked else vars(team.setting.place)
    one_more = team.forked() if team.adapter.forked else team.stranger()
    try:
        one_more.tell(read_everything, place=place, count=team.count)
        figures: Figures = one_more.answer(team.setting.patience)
        return figures
    finally:
        one_more.close()


def read_everything(member: Member, place: dict[str, Any] | None, count: int) -> dict[str, float]:
    from stores.base import Place

    before = usage()
    if place:
        member.open(Place(**place), create=False)
    keys = grouped(member, [member.store.key(f"key{number}") for number in range(count)])
    loop, done, deadline = each(member, member.store.read), 0, time.perf_counter() + SECONDS_MAX
    while done < len(keys) and time.perf_counter() < deadline:
        loop(keys[done : done + 10])
        done += 10
    share = min(1.0, done / len(keys))
    del keys
    after = usage()
    grown = {name: max(0, after[name] - before[name]) for name in before}
    if place:
        member.close(last=False)
    return {"private_bytes": grown["Private"], "proportional_bytes": grown["Pss"], "read_share": share}


def usage() -> dict[str, int]:
    """As the kernel counts it, in bytes."""
    totals = {"Private": 0, "Pss": 0}
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        for wanted in totals:
            if name.split("_")[0] == wanted and name in ("Pss", "Private_Clean", "Private_Dirty"):
                totals[wanted] += int(rest.split()[0]) * 1024
    return totals
