# SPDX-License-Identifier: Apache-2.0
"""What becomes of files: their modes, names of every kind, a dict that is removed or replaced while it is used, and a
process that gave up its privileges."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import users
from repeating import end_of, runs, start
from users import ALICE, as_user, sticky_directory

from programs import Program, run
from UltraDict import UltraDict
from UltraDict.Exceptions import CannotAttachSharedMemory, InvalidParameter

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")


@pytest.fixture
def shared() -> Iterator[Path]:
    yield from sticky_directory()


# ---- F4 ----

modes_program = """
os.umask(UMASK)
d = UltraDict.open("x", mode=ASKED, max_bytes=2**23)
d["blob"] = b"x" * 100_000
for n in range(5000): d[n] = "y" * 200
top = Path(os.environ["ULTRADICT_DIR"])
assert {oct(stat.S_IMODE(p.lstat().st_mode)) for p in (top, top / "d", top / "n", *(top / "d").iterdir())} == {"0o700"}
modes = {p.name: oct(stat.S_IMODE(p.stat().st_mode)) for p in next((top / "d").iterdir()).iterdir()}
assert set(modes.values()) == {oct(ASKED)}, modes
assert len({name.split("-")[0] for name in modes}) >= 5, modes
assert oct(stat.S_IMODE((top / "token").stat().st_mode)) == "0o600"
with UltraDict(name="y") as e: e["large"] = b"x" * 100_000
say(len(d))
"""


@needs_root
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_f4_the_mode_is_what_was_asked_whatever_the_umask(umask: int, mode: int, shared: Path) -> None:
    program = modes_program.replace("UMASK", oct(umask)).replace("ASKED", oct(mode))
    for number in runs(1, 10):
        assert as_user(ALICE, program, shared / str(number)) == "5001"


@needs_root
@pytest.mark.parametrize("mode", [0o600, 0o640])
def test_f4_of_one_that_its_creator_may_not_write_others_say_so(mode: int, shared: Path) -> None:
    as_user(ALICE, "UltraDict(name='x', auto_unlink=False)", shared / "d")
    for control in shared.glob("d/d/*/control"):
        control.chmod(mode & 0o444)
    said = as_user(ALICE, "say(tried(lambda: UltraDict(name='x')))", shared / "d")
    assert said.startswith("Forbidden")
    assert str(ALICE) in said
    assert as_user(ALICE, "say(UltraDict.unlink_by_name('x'))", shared / "d") == "True"


# ---- F5, F6 ----

user_program = """
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
say("attached")
while True:
    wait()
    d["seen"] = d["a"]
    say(d["a"], len(d), d.lock.acquire(), d.lock.release())
"""


@pytest.mark.parametrize("remove", ["unlink", "unlink_by_name", "close", "rm"])
def test_f5_removed_while_in_use_and_made_anew(remove: str, shared_directory: Path) -> None:
    """Who has the old one keeps it, to its end; who asks for the name gets the new one; neither sees the other's."""
    for number in runs(1, 10):
        old = UltraDict({"a": "old"}, name="again")
        with Program(user_program, "again") as user:
            assert user.said() == "attached"
            pickled = old.__reduce__()
            if remove == "unlink":
                old.unlink()
            elif remove == "unlink_by_name":
                assert UltraDict.unlink_by_name("again")
            elif remove == "close":
                old.close()
            else:
                identity = os.readlink(shared_directory / "n" / "again")
                (shared_directory / "n" / "again").unlink()
                shutil.rmtree(shared_directory / "d" / identity)
            with pytest.raises(CannotAttachSharedMemory):
                UltraDict(name="again", create=False)
            with UltraDict({"a": "new", "b": number}, name="again", create=True) as new:
                user.go_on()
                assert user.said() == "old 2 True True"
                assert new == {"a": "new", "b": number}
                with pytest.raises(CannotAttachSharedMemory, match="another has its name now"):
                    pickled[0](*pickled[1])
                with UltraDict(name="again", create=False) as other:
                    other["a"] = "newer"
                user.go_on()
                assert user.said() == "old 2 True True"
                assert new["a"] == "newer"
                if not old.closed:
                    assert old["a"] == "old"
                    old.close()
                assert UltraDict(name="again", create=False) == new
        run("from UltraDict import UltraDict; UltraDict()")


