# SPDX-License-Identifier: Apache-2.0
"""Limits of the process: an exception that names the limit, nothing lost, and all is well when it is lifted."""

from __future__ import annotations

import pytest

from programs import run

PROGRAM = """
import resource
import numpy as np
from UltraDict import UltraDict
MEBI = 1 << 20
d = UltraDict({number: number for number in range(1000)})
d["bytes"], d["array"] = b"x" * (100 * MEBI), np.zeros(100 * MEBI, dtype="u1")
def refused(use, *words):
    try: use()
    except MemoryError as error:
        assert all(word in str(error) for word in words), error
        return
    raise SystemExit("nothing was raised")
def insert():
    for number in range(200_000): d["more", number] = "v" * 500
def intact():
    assert all(d[number] == number for number in range(1000)) and "bytes" in d and "array" in d
"""
ADDRESS_SPACE = """
def limit(size): resource.setrlimit(resource.RLIMIT_AS, (size, -1))
with open("/proc/self/statm") as statm: mapped = int(statm.read().split()[0]) * 4096
limit(mapped + 10 * MEBI)
for key in ("bytes", "array"):
    refused(lambda: d.view(key), "RLIMIT_AS", "max_map_count")
    refused(lambda: d[key])
refused(insert)
refused(lambda: UltraDict(buffer_size=2**31, name="other"))
intact()
del d["bytes"]
limit(-1)
assert d.view("array").nbytes == len(d["array"]) == 100 * MEBI
d["bytes"] = b""
insert()
intact()
d.close(data=False)
say("done")
"""
FILE_SIZE = """
import signal
resource.setrlimit(resource.RLIMIT_FSIZE, (MEBI, -1))
refused(lambda: d.__setitem__("large", b"x" * (2 * MEBI)))
refused(lambda: d.update(large=b"x" * (2 * MEBI), other=1))
assert "large" not in d and "other" not in d
intact()
d["small"] = b"x" * 100_000
assert d.view("small") == b"x" * 100_000 and d.view("bytes")[-1] == 120
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
d["large"] = b"x" * (2 * MEBI)
intact()
d.close(data=False)
say("done")
"""
MAPPINGS = """
import mmap
with open("/proc/sys/vm/max_map_count") as most: count = int(most.read())
held = []
try:
    while len(held) < count:  # alternating protections: no two become one
        held.append(mmap.mmap(-1, 4096, prot=mmap.PROT_READ if len(held) % 2 else mmap.PROT_READ | mmap.PROT_WRITE))
except OSError:
    pass
refused(lambda: d.view("bytes"), "max_map_count")
assert d[5] == 5
held.clear()
assert d.view("bytes")[0] == 120
intact()
d.close(data=False)
say("done")
"""


@pytest.mark.parametrize("limit", ["ADDRESS_SPACE", "FILE_SIZE", "MAPPINGS"])
def test_a_limit_of_the_process(limit: str) -> None:
    ended = run(PROGRAM + globals()[limit])
    assert (ended.stdout, ended.stderr) == ("done\n", "")
