# SPDX-License-Identifier: Apache-2.0
"""A recovery from a dead holder is said once, by the process that did it, and never while it holds the lock."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from UltraDict import UltraDict

dying_program = """
import os, signal, sys
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
d.lock.acquire()
os.kill(os.getpid(), signal.SIGKILL)
"""


def die_holding_the_lock(name: str) -> int:
    """The pid of a process that was killed with the lock in its hands."""
    with subprocess.Popen([sys.executable, "-c", dying_program, name]) as dying:
        dying.wait()
    return dying.pid


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(a=1) as shared:
        yield shared


def warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What was logged under our name."""
    return [record for record in caplog.records if record.name == "UltraDict"]


uses: dict[str, Callable[[UltraDict[Any, Any]], object]] = {
    "write": lambda d: d.__setitem__("a", 2),
    "insert": lambda d: d.__setitem__("b", 2),
    "delete": lambda d: d.__delitem__("a"),
    "update": lambda d: d.update(b=2),
    "setdefault": lambda d: d.setdefault("b", 2),
    "pop": lambda d: d.pop("a"),
    "popitem": lambda d: d.popitem(),
    "clear": lambda d: d.clear(),
    "dump": lambda d: d.dump(),
    "steal": lambda d: d.lock.steal_from_dead(release=True),
    "reset": lambda d: d.lock.reset(),
    "lock": lambda d: d.lock.acquire() and d.lock.release(),
}


@pytest.mark.parametrize("use", uses)
def test_is_said_once_with_name_and_pid(d: UltraDict[Any, Any], use: str, caplog: pytest.LogCaptureFixture) -> None:
    pid = die_holding_the_lock(d.name)
    with UltraDict(name=d.name) as other:
        uses[use](d)
        other["c"] = 3
        with d.lock, other.lock:
            d["c"] = 4
    (record,) = warnings(caplog)
    assert record.levelno == logging.WARNING
    assert d.name in record.getMessage()
    assert str(pid) in record.getMessage()
    assert d.stats()["recoveries"] == 1


def test_is_said_when_the_lock_was_given_back(d: UltraDict[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    die_holding_the_lock(d.name)
    with d.lock:
        with d.lock(timeout=1):
            d["b"] = 2
        d["c"] = 3
        assert warnings(caplog) == []
    assert len(warnings(caplog)) == 1


def test_each_recovery_is_said(d: UltraDict[Any, Any], caplog: pytest.LogCaptureFixture) -> None:
    pids = [die_holding_the_lock(d.name), 0]
    d["b"] = 2
    pids[1] = die_holding_the_lock(d.name)
    d["b"] = 3
    assert [str(pid) in record.getMessage() for pid, record in zip(pids, warnings(caplog))] == [True, True]


class WritingElsewhere(logging.Handler):
    """Writes to the dict in another thread and waits for it."""

    def __init__(self, d: UltraDict[Any, Any]) -> None:
        super().__init__()
        self.d = d

    def emit(self, record: logging.LogRecord) -> None:
        thread = threading.Thread(target=self.d.__setitem__, args=("logged", record.getMessage()))
        thread.start()
        thread.join()


def test_a_handler_may_use_the_dict(d: UltraDict[Any, Any]) -> None:
    handler = WritingElsewhere(d)
    logger = logging.getLogger("UltraDict")
    logger.addHandler(handler)
    try:
        for use in (uses["write"], uses["update"], uses["lock"], uses["reset"]):
            pid = die_holding_the_lock(d.name)
            use(d)
            assert str(pid) in d.pop("logged")
    finally:
        logger.removeHandler(handler)


def test_what_a_handler_raises_does_not_reach_the_caller(
    d: UltraDict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Raising(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            raise ZeroDivisionError

    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    logger = logging.getLogger("UltraDict")
    raising = Raising()
    logger.addFilter(raising)
    try:
        die_holding_the_lock(d.name)
        d["a"] = 2
        with pytest.raises(KeyError):
            d.pop("missing")
    finally:
        logger.removeFilter(raising)
    assert d["a"] == 2
    assert [found.exc_type for found in unraisable] == [ZeroDivisionError]


def test_a_child_does_not_repeat_what_its_parent_has_to_say(d: UltraDict[Any, Any]) -> None:
    die_holding_the_lock(d.name)
    told: list[str] = []
    logger = logging.getLogger("UltraDict")
    logger.addFilter(tell := lambda record: bool(told.append(record.getMessage())))
    try:
        with d.lock:
            child = os.fork()
            if child == 0:
                with UltraDict(name=d.name) as own:
                    own.get("a")
                    own.apply_update()
                os._exit(len(told))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        logger.removeFilter(tell)
    assert len(told) == 1


def test_logging_is_imported_when_there_is_something_to_say(d: UltraDict[Any, Any]) -> None:
    program = (
        "import sys; from UltraDict import UltraDict\n"
        f"d = UltraDict(name={d.name!r}); d['x'] = 1\n"
        "assert 'logging' not in sys.modules\n"
        "sys.stdin.readline(); d['x'] = 2\n"
        "assert 'logging' in sys.modules\n"
    )
    paths = f"import sys; sys.path[:] = {sys.path!r}\n"
    command = [sys.executable, "-S", "-c", paths + program + "print('done')"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while "x" not in d and process.poll() is None:
            pass
        pid = die_holding_the_lock(d.name)
        out, err = process.communicate("go\n")
    assert out == "done\n", err
    assert f"process {pid} died" in err