def test_f6_replaced_by_another_under_its_users() -> None:
    """Over and over, beside processes that attach by the name: each reads one dict, whole, or none."""
    with UltraDict(keep=1) as results:

        def attach() -> None:
            seen = set()
            while "enough" not in results:
                try:
                    with UltraDict(name="replaced", create=False) as d:
                        with d.lock:
                            number = d["number"]
                            assert [*d.values()] == [number] * 20
                            d["number"] = number
                        seen.add(number)
                        results[os.getpid()] = len(seen)
                except (CannotAttachSharedMemory, KeyError):
                    continue

        users = [start(attach) for _ in range(2)]
        for number in range(100_000):
            if number >= len(runs(100)) and all(results.get(user, 0) >= 5 for user in users):
                break
            with UltraDict(name="replaced", create=True) as d:
                d.update({"number": number, **{str(key): number for key in range(19)}})
                assert UltraDict(name="replaced", create=False)["number"] == number
        results["enough"] = True
        assert [end_of(user) for user in users] == [0, 0]
        assert all(results[user] >= 5 for user in users)


def test_f6_its_directory_is_replaced_by_one_of_another_dict(shared_directory: Path) -> None:
    with UltraDict(a="first", name="one") as one, UltraDict(a="second", name="two") as two:
        names = shared_directory / "n"
        first, second = os.readlink(names / "one"), os.readlink(names / "two")
        (names / "one").unlink()
        os.symlink(second, names / "one")
        said = run(
            "from UltraDict import UltraDict\n"
            "try: say(UltraDict(name='one', create=False)['a'])\n"
            "except UltraDict.Exceptions.UltraDictError as error: say(type(error).__name__, error)\n"
        ).stdout
        assert not said.startswith(("first", "second"))
        (names / "one").unlink(missing_ok=True)
        os.symlink(first, names / "one")
        assert one["a"] == "first"
        assert two["a"] == "second"
        assert run("from UltraDict import UltraDict\nsay(UltraDict(name='one')['a'])").stdout == "first\n"


# ---- F7 ----

IMPOSSIBLE = [
    "",
    "a/b",
    "/a",
    "a/",
    "/",
    "..",
    ".",
    "../x",
    "a\0b",
    "\0",
    "x" * 256,
    "é" * 128,
    "\U0001f986" * 64,
    "\ud800",
]
POSSIBLE = [
    "x" * 255,
    "é" * 127,
    "🦆",
    "🦆" * 63,
    "a b",
    "...",
    "..x",
    "-",
    "--help",
    "a\nb",
    "%s%n",
    "~",
    "*",
    "$(x)",
    "\x7f",
]
POSSIBLE += ["\x7f", "\\", "d", "n", "token", "new-1-1-1", "0" * 32, " ", "\t", "é", "e\u0301"]


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_f7_a_name_that_cannot_be(name: str, shared_directory: Path) -> None:
    before = sorted(shared_directory.rglob("*"))
    uses: list[Any] = [lambda: UltraDict(name=name), lambda: UltraDict(name=name, create=False)]
    uses += [lambda: UltraDict.unlink_by_name(name), lambda: UltraDict.open(name, create=True)]
    for use in uses:
        with pytest.raises((InvalidParameter, CannotAttachSharedMemory, UnicodeEncodeError)):
            use()
    assert sorted(shared_directory.rglob("*")) == before


