# SPDX-License-Identifier: Apache-2.0
"""A value two levels down in nested dicts, changed and read."""

from __future__ import annotations

from typing import Any

from harness import check
from suite.family import Family, Figures, Scale, Table, always, single_columns
from suite.loops import each, operations, values
from suite.member import Member
from suite.team import Team

KEY = "tree"
FAMILY = Family(
    title="Nested dicts",
    text="`d['tree']['branch']['leaf']`, where the store can change it for all processes: in place, or by writing the "
    "whole value back with nobody in between.",
    variants=("update", "read"),
    needs=always("keys", "insert", "single", "nested"),
    tables=(
        Table("Update a nested value", single_columns("update"), "nested-update"),
        Table("Read a nested value", single_columns("read")),
    ),
    store="nested",
)


def measure(team: Team, variant: str, scale: Scale) -> Figures:
    figures: Figures = team.call(nested, variant=variant, seconds=scale.seconds)
    return figures


def nested(member: Member, variant: str, seconds: float) -> dict[str, Any]:
    store, key = member.store, member.store.key(KEY)
    each(member, store.make_nested)([key])
    each(member, store.write_nested, "k, v")([(key, 7)])
    check("nested", values(member, store.read_nested, [key]), [7])
    if variant == "read":
        return operations(member, store.read_nested, [key] * 4096, seconds)
    figures = operations(member, store.write_nested, [(key, number) for number in range(4096)], seconds, "k, v")
    each(member, store.write_nested, "k, v")([(key, 8)])
    check("nested", values(member, store.read_nested, [key]), [8])
    return figures
