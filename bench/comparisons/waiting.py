# SPDX-License-Identifier: Apache-2.0
"""Processor time of those who do nothing, and of those who wait for a lock that another one holds."""

from __future__ import annotations

import os
import time
from pathlib import Path

from harness import check
from suite.family import Column, Family, Figures, Scale, Table
from suite.member import Member, cpu_seconds
from suite.team import Team

FAMILY = Family(
    title="Doing nothing, and waiting",
    text="Processor time as a share of the time that passed: of two processes that have the store open, and of one "
    "that waits for a lock another one holds; of the server, too, if there is one.",
    variants=("idle", "waiting"),
    needs=lambda variant: ("keys",) if variant == "idle" else ("keys", "lock"),
    tables=(
        Table(
            "Processor time of doing nothing and of waiting",
            (Column("idle", "idle", "cpu_share", "share"), Column("waiting", "waiting", "cpu_share", "share")),
        ),
    ),
)
TICKS = os.sysconf("SC_CLK_TCK")


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    return idle(team, scale.idle_seconds) if variant == "idle" else waiting(team, scale.idle_seconds)


def idle(team: Team, seconds: float) -> Figures:
    voices, server = team.voices(2), server_of(team)
    before = seconds_of(server)
    for voice in voices:
        voice.tell(cpu_seconds, seconds=seconds)
    used = sum(voice.answer(team.setting.patience) for voice in voices)
    return {"cpu_share": (used + seconds_of(server) - before) / seconds}


def server_of(team: Team) -> int | None:
    """The process that serves the store: started by the suite, or by the store itself."""
    if team.server_pid is not None:
        return team.server_pid
    first = team.voices(2)[0]
    first.tell(own_server)
    pid: int | None = first.answer(team.setting.patience)
    return pid


def own_server(member: Member) -> int | None:
    return member.store.server_pid


def seconds_of(process: int | None) -> float:
    """What a process has used so far, in the steps of the kernel."""
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def waiting(team: Team, seconds: float) -> Figures:
    holder, waiter = team.voices(2)
    flag = Path(team.setting.place.directory, f"{team.setting.place.name}.held")
    flag.unlink(missing_ok=True)
    server = server_of(team)
    before = seconds_of(server)
    holder.tell(hold, flag=str(flag), seconds=seconds)
    waiter.tell(wait, flag=str(flag))
    waited, used = waiter.answer(team.setting.patience)
    holder.answer(team.setting.patience)
    check("waited as long as the lock was held", waited > seconds / 2, True)
    return {"cpu_share": (used + seconds_of(server) - before) / waited, "waited_s": waited}


def hold(member: Member, flag: str, seconds: float) -> None:
    with member.store.lock():
        Path(flag).touch()
        time.sleep(seconds)


def wait(member: Member, flag: str) -> tuple[float, float]:
    """Seconds that passed until the lock was there, and seconds that were worked."""
    while not Path(flag).exists():
        time.sleep(0.001)
    started, used = time.perf_counter(), time.process_time()
    with member.store.lock():
        return time.perf_counter() - started, time.process_time() - used
