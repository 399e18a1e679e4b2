# SPDX-License-Identifier: Apache-2.0
"""The end of a creator, in every way in which a process can end, and what others then find under the name.

After a normal end the name is gone at once. After a kill the dict stays for those who are attached, and those who come
to them; when they have left, or if there were none, nobody finds it again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from programs import Program, run
from UltraDict import UltraDict
from UltraDict.Exceptions import AlreadyExists, CannotAttachSharedMemory

NORMAL_ENDS = {
    "at its last line": "",
    "by sys.exit": "sys.exit(0)",
    "by an exception": "1 / 0",
    "by Ctrl-C": "os.kill(os.getpid(), signal.SIGINT); signal.pause()",
    "by close": "d.close(); os._exit(0)",
    "by del": "del d; os._exit(0)",
    "by unlink": "d.unlink(); os._exit(0)",
    "at the end of with": "with d: pass\nos._exit(0)",
}
KILLS = {
    "os._exit": "os._exit(0)",
    "SIGTERM": "os.kill(os.getpid(), signal.SIGTERM); signal.pause()",
    "SIGKILL": "os.kill(os.getpid(), signal.SIGKILL); signal.pause()",
    "abort": "os.abort()",
    "exec": "os.execv(sys.executable, [sys.executable, '-c', ''])",
}
CREATE = "from UltraDict import UltraDict; d = UltraDict(name=sys.argv[1], run='dead'); d['big'] = b'x' * 100_000\n"
METHODS = ["fork", "spawn", "forkserver"]


def exists(name: str) -> bool:
    try:
        UltraDict(name=name, create=False).close()
    except CannotAttachSharedMemory:
        return False
    return True


def files_of(directory: Path) -> set[str]:
    return {path.name for part in ("n", "d") for path in (directory / part).glob("*")}


@pytest.mark.parametrize("end", NORMAL_ENDS)
def test_after_a_normal_end_neither_name_nor_file_is_left(end: str, shared_directory: Path) -> None:
    run(CREATE + NORMAL_ENDS[end], "normal")
    assert files_of(shared_directory) == set()


@pytest.mark.parametrize("end", NORMAL_ENDS)
def test_after_a_normal_end_others_go_on_without_a_name(end: str) -> None:
    with Program(CREATE + "say('made'); wait()\n" + NORMAL_ENDS[end], "normal") as creator:
        assert creator.said() == "made"
        with UltraDict(name="normal", create=False) as d:
            creator.go_on()
            creator.end()
            assert not exists("normal")
            d["more"] = b"y" * 1_000_000
            assert (d["run"], d["more"], len(d["big"])) == ("dead", b"y" * 1_000_000, 100_000)
            with UltraDict(name="normal", create=True) as successor:
                assert successor == {}


@pytest.mark.parametrize("end", KILLS)
def test_nobody_finds_what_a_killed_creator_left(end: str, shared_directory: Path) -> None:
    for create in (False, None, True):
        run(CREATE + KILLS[end], "killed")
        assert files_of(shared_directory) >= {"killed"}
        if create is False:
            assert not exists("killed")
        else:
            with UltraDict(name="killed", create=create) as d:
                assert d == {}
    assert files_of(shared_directory) == set()


@pytest.mark.parametrize("end", KILLS)
def test_who_asks_while_others_are_attached_joins_them(end: str, shared_directory: Path) -> None:
    with Program(CREATE + "say('made'); wait()\n" + KILLS[end], "killed") as creator:
        assert creator.said() == "made"
        attached = UltraDict(name="killed", create=False)
        creator.go_on()
        creator.end()
        joining = "d = UltraDict(name='killed'); d['joined'] = d['run']"
        assert run("from UltraDict import UltraDict\n" + joining).stderr == ""
        assert attached["joined"] == "dead"
        with pytest.raises(AlreadyExists):
            UltraDict(name="killed", create=True)
        attached.close()
    assert files_of(shared_directory) == set()


def test_the_last_of_several_to_leave_removes_it(shared_directory: Path) -> None:
    with Program(CREATE + "say('made'); wait()\n", "killed") as creator:
        creator.said()
        attach = "from UltraDict import UltraDict; d = UltraDict(name='killed', create=False); say('in'); wait()"
        with Program(attach) as first, Program(attach) as second:
            assert first.said() == second.said() == "in"
            creator.end(signal.SIGKILL)
            first.go_on()
            assert first.end() == (0, "")
            assert exists("killed"), "the second one is attached, and a killed creator's dict is there for all who ask"
            second.go_on()
            assert second.end() == (0, "")
    assert files_of(shared_directory) == set()


def test_it_goes_with_the_last_handle_of_its_creator() -> None:
    first = UltraDict(name="handles", a=1)
    second = UltraDict(name="handles")
    first.close()
    assert exists("handles")
    assert run("from UltraDict import UltraDict; UltraDict(name='handles')['b'] = 2").stderr == ""
    assert second == {"a": 1, "b": 2}
    del second
    assert not exists("handles")


def test_only_the_creators_auto_unlink_counts(shared_directory: Path) -> None:
    for_its_creator = "from UltraDict import UltraDict; d = UltraDict(name='flag', auto_unlink=True)\n"
    with UltraDict(name="flag", auto_unlink=True, a=1) as d:
        for end in ("", "os._exit(0)", "d.close()"):
            assert run(for_its_creator + end).stderr == ""
            assert UltraDict(name="flag", create=False) == d
    assert files_of(shared_directory) == set()
    with UltraDict(name="flag", auto_unlink=False, a=1):
        pass
    for end in ("", "os._exit(0)", "d.close()"):
        assert run(for_its_creator + end).stderr == ""
        assert exists("flag")
    assert UltraDict.unlink_by_name("flag")


@pytest.mark.parametrize("end", {**NORMAL_ENDS, **KILLS})
def test_without_auto_unlink_it_is_there_for_the_next_run(end: str, shared_directory: Path) -> None:
    program = "from UltraDict import UltraDict; d = UltraDict(name='kept', auto_unlink=False, a=1)\n"
    run(program + {**NORMAL_ENDS, **KILLS}[end])
    if end != "by unlink":
        with UltraDict(name="kept", create=False) as d:
            assert d == {"a": 1}
        assert UltraDict.unlink_by_name("kept")
    assert files_of(shared_directory) == set()


# --- creators that are children ---


def create(name: str, end: str) -> None:
    kept.append(UltraDict(name=name, run="dead"))
    if end == "exception":
        raise SystemExit(3)
    if end == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


kept: list[UltraDict[Any, Any]] = []


@pytest.mark.parametrize("end", ["return", "exception", "kill"])
@pytest.mark.parametrize("method", METHODS)
def test_a_child_is_a_creator_like_any_other(method: str, end: str, shared_directory: Path) -> None:
    child = multiprocessing.get_context(method).Process(target=create, args=("childs", end))
    child.start()
    child.join()
    assert child.exitcode == {"return": 0, "exception": 3, "kill": -signal.SIGKILL}[end]
    if end != "kill":
        assert files_of(shared_directory) == set()
    assert not exists("childs")
    assert files_of(shared_directory) == set()


def wait_for_writer(d: UltraDict[Any, Any], said: Any, fifo: str) -> None:
    said.send(d["run"])
    with open(fifo):
        pass


@pytest.mark.parametrize("method", METHODS)
def test_children_keep_a_killed_parents_dict_until_the_last_of_them_ends(
    method: str, shared_directory: Path, tmp_path: Path
) -> None:
    fifo = tmp_path / "parent is gone"
    os.mkfifo(fifo)
    program = f"""
