# SPDX-License-Identifier: Apache-2.0
"""Results as tables in Markdown: stores downwards, figures to the right, and the reasons where there is no figure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

import comparisons

from suite.family import Column, Table
from suite.results import Results
from suite.units import shown

CPP = {
    "ping_pong": "Propagation, one way",
    "get_put_hot": "One process, 1,000 int keys, one operation",
    "get_put": "One process, int keys all over memory, one operation",
}
SAMPLES_MIN = {"p99_ns": 1_000, "p999_ns": 10_000}  # in a round, so that ten of them are longer
FEW = "few"
ABSENT = {"cannot": "-", "wrong": "**wrong**", "failed": "failed"}


def filled(text: str) -> str:
    """A paragraph as wide as those of the other documents."""
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; every column but the first one holds figures."""
    return [
        f"| {' | '.join(heading)} |",
        f"|---|{'---:|' * (len(heading) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def cell(results: Results, workload: str, store: str, column: Column) -> str:
    """A figure with its spread, or why there is none."""
    figure = results.figure(workload, column.variant, store, column.figure)
    reason = results.reason(workload, column.variant, store)
    if figure is None:
        return ABSENT[reason[0]] if reason else ""
    samples = results.figure(workload, column.variant, store, "samples")
    if samples and samples.median < SAMPLES_MIN.get(column.figure.removeprefix("both_"), 0):
        return FEW
    if column.figure.endswith("max_ns"):
        return shown(figure.most, column.unit)
    text = shown(figure.median, column.unit)
    if column.spread and figure.least != figure.most:
        text += f" ({shown(figure.least, column.unit)} … {shown(figure.most, column.unit)})"
    return text


def title(results: Results, store: str) -> str:
    """A store by its name; ours stands out."""
    about = results.content["stores"][store]
    name: str = about["title"]
    return f"**{name}**" if about["ours"] else name


def figures(results: Results, workload: str, table: Table) -> list[str]:
    """A table of a workload; stores that have no part in it are left out, and listed with their reasons elsewhere."""
    rows = []
    for store in results.stores():
        cells = [cell(results, workload, store, column) for column in table.columns]
        if set(cells) - {"", ABSENT["cannot"]}:
            rows.append([title(results, store), *cells])
    return markdown(["", *(column.heading for column in table.columns)], rows)


def settings(results: Results) -> list[str]:
    """Every store with its versions and settings."""
    rows = []
    for store, about in results.content["stores"].items():
        versions = about.get("versions", "") or ("this commit" if about["ours"] else "with Python")
        rows.append([title(results, store), about["settings"], versions])
    return ["| store | settings | versions |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]


def not_installed(results: Results) -> list[str]:
    """What took no part because it could not be installed."""
    stores = results.content["stores"].items()
    missing = [f"- {about['title']}: {about['not_installed']}" for _, about in stores if "not_installed" in about]
    return missing or ["Everything could be installed."]


def cpp(results: Results) -> list[str]:
    """What the C++ programs found; nothing if they were not built."""
    programs = results.content.get("cpp", {})
    parts: list[str] = []
    for name, found in programs.items():
        parts += [f"### {CPP[name]}", ""]
        if "failed" in found:
            parts += ["failed", ""]
            continue
        parts += [*program(found.get("ns", found)), ""]
        for single in (name for name in found if name.startswith("single")):
            parts += [f"A {single}, with the time to read the clock in it:", "", *program(found[single]), ""]
        if "versions" in found:
            versions = (f"{name}: {version}" for name, version in found["versions"].items())
            parts += [filled(f"Compiler {found['compiler']}; {'; '.join(versions)}."), ""]
    return ["## In C++", "", "The engine alone, in processes without Python.", "", *parts] if parts else []


def program(found: dict[str, dict[str, float]]) -> list[str]:
    """The table of one of them: a row for each rival."""
    columns = list(next(iter(found.values())))
    return markdown(
        ["", *columns], ([name, *(shown(times[one], "ns") for one in columns)] for name, times in found.items())
    )


def reasons(results: Results, kind: str, otherwise: str) -> list[str]:
    """Every cell of a kind, those with the same words in one line."""
    together: dict[tuple[str, str], dict[str, list[str]]] = {}
    for workload, variant, store, text in results.with_reasons(kind):
        lines = together.setdefault((store, text), {})
        lines.setdefault(comparisons.module(workload).FAMILY.title, []).append(variant)
    order = results.stores()
    found = []
    for (store, text), where in sorted(together.items(), key=lambda item: order.index(item[0][0])):
        workloads = "; ".join(f"{name}: {listed(variants)}" for name, variants in where.items())
        found.append(f"- {title(results, store)}: {text} ({workloads})")
    return [line.replace("|", "\\|") for line in found] or [otherwise]


def listed(variants: Sequence[str]) -> str:
    return ", ".join(variant.replace("_", " x ") if variant[:1].isdigit() else variant for variant in variants)
