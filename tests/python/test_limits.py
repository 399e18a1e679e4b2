# SPDX-License-Identifier: Apache-2.0
"""Limits of the process: an exception that names the limit, nothing lost, and all is well when it is lifted."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from programs import run
from strategies import stressed

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
def test_d9_a_limit_of_the_process(limit: str) -> None:
    ended = run(PROGRAM + globals()[limit])
    assert (ended.stdout, ended.stderr) == ("done\n", "")


FULL = """
import itertools, subprocess
from UltraDict import UltraDict
full = UltraDict.Exceptions.SharedMemoryFull
kept = {}
def refused(use):
    try: use()
    except full as error: return isinstance(error, MemoryError)
    return False
def fill():
    sizes = itertools.cycle([0, 10, 100, 700, 3000, 12_000, 40_000])
    for number, size in zip(itertools.count(len(kept)), sizes):
        value = bytes([number % 256]) * size
        if not refused(lambda: d.__setitem__(number, value)): kept[number] = value
        elif size == 0: return
def others_take_the_rest():
    with open(sys.argv[1] + "/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 4096): pass
        except OSError: pass
    status = os.statvfs(sys.argv[1])
    assert status.f_bavail == 0, status
try: d = UltraDict(name="full", auto_unlink=False, recurse=True)
except full: say("too small"); sys.exit()
fill()
others_take_the_rest()
assert d == kept and list(d) == list(kept)
large = b"x" * 100_000
assert refused(lambda: d.__setitem__("large", large))
assert refused(lambda: d.update({"a": 1, "large": large}))
assert refused(lambda: d.__setitem__("nested", {"deep": {"large": large}}))
assert refused(lambda: d.setdefault("large", large))
assert d == kept
COLD = '''
import sys
from UltraDict import UltraDict
d = UltraDict(name="full", create=False)
print(hash(tuple(d.items())), flush=True)
sys.stdin.readline()
for number in list(d)[::2]: del d[number]
d["after"] = b"a"
d.close()
'''
other = subprocess.Popen(
    [sys.executable, "-c", COLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    env=dict(os.environ, PYTHONHASHSEED="0"))
assert int(other.stdout.readline()) == hash(tuple(kept.items()))
other.communicate("\\n")
assert other.returncode == 0
for number in list(kept)[::2]: del kept[number]
kept["after"] = b"a"
assert d == kept
d["after"] = b"b"
os.unlink(sys.argv[1] + "/filler")
d["nested"] = {"deep": {"small": 1}}
assert d["nested"].to_dict() == {"deep": {"small": 1}}
d.clear()
kept.clear()
assert not d
fill()
assert d == kept and len(d) > 2
d.unlink()
d.close(data=False)
say("lived")
"""


@contextmanager
def memory_of(size: int, place: Path) -> Iterator[None]:
    """A file system of that size."""
    options = f"size={size},mode=0700"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting is not permitted")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("pages", [1, 5, 9, 16, 20, 28, 40, 100, 256, 1000, *(range(2, 128, 3) if stressed else [])])
def test_d1_full_memory_of_every_size_is_an_exception(
    pages: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with memory_of(pages * 4096, tmp_path):
        monkeypatch.setenv("ULTRADICT_DIR", str(tmp_path))
        monkeypatch.setenv("PYTHONHASHSEED", "0")
        ended = run(FULL, str(tmp_path))
        assert ended.returncode == 0, (ended.returncode, ended.stderr)
        assert ended.stdout == ("lived\n" if pages >= 12 else "too small\n") or pages in range(8, 12)


HALF_AND_AGAIN = """
from UltraDict import UltraDict
full = UltraDict.Exceptions.SharedMemoryFull
d = UltraDict(kept=b"k" * 1000)
sizes = {}
try:
    for number in range(100_000):
        d[number] = b"x" * SIZE
        sizes[number] = SIZE
except full as error:
    assert isinstance(error, MemoryError)
assert 0 < len(sizes) < 100_000
assert {key: len(value) for key, value in d.items() if key != "kept"} == sizes
assert d["kept"] == b"k" * 1000
try:
    d.update({("many", number): b"x" * 100_000 for number in range(100)})
except full:
    pass
else:
    raise AssertionError("nothing can hold this")
assert len(d) == len(sizes) + 1
for number in list(sizes)[::2]:
    del d[number]
for number in list(sizes)[:len(sizes) // 4]:
    d["again", number] = b"y" * SIZE
assert d["kept"] == b"k" * 1000
d.clear()
d["end"] = b"z" * SIZE
assert d == {"end": b"z" * SIZE}
say("done")
"""


@pytest.mark.parametrize("size", [10, 1000, 20_000, 100_000])
def test_d1_half_of_a_full_dict_goes_and_half_of_that_comes_again(size: int, tmp_path: Path) -> None:
    with memory_of(2 << 20, tmp_path):
        ended = run(HALF_AND_AGAIN.replace("SIZE", str(size)), ULTRADICT_DIR=str(tmp_path))
    assert (ended.stdout, ended.stderr) == ("done\n", "")


def test_d1_no_memory_for_even_one_dict(tmp_path: Path) -> None:
    with memory_of(2 << 20, tmp_path):
        (tmp_path / "filler").write_bytes(bytes((2 << 20) - 4096 * 4))
        ended = run(
            "from UltraDict import UltraDict\n"
            "try: UltraDict(name='x')\n"
            "except MemoryError as error: say(type(error).__name__)",
            ULTRADICT_DIR=str(tmp_path),
        )
    assert (ended.stdout, ended.stderr) == ("SharedMemoryFull\n", "")