sys.path[:] = {sys.path!r}
from test_creator_ends import *
d = UltraDict(name="parents", run="dead")
context = multiprocessing.get_context({method!r})
ends = [context.Pipe() for _ in range(2)]
for mine, theirs in ends:
    context.Process(target=wait_for_writer, args=(d, theirs, {str(fifo)!r})).start()
    mine.recv()
say("ready")
wait()
os.kill(os.getpid(), signal.SIGKILL)
"""
    with Program(program) as parent:
        assert parent.said() == "ready"
        parent.go_on()
        assert parent.process.wait() == -signal.SIGKILL
        assert exists("parents")
        with open(fifo, "w"):
            # The children have its pipes: they are closed when the last of them has ended.
            assert parent.end()[1] == ""
    assert files_of(shared_directory) == set()


# --- left-overs that nobody asks for ---


def test_unnamed_left_overs_go_when_a_process_opens_its_first_dict(shared_directory: Path) -> None:
    run("from UltraDict import UltraDict; all = [UltraDict(number=n) for n in range(30)]; os._exit(0)")
    assert len(files_of(shared_directory)) == 60
    run("from UltraDict import UltraDict; UltraDict(name='any').close()")
    assert files_of(shared_directory) == set()


def test_attaching_is_opening_too(shared_directory: Path) -> None:
    with UltraDict(name="anchor") as anchor:
        run("from UltraDict import UltraDict; all = [UltraDict(number=n) for n in range(10)]; os._exit(0)")
        assert len(files_of(shared_directory)) == 22
        run("from UltraDict import UltraDict; UltraDict(name='anchor', create=False)")
        assert len(files_of(shared_directory)) == 2
        assert anchor == {}


def test_a_sweep_leaves_alone_whatever_somebody_may_want(shared_directory: Path) -> None:
    kept_names = [f"kept {number}" for number in range(5)]
    for name in kept_names:
        UltraDict(name=name, auto_unlink=False, me=name).close()
    creating = (
        "from UltraDict import UltraDict; all = [UltraDict(name=f'live {n}', n=n) for n in range(5)]; say('made')\n"
    )
    with Program(creating + "wait()") as creator:
        creator.said()
        unlinked = UltraDict(name="live 0", create=False)
        UltraDict.unlink_by_name("live 0")
        for _ in range(3):
            run("from UltraDict import UltraDict; UltraDict(name='any').close()")
        assert unlinked["n"] == 0
        assert all(exists(f"live {number}") for number in range(1, 5))
        unlinked.close()
        creator.go_on()
        assert creator.end() == (0, "")
    for name in kept_names:
        with UltraDict(name=name, create=False) as d:
            assert d == {"me": name}
        UltraDict.unlink_by_name(name)
    assert files_of(shared_directory) == set()
