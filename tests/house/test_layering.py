# SPDX-License-Identifier: Apache-2.0
"""Only downward: reads every #include and every Python import and fails on an edge up or sideways."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.layers import import_faults, include_faults
from house.tree import expect_none, sources, text


def test_every_include_goes_downward() -> None:
    expect_none([fault for path in sources(".h", ".cc") for fault in include_faults(path, text(path))])


def test_programs_import_only_what_is_public() -> None:
    expect_none([fault for path in sources(".py") for fault in import_faults(path, text(path))])


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/structures/table.cc", '#include "store/writer.h"'),
        ("src/structures/table.cc", '#include "structures/log.h"'),
        ("src/store/writer.cc", "#include <sys/mman.h>"),
        ("src/base/hash.h", '#include "layout.h"'),
        ("src/dict.cc", "#include <Python.h>"),
        ("python/ext/module.cc", '#include "layout.h"'),
        ("bench/cpp/get_put.cc", '#include "store/reader.h"'),
        ("include/ultradict/dict.h", '#include "base/fault.h"'),
    ],
)
def test_an_include_upward_or_sideways_is_found(path: str, line: str) -> None:
    assert len(include_faults(Path(path), f"// a comment\n{line}\n")) == 1


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/structures/table.cc", '#include "structures/table.h"'),
        ("src/store/writer.cc", '#include "structures/log.h"'),
        ("src/os/futex.cc", "#include <linux/futex.h>"),
        ("python/ext/module.cc", '#include "ultradict/dict.h"'),
    ],
)
def test_an_include_downward_passes(path: str, line: str) -> None:
    assert include_faults(Path(path), line) == []


def test_an_import_of_a_private_module_is_found() -> None:
    assert len(import_faults(Path("bench/run.py"), "from UltraDict._core import Dict\nimport UltraDict._core\n")) == 2
    assert import_faults(Path("bench/run.py"), "from UltraDict import UltraDict, Exceptions\n") == []
