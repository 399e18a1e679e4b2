# SPDX-License-Identifier: Apache-2.0
"""Who may include whom. Each layer lists what it may name; anything else is an edge up or sideways."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from house.tree import root

# Folder (longest match wins) -> beginnings of the quoted includes it may have. "." stands for a file of its own folder,
# "=" for the header with its own stem. In src/os everything is made of files and their locks, so these are shared.
shared_by_os = [
    "os/file.h",
    "os/unforked_file.h",
    "os/file_lock.h",
    "os/directory_lock.h",
    "os/fork.h",
    "os/futex.h",
    "os/system.h",
    "os/text.h",
]
may_include = {
    "include/ultradict": ["ultradict/"],
    "src/layout.h": ["base/", "ultradict/options.h"],
    "src/base": ["base/", "ultradict/bytes.h", "ultradict/status.h"],
    "src/os": ["=", "layout.h", *shared_by_os, "base/", "ultradict/"],
    "src/structures": ["=", "layout.h", "base/", "ultradict/"],
    "src/codec": ["codec/", "base/", "ultradict/"],
    "src/store": ["store/", "structures/", "os/", "layout.h", "base/", "ultradict/"],
    "src": ["dict_handle.h", "store/", "base/", "ultradict/"],
    "python/ext": [".", "ultradict/"],
    "bench": [".", "ultradict/"],
    "examples": [".", "ultradict/"],
}
kernel_header = re.compile(r"(sys|linux)/|(fcntl|unistd|sched|poll|signal|dirent|pthread)\.h$")
may_use_kernel = ("src/os", "tests", "bench", "examples")
include_line = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def _layer(path: Path) -> str | None:
    folders = [name for name in may_include if path.as_posix() == name or path.as_posix().startswith(name + "/")]
    return max(folders, key=len, default=None)


def _quoted_allowed(path: Path, layer: str, name: str) -> bool:
    for rule in may_include[layer]:
        if rule == "." and (root / path.parent / name).is_file():
            return True
        if rule == "=" and Path(name).stem == path.stem and name.startswith(path.parent.name + "/"):
            return True
        if rule not in (".", "=") and name.startswith(rule):
            return True
    return False


def include_faults(path: Path, text: str) -> list[str]:
    """The includes of a C++ file that its layer does not allow."""
    layer = _layer(path)
    faults = []
    for quoted, angled in include_line.findall(text):
        if quoted and layer and not _quoted_allowed(path, layer, quoted):
            faults.append(f'{path} may not include "{quoted}"')
        if kernel_header.match(angled) and not path.as_posix().startswith(may_use_kernel):
            faults.append(f"{path} may not include <{angled}>: only src/os touches the kernel")
        if "Python.h" in (quoted, angled) and layer != "python/ext":
            faults.append(f"{path} may not include Python.h: only the extension knows Python")
    return faults


def import_faults(path: Path, text: str) -> list[str]:
    """The imports of a Python file outside the package that reach behind its public face."""
    if path.as_posix().startswith(("python/", "tests/")):
        return []
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    private = (name for name in names if name.startswith("UltraDict.") and "._" in name)
    return [f"{path} may not import {name}: it is private" for name in sorted(private)]
