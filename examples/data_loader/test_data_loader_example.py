# SPDX-License-Identifier: Apache-2.0
"""Every reader gets every record as it was stored, and keeps little of them to itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_loader import CACHE_BYTES, Records, is_right, key_of, load

from UltraDict import UltraDict

SCRIPT = Path(__file__).with_name("data_loader.py")


def number_in(pattern: str, line: str) -> float:
    """The number of a line that has to look like this."""
    found = re.fullmatch(pattern, line)
    assert found, line
    return float(found[1])


def test_readers_get_all_records_and_keep_little() -> None:
    command = [sys.executable, SCRIPT, "--records", "60000", "--readers", "2"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert finished.stderr == ""
    loaded, read, live, pss, own = finished.stdout.splitlines()
    assert re.fullmatch(r"loaded 60,000 records in [\d.]+ s", loaded)
    assert re.fullmatch(r"2 readers read 120,000 records, all as stored, in [\d.]+ s", read)
    live_mib = number_in(r"live in shared memory: ([\d.]+) MiB \(.*\)", live)
    assert live_mib > 60_000 * 400 / 2**20
    pss_mib = number_in(r"PSS of all processes grew by ([\d.]+) MiB: [\d.]+ x what is live", pss)
    assert pss_mib > live_mib
    growths = [float(text) for text in own.split(" grew by ")[1].removesuffix(" MiB").split(", ")]
    assert len(growths) == 2
    # Of 60,000 decoded records, which take more than 1 KiB each. What fits cache_bytes by its encoded size is larger
    # when it is decoded.
    assert max(growths) < 2.5 * CACHE_BYTES / 2**20


@pytest.fixture
def records() -> Records:
    shared: UltraDict[str, object] = UltraDict()
    load(shared, 500)
    return Records(shared)


def test_a_dataset_ends_where_its_records_end(records: Records) -> None:
    assert len(records) == len(list(records)) == 500
    for number in (-1, 500):
        with pytest.raises(IndexError):
            records[number]
    assert not is_right(records[7], 8)
    records.shared[key_of(7)] = (7, np.zeros(100, np.float32))
    assert not is_right(records[7], 7)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_torch_loads_batches_from_it(records: Records, method: str) -> None:
    data = pytest.importorskip("torch.utils.data")
    loader = data.DataLoader(records, batch_size=100, shuffle=True, num_workers=2, multiprocessing_context=method)
    batches = list(loader)
    assert [tuple(values.shape) for _, values in batches] == [(100, 100)] * 5
    assert sorted(int(value) for _, values in batches for value in values[:, 0]) == list(range(500))
