# SPDX-License-Identifier: Apache-2.0
"""Byte strings from 8 bytes to 16 MiB, written and read."""

from __future__ import annotations

from typing import Any

from harness import check
from suite.family import Column, Family, Figures, Scale, Table, always
from suite.loops import each, operations, values
from suite.member import Member
from suite.team import Team

SIZES = {"8": "8 B", "256": "256 B", "4096": "4 KiB", "65536": "64 KiB", "1048576": "1 MiB", "16777216": "16 MiB"}
KEY = "bytes"


def table(what: str, figure: str, plot: str) -> Table:
    columns = (Column(text, size, figure, "ns", True) for size, text in SIZES.items())
    return Table(what, tuple(columns), plot)


FAMILY = Family(
    title="Sizes of values",
    text="One key, `bytes` of each size; the median of single operations. What is read is a `bytes` object that "
    "nobody has changed: a store that keeps what it has read hands it out again, at any size.",
    variants=tuple(SIZES),
    needs=always("keys", "insert", "single", "bytes"),
    tables=(
        table("Read a value of this size", "read_p50_ns", "size-read"),
        table("Write a value of this size", "write_p50_ns", "size-write"),
    ),
    store="empty",
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(sizes, size=int(variant), seconds=scale.seconds)
    return figures


def sizes(member: Member, size: int, seconds: float) -> dict[str, Any]:
    """Two values in turn, so that no write finds what it writes."""
    store, key = member.store, member.store.key(KEY)
    contents = [bytes([start % 256 for start in range(first, first + 8)]) * (size // 8) for first in (1, 101)]
    read, write = store.read_bytes or store.read, store.write_bytes or store.write
    written = operations(member, write, [(key, content) for content in contents] * 32, seconds, "k, v")
    for content in contents:
        each(member, write, "k, v")([(key, content)])
        check(f"{size} bytes", values(member, read, [key])[0] == content, True)
    figures = operations(member, read, [key] * 64, seconds)
    named = {f"read_{name}": value for name, value in figures.items()}
    return named | {f"write_{name}": value for name, value in written.items()}
