# SPDX-License-Identifier: Apache-2.0
"""What should not be there: each thing has a clear exception and leaves the dict as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from mmap import mmap
from pathlib import Path
from typing import Any

import pytest

from UltraDict import UltraDict
from UltraDict.Exceptions import (
    AlreadyClosed,
    CannotAttachSharedMemory,
    Damaged,
    Forbidden,
    InvalidParameter,
    OtherFormat,
    UltraDictError,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in an interpreter of its own."""
    command = [sys.executable, "-X", "dev", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict(a=1) as shared:
        yield shared


class Refusing:
    """Cannot be pickled."""

    def __reduce__(self) -> str:
        raise ZeroDivisionError("not this one")


# ---- keys and values ----


@pytest.mark.parametrize(
    "value", [Refusing(), [Refusing()], lambda: 0, {"x": (n for n in ())}, {"deep": [[Refusing()]]}]
)
def test_c9_a_value_that_cannot_be_pickled(d: UltraDict[Any, Any], value: Any) -> None:
    uses: list[Callable[[], Any]] = [
        lambda: d.__setitem__("a", value),
        lambda: d.__setitem__("b", value),
        lambda: d.setdefault("b", value),
        lambda: d.update(a=2, b=value),
        lambda: d.__ior__({"b": value}),
    ]
    for use in uses:
        with pytest.raises(Exception, match=r"not this one|pickle"):
            use()
    assert d == {"a": 1}
    assert not d.lock.has_lock
    assert d.lock.get_remote_pid() == 0


def test_c9_a_key_that_cannot_be_pickled(d: UltraDict[Any, Any]) -> None:
    key = Refusing()
    for use in (lambda: d.__setitem__(key, 1), lambda: d.setdefault(key, 1), lambda: d.update({"b": 1, key: 2})):
        with pytest.raises(ZeroDivisionError, match="not this one"):
            use()
    assert key not in d
    assert d == {"a": 1}
    assert d.lock.get_remote_pid() == 0


def test_an_unhashable_key(d: UltraDict[Any, Any]) -> None:
    uses: list[Callable[[], Any]] = [lambda: d[[]], lambda: d.__setitem__([], 1), lambda: d.get({}), lambda: set() in d]
    uses += [lambda: d.pop([]), lambda: d.__delitem__([]), lambda: d.setdefault(([],), 1), lambda: d.update([([], 1)])]
    for use in uses:
        with pytest.raises(TypeError, match="unhashable"):
            use()
    assert d == {"a": 1}


def test_a_serializer_that_answers_nonsense() -> None:
    class Nonsense:
        def dumps(self, value: object) -> int:
            return 5

        def loads(self, data: object) -> object:
            return data

    with UltraDict(serializer=Nonsense()) as d:
        with pytest.raises(TypeError, match="int"):
            d["a"] = 1
        assert len(d) == 0
    with pytest.raises(TypeError, match=r"dumps|loads"):
        UltraDict(serializer=object())


def test_a_way_to_create_that_there_is_not() -> None:
    for way in (-1, 3, 1 << 30):
        never_opened: Any = UltraDict.__new__(UltraDict)
        given = {"buffer_size": 10_000, "full_dump_size": 0, "auto_unlink": True, "mode": 0o600, "serializer": None}
        given.update(shared_lock=None, recurse=None, cache_bytes=0, allow_pickle=True)
        with pytest.raises(ValueError, match=f"create must be .* not {way}"):
            never_opened._shared_open(name="never", create=way, **given)


# ---- objects at the wrong time ----


def test_an_object_made_by_new_alone() -> None:
    d: Any = UltraDict.__new__(UltraDict)
    uses = [lambda: d["a"], lambda: d.__setitem__("a", 1), lambda: len(d), lambda: list(d), lambda: d.lock, d.copy]
    uses += [lambda: d == {}, lambda: d.name, d.unlink, d.keys, d.stats, lambda: d.update(a=1), lambda: d | {}]
    for use in uses:
        with pytest.raises(AlreadyClosed, match="__init__"):
            use()
    assert d.closed
    assert d.close() is None
    assert "never opened" in repr(d)


def test_init_called_twice(d: UltraDict[Any, Any]) -> None:
    with pytest.raises(RuntimeError, match=d.name):
        d.__init__(name="other")  # type: ignore[misc]
    assert d == {"a": 1}
    with pytest.raises(CannotAttachSharedMemory):
        UltraDict(name="other", create=False)


@pytest.mark.parametrize(
    "arguments",
    [
        "1",
        "{}, {}",
        "[1]",
        "name='a/b'",
        "name=5",
        "buffer_size='x'",
        "buffer_size=2**32",
        "buffer_size=0",
        "full_dump_size=-1",
        "create='yes'",
        "serializer=5",
        "recurse=True, serializer=__import__('json')",
        "recurse_register=5",
        "a=lambda: 0",
        "name='left', auto_unlink=False, a=lambda: 0",
        "create=False",
    ],
)
def test_an_init_that_raises_leaves_nothing(arguments: str) -> None:
    ended = run(
        "from UltraDict import UltraDict\n"
        "try:\n"
        f"    UltraDict({arguments})\n"
        "except Exception as error:\n"
        "    print(type(error).__name__)\n"
    )
    assert ended.stderr == ""
    assert ended.stdout.strip() in {
        "TypeError",
        "InvalidParameter",
        "PicklingError",
        "AttributeError",
        "CannotAttachSharedMemory",
    }


def test_a_failed_attach_leaves_the_dict_alone(d: UltraDict[Any, Any]) -> None:
    with pytest.raises(ZeroDivisionError):
        UltraDict({"a": 2, "b": Refusing()}, name=d.name)
    assert UltraDict(name=d.name, create=False) == {"a": 1}


# ---- names ----


@pytest.mark.parametrize("name", ["", "a/b", "/a", "a\0b", "x" * 300, "é" * 200, ".", "..", "\ud800"])
def test_f7_a_name_that_cannot_be(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        UltraDict(name=name)


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "a b", "...", "-", "🦆", "a\nb", "%s"])
def test_f7_a_strange_name_that_can(name: str) -> None:
    with UltraDict(name=name, a=1):
        assert UltraDict(name=name, create=False)["a"] == 1


