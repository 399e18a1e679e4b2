# SPDX-License-Identifier: Apache-2.0
"""Where a run was made: without it no figure means anything to another person."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def machine() -> dict[str, str]:
    """The machine and the versions of everything that takes part."""
    return {
        "machine": f"{processor()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()} ({platform.python_compiler()})",
        "compiler": first_line("c++", "--version"),
        "commit": commit(),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def processor() -> str:
    """The model as the kernel names it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown processor"


def memory_gib() -> float:
    """Main memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def commit() -> str:
    """The commit of this tree, marked if the tree differs from it."""
    git = ("git", "-C", str(REPOSITORY))
    name = first_line(*git, "rev-parse", "--short", "HEAD")
    return f"{name} and uncommitted changes" if first_line(*git, "status", "--porcelain", otherwise="") else name


def first_line(*command: str, otherwise: str = "unknown") -> str:
    """What a program answers, as far as it fits here; `otherwise` if it fails or says nothing."""
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return otherwise
    return next(iter(answer.splitlines()), otherwise)
