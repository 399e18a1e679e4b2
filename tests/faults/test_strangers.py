# SPDX-License-Identifier: Apache-2.0
"""Two users in one sticky directory, as in /dev/shm: what one of them plants there, or in the other's name, is never
used, followed, changed or waited for; the other is told whose it is."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from repeating import runs
from users import ALICE, MALLORY, as_user, sticky_directory, sysctl

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become two other users")

USE = """
def use():
    with UltraDict(name="x", a=1) as d:
        d["large"] = b"x" * 100_000
        d.update({n: "y" * 300 for n in range(1000)})
        return f"used {len(d)}"
say(tried(use))
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    yield from sticky_directory()


def facts_of(path: Path) -> tuple[int, ...]:
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns


@pytest.fixture
def victim(shared: Path) -> Iterator[Path]:
    """A directory of Alice's with a file; whatever happens, both must be as before afterwards."""
    directory = shared / "victim"
    as_user(
        ALICE, f"os.mkdir({str(directory)!r}, 0o755); Path({str(directory)!r}, 'file').write_text('precious')", None
    )
    before = facts_of(directory), facts_of(directory / "file")
    yield directory
    assert [path.name for path in directory.iterdir()] == ["file"]
    assert (directory / "file").read_text() == "precious"
    assert (facts_of(directory), facts_of(directory / "file")) == before


def plant(kind: str, path: Path, victim: Path) -> str:
    """The program that plants something."""
    at, directory, file = f"{str(path)!r}", f"{str(victim)!r}", f"{str(victim / 'file')!r}"
    return {
        "directory": f"os.mkdir({at})",
        "open directory": f"os.mkdir({at}); os.chmod({at}, 0o1777)",
        "whole directory": f"os.environ['ULTRADICT_DIR'] = {at}; UltraDict({{'a': 'planted'}}, name='x', "
        f"auto_unlink=False); [os.chmod(p, 0o777) for p in [{at}, *Path({at}).rglob('*')] if not os.path.islink(p)]",
        "file": f"Path({at}).write_bytes(b'planted' * 1000); os.chmod({at}, 0o666)",
        "link to a directory": f"os.symlink({directory}, {at})",
        "link to a file": f"os.symlink({file}, {at})",
        "link to nothing": f"os.symlink({at} + '-not-there', {at})",
        "link to itself": f"os.symlink({at}, {at})",
        "hard link": f"os.link({file}, {at})",
        "fifo": f"os.mkfifo({at}); os.chmod({at}, 0o666)",
    }[kind]


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# ---- F1 ----

SQUATS = ["directory", "open directory", "whole directory", "file", "fifo"]
SQUATS += ["link to a directory", "link to a file", "link to nothing", "link to itself"]


@pytest.mark.parametrize("ending", ["", "/"], ids=["", "with a slash"])
@pytest.mark.parametrize("squat", SQUATS)
def test_f1_a_directory_that_another_user_made_first(shared: Path, victim: Path, squat: str, ending: str) -> None:
    place = shared / "dicts"
    for _ in runs(1, 10):
        as_user(MALLORY, plant(squat, place, victim), None)
        before = sorted(map(str, place.rglob("*"))) if place.is_dir() else []
        said = as_user(ALICE, f"os.environ['ULTRADICT_DIR'] = {str(place) + ending!r}\n{USE}", None)
        assert said.startswith("Forbidden"), said
        assert str(MALLORY) in said
        assert str(ALICE) in said
        assert "ULTRADICT_DIR" in said
        assert (sorted(map(str, place.rglob("*"))) if place.is_dir() else []) == before
        assert not (shared / "dicts-not-there").exists()
        remove(place)
    assert as_user(ALICE, USE, place) == "used 1002"