# ---- files ----


def control_file(directory: Path, name: str = "damaged") -> Path:
    """The control file of the dict of that name."""
    return directory / "d" / os.readlink(directory / "n" / name) / "control"


@pytest.fixture
def damaged(shared_directory: Path) -> Iterator[Path]:
    """The control file of a dict "damaged" that no process has open; removed afterwards, whatever became of it."""
    UltraDict({"a": 1}, name="damaged", auto_unlink=False).close()
    file = control_file(shared_directory)
    yield file
    (shared_directory / "n" / "damaged").unlink(missing_ok=True)
    for path in file.parent.iterdir():
        path.unlink()
    file.parent.rmdir()


def attach_and_use() -> None:
    with UltraDict(name="damaged", create=False) as d:
        assert d == {"a": 1}
        d["b"] = 2


def test_a_sound_file_passes(damaged: Path) -> None:
    attach_and_use()


@pytest.mark.parametrize("size", [0, 1, 64, 4096, -1])
def test_e2_a_truncated_control_file(damaged: Path, size: int) -> None:
    os.truncate(damaged, size if size >= 0 else damaged.stat().st_size - 4096)
    with pytest.raises(UltraDictError, match="damaged"):
        attach_and_use()


def test_e13_a_zeroed_control_file(damaged: Path) -> None:
    damaged.write_bytes(bytes(damaged.stat().st_size))
    with pytest.raises(UltraDictError, match="damaged"):
        attach_and_use()


def test_e13_a_control_file_of_noise(damaged: Path) -> None:
    damaged.write_bytes(os.urandom(damaged.stat().st_size))
    with pytest.raises(UltraDictError, match="damaged"):
        attach_and_use()


