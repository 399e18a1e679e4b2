# SPDX-License-Identifier: Apache-2.0
"""Reading beside a writer that is stopped in the microseconds in which clear() shows."""

from __future__ import annotations

from raw_writer import table_being_replaced

from programs import Program
from UltraDict import UltraDict

stopped = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
d.lock.acquire()
say("holds")
wait()
"""

reading = """
import time
from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAcquireLockTimeout
d = UltraDict(name=sys.argv[1], create=False)
d["known"]
say("attached")
wait()
begin = time.monotonic()
try:
    eval(sys.argv[2])
except CannotAcquireLockTimeout as late:
    say(late.blocking_pid, late.time_passed, round(late.timestamp - begin), round((time.monotonic() - begin) / 5), late)
"""


def test_b6_who_reads_amid_the_clear_of_a_stopped_writer_hears_after_five_seconds_who_it_is() -> None:
    """All at once, each in a process of its own."""
    with UltraDict(known=1, other=2) as d, Program(stopped, d.name) as writer:
        reads = ("d['known']", "d['other']", "d.get('known')", "d.get('absent')", "'other' in d", "list(d)", "d.data")
        readers = [Program(reading, d.name, read) for read in reads]
        assert [reader.said() for reader in readers] == ["attached"] * len(readers)
        assert writer.said() == "holds"
        pid = writer.process.pid
        text = f"cannot acquire the lock of UltraDict '{d.name}' within 5.000000 s: process {pid} holds it"
        with table_being_replaced(d.name):
            for reader in readers:
                reader.go_on()
            heard = [reader.said() for reader in readers]
        assert dict(zip(reads, heard)) == dict.fromkeys(reads, f"{pid} 5.0 0 1 {text}")
        assert [reader.end() for reader in readers] == [(0, "")] * len(readers)