@pytest.mark.parametrize("squat", ["directory", "whole directory", "link to a directory", "file", "fifo"])
def test_f1_the_place_that_a_user_has_by_default(shared: Path, victim: Path, squat: str) -> None:
    place = Path(f"/dev/shm/ultradict-{ALICE}")
    if place.exists() or not Path("/dev/shm").is_dir():
        pytest.skip(f"{place} is somebody's")
    try:
        as_user(MALLORY, plant(squat, place, victim), None)
        assert as_user(ALICE, USE, None).startswith("Forbidden")
        remove(place)
        assert as_user(ALICE, USE, None) == "used 1002"
        assert (place.stat().st_uid, stat.S_IMODE(place.stat().st_mode)) == (ALICE, 0o700)
        said = as_user(MALLORY, f"os.environ['ULTRADICT_DIR'] = {str(place)!r}\n{USE}", None)
        assert said.startswith("Forbidden")
    finally:
        remove(place)


def test_f1_a_device_in_the_directorys_place(shared: Path) -> None:
    place = shared / "dicts"
    os.mknod(place, 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    assert as_user(ALICE, USE, place).startswith("Forbidden")


def test_f1_dicts_of_the_same_name_of_two_users_are_two(shared: Path) -> None:
    for user in (ALICE, MALLORY):
        as_user(user, f"UltraDict(name='x', auto_unlink=False)['user'] = {user}", shared / str(user))
    for user in (ALICE, MALLORY):
        assert as_user(user, "say(UltraDict(name='x', create=False)['user'])", shared / str(user)) == str(user)
        as_user(user, "UltraDict.unlink_by_name('x')", shared / str(user))


# ---- F2, E13 ----

INSIDE: dict[str, Callable[[Path], Path]] = {
    "d": lambda place: place / "d",
    "n": lambda place: place / "n",
    "name": lambda place: place / "n" / "x",
    "directory of the dict": lambda place: place / "d" / os.readlink(place / "n" / "x"),
    "control": lambda place: place / "d" / os.readlink(place / "n" / "x") / "control",
    "token": lambda place: place / "token",
    "lock": lambda place: place / "lock",
}
KINDS = ["directory", "file", "link to a directory", "link to a file", "link to nothing", "link to itself"]
KINDS += ["hard link", "fifo", "device"]

# Everything that looks at the place: with what was planted it works or says what is wrong, and it never waits.
EVERYTHING = (
    USE
    + """
say(tried(lambda: UltraDict(name="x", create=False).copy()))
say(tried(lambda: UltraDict(name="x", create=True)["a"]))
say(tried(lambda: len(UltraDict(name="y", a=1))))
say(tried(lambda: UltraDict.unlink_by_name("x", ignore_errors=True)))
say(tried(lambda: len(UltraDict(name="x", a=1))))
"""
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", INSIDE)
def test_f2_e13_something_else_in_the_place_of(part: str, kind: str, shared: Path, victim: Path) -> None:
    """Planted with the user's own hands, or root's: even then nothing outside is touched."""
    place = shared / "dicts"
    as_user(ALICE, "UltraDict({'a': 1, 'l': b'l' * 100_000}, name='x', auto_unlink=False)['b'] = 2", place)
    path = INSIDE[part](place)
    remove(path)
    if kind == "device":
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
        os.chown(path, ALICE, ALICE)
    else:
        as_user(ALICE, plant(kind, path, victim), None)
    said = as_user(ALICE, EVERYTHING, place)
    for line in said.splitlines():
        good = line.startswith(("used", "{", "True", "False", "1", "None"))
        assert good or line.split(":")[0] in KNOWN_ERRORS, line
    as_user(ALICE, f"{EVERYTHING}say(tried(lambda: UltraDict.unlink_by_name('y', True)))", place)
    assert as_user(ALICE, "say(len(UltraDict(a=1)))", shared / "another") == "1"


KNOWN_ERRORS = {"Forbidden", "Damaged", "SystemFailure", "CannotAttachSharedMemory", "AlreadyExists", "KeyError"}


@pytest.mark.parametrize("kind", ["link to a directory", "link to a file", "hard link", "fifo", "file", "directory"])
def test_f2_planted_where_new_files_are_to_be(kind: str, shared: Path, victim: Path) -> None:
    """Every name that the dict's next files could get is taken."""
    place = shared / "dicts"
    program = "d = UltraDict(name='x', auto_unlink=False); d['a'] = b'a' * 40_000; say(d.name)"
    as_user(ALICE, program, place)
    directory = INSIDE["directory of the dict"](place)
    (blob,) = (path.name for path in directory.iterdir() if path.name.startswith("blob-"))
    names = [f"segment-{n}" for n in range(1, 12)] + [f"slots-{n}" for n in range(1, 12)]
    names += [f"entries-{table}-{n}" for table in range(1, 6) for n in range(1, 5)]
    planting = "\n".join(plant(kind, directory / name, victim) for name in names)
    planting += f"\nfor n in range({int(blob.split('-')[1]) + 1}, {int(blob.split('-')[1]) + 6_000}):\n"
    planting += f"    path = {str(directory)!r} + '/blob-' + str(n)\n    "
    planting += plant(kind, Path("@"), victim).replace("'@'", "path") + "\n"
    as_user(ALICE, planting, None)
    program = """
d = UltraDict(name="x", create=False)
for n in range(50): tried(lambda: d.__setitem__(n, "v" * 500))
say(tried(lambda: d.__setitem__("large", b"l" * 50_000)))
say(tried(lambda: d.update({("u", n): "u" * 900 for n in range(900)})))
found = tried(lambda: dict(d))
assert isinstance(found, dict) and found["a"] == b"a" * 40_000, found
assert found.get("large") in (None, b"l" * 50_000) and d.lock.get_remote_lock() == 0
say(tried(d.clear), tried(d.dump), tried(lambda: UltraDict.unlink_by_name("x")))
"""
    as_user(ALICE, program, place)
    as_user(ALICE, "UltraDict()", place)
    as_user(ALICE, USE, place)


def test_f2_a_name_that_leads_out_of_the_place(shared: Path, victim: Path) -> None:
    place = shared / "dicts"
    as_user(ALICE, USE, place)
    kept = place / "token"
    uses = [
        'UltraDict(name="evil", create=False)',
        'UltraDict(name="evil")',
        'UltraDict.unlink_by_name("evil", ignore_errors=True)',
    ]
    for target in ("..", ".", "../../victim", "/dev/null", "x" * 32, "a/b", "0" * 31 + "/", "../.."):
        for use in uses:
            as_user(ALICE, f"os.symlink({target!r}, {str(place / 'n' / 'evil')!r})", None)
            said = as_user(ALICE, f"say(tried(lambda: {use}))", place)
            assert said.startswith(("Damaged", "CannotAttach", "SystemFailure", "True", "False")), said
            assert kept.exists()
            (place / "n" / "evil").unlink(missing_ok=True)
    assert as_user(ALICE, USE, place) == "used 1002"


# ---- F3 ----


@pytest.mark.parametrize("setting", [0, 1, 2])
@pytest.mark.parametrize("kind", ["symlinks", "hardlinks", "fifos", "regular"])
def test_f3_whatever_the_kernel_protects(kind: str, setting: int, shared: Path, victim: Path) -> None:
    if setting == 2 and kind in ("symlinks", "hardlinks"):
        pytest.skip("there are two settings of it")
    place = shared / "dicts"
    try:
        with sysctl(f"fs.protected_{kind}", setting):
            for squat in ("link to a directory", "fifo", "file", "link to nothing"):
                as_user(MALLORY, plant(squat, place, victim), None)
                assert as_user(ALICE, USE, place).startswith("Forbidden")
                remove(place)
            assert as_user(ALICE, USE, place) == "used 1002"
            assert as_user(0, USE, shared / "root") == "used 1002"
            hard = f"say(tried(lambda: os.link({str(place / 'token')!r}, {str(shared / 'stolen')!r})))"
            assert "PermissionError" in as_user(MALLORY, hard, None)
            assert not (shared / "dicts-not-there").exists()
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.ENOENT, errno.EINVAL):
            raise
        pytest.skip(f"fs.protected_{kind} cannot be set here")