flipping_program = """
import os, sys
from pathlib import Path
from UltraDict import UltraDict
file = Path(sys.argv[1])
sound = file.read_bytes()
for offset in range(0, len(sound), max(1, len(sound) // 300)):
    wrong = bytearray(sound)
    wrong[offset] ^= 0x41
    file.write_bytes(wrong)
    try:
        d = UltraDict(name="damaged", create=False)
        found = dict(d)
        d["b"] = 2
        assert d["b"] == 2
        d.close()
    except UltraDict.Exceptions.UltraDictError:
        continue
    if found != {"a": 1}:
        print("offset", offset, "gives", found)
print("done")
"""


def test_e1_any_flipped_byte_is_an_error_or_harmless(damaged: Path) -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", flipping_program, str(damaged)]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("done\n", "")


@pytest.mark.parametrize("buffer_size", [10_000, 120_000, 10**6])
@pytest.mark.parametrize("size", [100, 125_000])
def test_e1_little_data_is_checked_whole_on_attach(shared_directory: Path, buffer_size: int, size: int) -> None:
    items = {f"key{number}": b"the bytes of it" + b"." * 1000 for number in range(max(1, size // 1100))}
    UltraDict(items, name="damaged", auto_unlink=False, buffer_size=buffer_size).close()
    for file in control_file(shared_directory).parent.iterdir():
        file.write_bytes(file.read_bytes().replace(b"the bytes of it", b"the bytes of me", 1))
    with pytest.raises(Damaged):
        UltraDict(name="damaged", create=False)
    assert UltraDict.unlink_by_name("damaged")


def test_iterators_go_on_after_a_clear_that_failed(shared_directory: Path) -> None:
    with UltraDict({"n": {"first": 1, "second": 2}}, recurse=True) as d:
        walker = iter(d["n"])
        assert next(walker) == "first"
        with control_file(shared_directory, d.name).open("r+b") as file, mmap(file.fileno(), 0) as shared:
            key_at = shared.find(b"second")
            head = slice(key_at - 32, key_at)
            sound = shared[head]
            shared[head] = bytes(32)
            with pytest.raises(UltraDictError, match="damaged"):
                d["n"].clear()
            shared[head] = sound
        assert list(walker) == ["second"]


def test_e13_another_format_version(damaged: Path) -> None:
    changed = bytearray(damaged.read_bytes())
    changed[8] ^= 0x7F  # the version, behind the magic word
    damaged.write_bytes(changed)
    with pytest.raises(OtherFormat, match="format"):
        attach_and_use()


@pytest.mark.parametrize("kind", ["directory", "fifo", "nothing"])
def test_e13_something_else_in_place_of_the_control_file(damaged: Path, kind: str) -> None:
    damaged.unlink()
    if kind == "fifo":
        os.mkfifo(damaged)
    elif kind == "directory":
        damaged.mkdir()
    with pytest.raises(UltraDictError):
        attach_and_use()
    if kind == "directory":
        damaged.rmdir()


# ---- other users ----


@needs_root
def test_f1_a_dict_of_another_user(d: UltraDict[Any, Any], shared_directory: Path) -> None:
    program = (
        "import os, sys; from UltraDict import UltraDict; os.setgid(65534); os.setuid(65534)\n"
        f"try: UltraDict(name={d.name!r}, create=False)\n"
        "except PermissionError as error: print(type(error).__name__, error)"
    )
    ended = run(program)
    assert ended.stdout.startswith("Forbidden"), ended.stderr
    assert d == {"a": 1}


@needs_root
def test_f1_a_directory_that_belongs_to_somebody_else(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir(mode=0o777)
    os.chown(foreign, 65534, 65534)
    ended = run(
        "from UltraDict import UltraDict\n"
        "try: UltraDict()\n"
        "except UltraDict.Exceptions.UltraDictError as error: print(type(error).__name__)\n"
        "else: print('made')",
        ULTRADICT_DIR=str(foreign),
    )
    assert ended.stdout.strip() in (Forbidden.__name__, InvalidParameter.__name__), ended.stderr
