# SPDX-License-Identifier: Apache-2.0
"""A table as a picture: a row for each store, a dot for each column, on a logarithmic scale, the best on top.

SVG written by hand: a few KiB, the same bytes for the same figures. Its colours are of medium brightness and its ground
is transparent, so that it can be read on a bright page and on a dark one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from suite.family import Column, Table
from suite.results import Figure, Results
from suite.units import BEST_FIRST, shown

COLOURS = ("#3b82d0", "#d0703b", "#3a9d5d", "#b0568f", "#9a8430", "#6f75c9")
TEXT, GRID, OURS = "#808080", "#80808050", "#d04040"
WIDTH, LEFT, RIGHT, TOP, ROW = 860, 220, 30, 64, 19
STYLE = "font: 12px system-ui, sans-serif"


class Scale:
    """Where a figure lies: whole powers of ten at both ends, or of two to the fifth, which are round numbers of KiB,
    MiB and GiB."""

    def __init__(self, figures: Sequence[float], unit: str) -> None:
        self.base = 32.0 if unit == "bytes" else 10.0
        logs = [math.log(figure, self.base) for figure in figures]
        self.first, self.last = math.floor(min(logs)), max(math.floor(min(logs)) + 1, math.ceil(max(logs)))

    def x(self, figure: float) -> float:
        share = (math.log(figure, self.base) - self.first) / (self.last - self.first)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


Row = tuple[str, list["Figure | None"]]


def plot(results: Results, workload: str, table: Table) -> str:
    """The picture; empty if there is nothing to see."""
    columns = [column for column in table.columns if column.unit == table.columns[0].unit]
    if table.columns[0].unit == "rate":
        columns = [column for column in columns if column.figure == "per_s"]
    rows = ordered(results, workload, columns)
    positive = [figure.median for _, figures in rows for figure in figures if figure and figure.median > 0]
    if not positive:
        return ""
    scale = Scale(positive, columns[0].unit)
    height = TOP + ROW * len(rows) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" style="{STYLE}" fill="{TEXT}">',
        f'<text x="{LEFT}" y="18" font-weight="bold" font-size="14">{escape(table.title)}</text>',
        f'<text x="{WIDTH - RIGHT}" y="18" text-anchor="end">{better(columns[0].unit)}</text>',
        *legend(columns),
        *axis(scale, columns[0].unit, height),
    ]
    for number, (store, figures) in enumerate(rows):
        parts += row(results, store, figures, scale, TOP + ROW * number + ROW // 2)
    return "\n".join([*parts, "</svg>"]) + "\n"


def ordered(results: Results, workload: str, columns: Sequence[Column]) -> list[Row]:
    """Stores with any figure, the best of the first column first."""
    rows: list[Row] = []
    for store in results.stores():
        figures = [results.figure(workload, column.variant, store, column.figure) for column in columns]
        if any(figures):
            rows.append((store, figures))
    sign = -1 if BEST_FIRST.get(columns[0].unit) else 1
    return sorted(rows, key=lambda found: (found[1][0] is None, sign * (found[1][0].median if found[1][0] else 0)))


def better(unit: str) -> str:
    """Which way is better."""
    return "more is better \N{RIGHTWARDS ARROW}" if BEST_FIRST.get(unit) else "\N{LEFTWARDS ARROW} less is better"


def legend(columns: Sequence[Column]) -> list[str]:
    """Which colour is which column, if there are several."""
    if len(columns) == 1:
        return []
    step = (WIDTH - LEFT - RIGHT) / len(columns)
    parts = []
    for number, column in enumerate(columns):
        x = round(LEFT + 6 + step * number)
        parts.append(f'<circle cx="{x}" cy="34" r="4.5" fill="{COLOURS[number]}"/>')
        parts.append(f'<text x="{x + 9}" y="38">{escape(column.heading)}</text>')
    return parts


def axis(scale: Scale, unit: str, height: int) -> list[str]:
    """A line for each power."""
    parts = []
    for power in range(scale.first, scale.last + 1):
        x = scale.x(scale.base**power)
        parts.append(f'<path d="M{x} {TOP - 6}V{height - 26}" stroke="{GRID}"/>')
        parts.append(f'<text x="{x}" y="{height - 10}" text-anchor="middle">{shown(scale.base**power, unit)}</text>')
    return parts


def row(results: Results, store: str, figures: Sequence[Figure | None], scale: Scale, y: int) -> list[str]:
    """A store: its name, a dot for each median, a line from the least to the most of all rounds."""
    about = results.content["stores"][store]
    look = f'fill="{OURS}" font-weight="bold"' if about["ours"] else ""
    parts = [f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end" {look}>{escape(about["title"])}</text>']
    for number, figure in enumerate(figures):
        if figure is None or figure.median <= 0:
            continue
        colour = COLOURS[number]
        least = max(scale.x(figure.least), LEFT) if figure.least > 0 else LEFT
        most = min(scale.x(figure.most), WIDTH - RIGHT)
        if most > least:
            parts.append(f'<path d="M{least} {y}H{most}" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<circle cx="{scale.x(figure.median)}" cy="{y}" r="4.5" fill="{colour}"/>')
    return parts