def test_f7_strange_names_are_names() -> None:
    with UltraDict(names=len(POSSIBLE)) as first:
        dicts = {name: UltraDict({"name": name}, name=name) for name in POSSIBLE}
        program = (
            "from UltraDict import UltraDict\n"
            "for name in eval(sys.argv[1]): say(ascii(UltraDict(name=name, create=False)['name']))"
        )
        assert run(program, ascii(POSSIBLE)).stdout.splitlines() == list(map(ascii, POSSIBLE))
        for name, d in dicts.items():
            assert d.name == name
            assert UltraDict(name=name, create=False) == {"name": name}
            d.close(data=False)
            assert UltraDict.unlink_by_name(name, ignore_errors=True) is False
        assert first["names"] == len(POSSIBLE)


# ---- F8 ----

dropping_program = """
d = UltraDict.open("x", {"a": 1, "large": b"l" * 100_000, **{n: str(n) for n in range(20)}}, MORE)
view, watched = d.view("large"), UltraDict(name="x", create=False)
say("made"); sys.stdin.readline()
become(12345)
def refusal(use):
    said = tried(use)
    return isinstance(said, str) and said.startswith("Forbidden") and "as user 12345" in said
assert d["a"] == 1 and watched[7] == "7" and view[0] == 108 and refusal(lambda: watched["large"]) and len(list(d)) == 22
d["b"] = 2; d["a"] = 3; del d[5]
with d.lock: d["c"] = d["a"] + 1
refused = sum(refusal(lambda: d.__setitem__(("more", n), "x" * 500)) for n in range(1000))
refused += refusal(lambda: d.__setitem__("blob", b"x" * 100_000)) + refusal(lambda: d.update(blob=b"x" * 100_000, q=1))
assert refused >= 2, refused
assert "blob" not in d and "q" not in d and d.lock.get_remote_lock() == 0
assert len(list(d)) == len(d) and d["c"] == 4 and tried(lambda: UltraDict(name="x")).startswith("Forbidden")
say(tried(lambda: UltraDict()).startswith("Forbidden"))
sys.stdin.readline()
waited = tried(lambda: d.__setitem__("waited", 1))
assert "as user 12345" in waited, waited
say("waited"); sys.stdin.readline()
for use in (lambda: d.pop("c"), lambda: d.__setitem__("e", 5), lambda: d["grown"], lambda: len(dict(d))):
    assert not isinstance(said := tried(use), str) or "as user 12345" in said, said
say(d.close(data=False))
"""


@needs_root
@pytest.mark.parametrize("more", ["", "mode=0o666", "max_bytes=2**22"])
def test_f8_privileges_dropped_after_opening(more: str, shared: Path) -> None:
    """What needs no new file goes on; what does is refused with the reason; the dict is sound for its user."""
    place = shared / "root"
    before, os.environ["ULTRADICT_DIR"] = os.environ["ULTRADICT_DIR"], str(place)
    try:
        for _ in runs(1, 10):
            program = users.PREAMBLE + dropping_program.replace("MORE", more)
            with Program(program) as dropped:
                assert dropped.said() == "made"
                d = UltraDict(name="x", create=False)
                assert d["a"] == 1
                dropped.go_on()
                assert dropped.said() == "True"
                assert (d["a"], d["b"], d["c"], 5 in d) == (3, 2, 4, False)
                d["grown"] = b"g" * 200_000
                d.update({("grown", n): "g" * 400 for n in range(2000)})
                with d.lock:  # who waits may not ask whether this process lives: so it says that, and does not hang
                    dropped.go_on()
                    assert dropped.said() == "waited"
                dropped.go_on()
                assert dropped.said() == "None"
                assert dropped.end() == (0, "")
                assert len(dict(d)) == len(d)
                d["after"] = 1
                d.close(unlink=True)
            run("from UltraDict import UltraDict; UltraDict()")
            assert list((place / "n").iterdir()) == list((place / "d").iterdir()) == []
    finally:
        os.environ["ULTRADICT_DIR"] = before
