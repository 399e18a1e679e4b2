# SPDX-License-Identifier: Apache-2.0
"""Dicts written by somebody who means ill: pickles that are never loaded where that was asked, bytes that try to make
the decoder eat memory or the stack, keys that try to collide."""

from __future__ import annotations

import contextlib
import pickle
import re
import struct
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_writer import replace_attributes, replace_in_records
from repeating import runs

from programs import PREAMBLE, run
from UltraDict import UltraDict
from UltraDict.Exceptions import Damaged, Forbidden


class Payload:
    """Whoever unpickles it makes a directory that betrays it. As a key it is hashed before, which is harmless."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.marker,)


class WithBuffer(Payload):
    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return planted, (self.marker, pickle.PickleBuffer(bytearray(100_000)))


class Unloadable:
    def __reduce__(self) -> tuple[Any, ...]:
        return raises, ()


def raises() -> None:
    raise LookupError("what was stored is not known here")


def planted(marker: Path, buffer: object) -> None:
    marker.mkdir()


# --- E10 ---

PLANTS: dict[str, Callable[[Payload], tuple[Any, Any]]] = {
    "as a value": lambda payload: ("k", payload),
    "in a list": lambda payload: ("k", [1, {"x": (payload,)}]),
    "as a large value": lambda payload: ("k", [payload, b"x" * 100_000]),
    "with a buffer": lambda payload: ("k", WithBuffer(payload.marker)),
    "as a key": lambda payload: (payload, "v"),
    "in a key": lambda payload: ((1, payload), "v"),
    "in a nested dict": lambda payload: ("k", {"inner": {"deep": payload}}),
    "as a key of a nested dict": lambda payload: ("k", {"inner": {payload: 1}}),
}
USES = [
    "d['k']",
    "d.get('k')",
    "d.pop('k')",
    "d.pop('k', 0)",
    "d.setdefault('k', 1)",
    "d.popitem()",
    "d.view('k')",
    "dict(d)",
    "d.copy()",
    "d.to_dict()",
    "list(d)",
    "list(d.items())",
    "list(d.values())",
    "list(reversed(d))",
    "repr(d)",
    "d == {}",
    "d | {}",
    "d.data",
    "d.apply_update()",
    "d.load(force=True)",
    "d.close()",
    "d.keys() & {'k'}",
    "('k', 1) in d.items()",
    "1 in d.values()",
    "decimal.Decimal(5) in d",
    "d.get(decimal.Decimal(5))",
    "d[alphabet.Word('k')]",
    "copy.deepcopy(d)",
    "json.dumps(d)",
    "pickle.loads(pickle.dumps(d)).to_dict()",
    "pickle.loads(pickle.dumps(d.lock))",
    "d['k']['inner']['deep']",
    "list(d['k']['inner'])",
    "d.update({decimal.Decimal(5): 1})",
    "d.__setitem__(decimal.Decimal(7), 1)",
    "d.clear()",
]

careful_program = """
sys.path[:0] = sys.argv[4:]
import copy, decimal, json, pickle
import alphabet
from UltraDict import UltraDict
name, marker, uses = sys.argv[1], sys.argv[2], eval(sys.argv[3])
def loads(*_, **__): raise SystemExit("pickle.loads was called")
for cache_bytes in (0, 1 << 20):
    for use in uses:
        d = UltraDict.open(name, create=False, allow_pickle=False, cache_bytes=cache_bytes)
        before = len(d)
        try:
            eval(use)
            said = ""
        except UltraDict.Exceptions.Forbidden as error: said = "refused"
        except (KeyError, TypeError, ValueError) as error: said = type(error).__name__
        if os.path.exists(marker): raise SystemExit("loaded by " + use)
        if use != "d.close()": d.close(data=False)
        say(use, said, before)
"""


@pytest.mark.parametrize("recurse", [False, True], ids=["flat", "recurse"])
@pytest.mark.parametrize("plant", PLANTS)
def test_e10_a_planted_pickle_is_never_loaded(plant: str, recurse: bool, tmp_path: Path) -> None:
    marker = tmp_path / "loaded"
    key, value = PLANTS[plant](Payload(marker))
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    for _ in runs(1, 10):
        with UltraDict(recurse=recurse) as d:
            d[key] = value
            d["sound"] = [1, "x"]
            writes = ("pop", "setdefault", "clear", "update", "__setitem__")
            reading = [use for use in USES if not any(word in use for word in writes)]
            said = ""
            for uses in (reading, [use for use in USES if use not in reading]):
                ended = run(careful_program, d.name, str(marker), repr(uses), *paths)
                assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
                said += ended.stdout
            assert " refused " in said
    assert not marker.exists()


def test_e10_the_payload_would_work(tmp_path: Path) -> None:
    for plant, make in PLANTS.items():
        marker = tmp_path / plant
        with UltraDict(recurse=True) as d, UltraDict(name=d.name) as other:
            d.update([make(Payload(marker))])
            with contextlib.suppress(Exception):
                other.to_dict()
        assert marker.exists(), plant


HOSTILE_SERIALIZERS = ["evil_module:Evil.x", "evil_module", "evil_module:Evil()", "os:path.join", "subprocess"]


@pytest.mark.parametrize("named", HOSTILE_SERIALIZERS)
def test_e10_recorded_parameters_that_name_a_module_import_nothing(named: str, tmp_path: Path) -> None:
    """Neither on attach, nor after, nor through a pickled handle."""
    marker = tmp_path / "imported"
    (tmp_path / "evil_module.py").write_text(f"import os; os.mkdir({str(marker)!r})\nclass Evil: x = None\n")
    program = """
sys.path.insert(0, sys.argv[2])
from UltraDict import UltraDict
for create in (None, False):
    try: say(type(UltraDict.open(sys.argv[1], create=create, allow_pickle=False)["a"]))
    except UltraDict.Exceptions.Forbidden as error: say("refused" if "pass serializer=" in str(error) else error)
say("evil_module" in sys.modules, "subprocess" in sys.modules and sys.argv[3] == "subprocess")
"""
    stand_in = "x" * len(named)
    with UltraDict(a=1, serializer=_serializer_named(stand_in)) as d:
        replace_attributes(d.name, stand_in.encode(), named.encode())
        ended = run(program, d.name, str(tmp_path), named, options=())
        assert ended.stdout == "refused\nrefused\nFalse False\n", ended.stderr
    assert not marker.exists()


def _serializer_named(name: str) -> Any:
    """A module is recorded by its name alone."""
    module: Any = types.ModuleType(name)
    module.dumps, module.loads = pickle.dumps, pickle.loads
    return module


# --- E11 ---


def varint(number: int) -> bytes:
    written = b""
    while number >= 0x80:
        written, number = written + bytes([number & 0x7F | 0x80]), number >> 7
    return written + bytes([number])


NONE, INT, BIG, FLOAT, ASCII, TEXT, BYTES, TUPLE, LIST, DICT, FROZEN, UNIQUE, PICKLE = 1, *range(4, 16)
huge = [2**7, 2**20, 2**31 - 1, 2**32, 2**62, 2**63, 2**64 - 1]
nan = struct.pack("<d", float("nan"))

BOMBS: dict[str, bytes] = {
    "nothing": b"",
    "no tag": b"\0",
    "unknown tag": b"\xff",
    "key tag": bytes([UNIQUE]) + bytes(16),
    "set": bytes([FROZEN, 1, NONE]),
    "lists in lists": bytes([LIST, 1]) * 15_000 + bytes([NONE]),
    "tuples in tuples": bytes([TUPLE, 1]) * 15_000 + bytes([NONE]),
    "dicts in dicts": bytes([DICT, 1, NONE]) * 10_000 + bytes([NONE]),
    "lists in tuples, just too deep": bytes([LIST, 1, TUPLE, 1]) * 33 + bytes([NONE]),
    "a list as a key": bytes([DICT, 1, LIST, 0, NONE]),
    "a dict in a tuple as a key": bytes([DICT, 1, TUPLE, 1, DICT, 0, NONE]),
    "half a pair": bytes([DICT, 1, NONE]),
    "lone continuation": bytes([TEXT, 1, 0x80]),
    "overlong": bytes([TEXT, 2, 0xC0, 0x80]),
    "beyond unicode": bytes([TEXT, 4, 0xF4, 0x90, 0x80, 0x80]),
    "cut off": bytes([TEXT, 2, 0xE2, 0x82]),
    "high bit in ascii": bytes([ASCII, 1, 0x80]),
    "endless varint": bytes([BYTES]) + b"\xff" * 11,
    "varint of more than 64 bits": bytes([INT]) + b"\xff" * 9 + b"\x02",
    "short float": bytes([FLOAT]) + bytes(7),
    "long big integer": bytes([BIG, 9]) + bytes(9),
    "empty big integer": bytes([BIG, 0]),
    "something behind": bytes([NONE, NONE]),
    "a pickle of nonsense": bytes([PICKLE]) + b"\x80\x05\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "a pickle that asks for memory": bytes([PICKLE]) + b"\x80\x05B" + struct.pack("<i", 2**31 - 1),
    "a pickle of a huge string": bytes([PICKLE]) + b"\x80\x05\x8d" + struct.pack("<Q", 2**62),
    "an empty pickle": bytes([PICKLE]),
    "foreign bytes": bytes([16]) + b"x",
    "foreign text": bytes([17, 0x80]),
    "buffers without end": bytes([18]) + varint(2**60) + varint(1) * 20,
    "buffers of a huge size": bytes([18]) + varint(1) + varint(4) + varint(2**62) + b"\x80\x05N.",
    **{f"{size} {tag} declared": bytes([tag]) + varint(size) + b"abc" for tag in (5, *range(7, 14)) for size in huge},
    **{f"a list of {size} lists": (bytes([LIST]) + varint(size)) * 60 + b"abc" for size in (2**16, 2**40)},
}
SOUND: dict[str, tuple[bytes, Any]] = {
    "a surrogate": (bytes([TEXT, 3, 0xED, 0xA0, 0x80]), "\ud800"),
    "64 levels": (bytes([LIST, 1]) * 64 + bytes([NONE]), None),
    "equal keys in a dict": (bytes([DICT, 2, INT, 2, NONE, INT, 2, INT, 4]), {1: 2}),
}


def plant(d: UltraDict[Any, Any], key: str, content: bytes) -> None:
    """The value of the key is from now on of these bytes."""
    if len(content) < 3:
        assert len(key) > 6, "a short one stands elsewhere too, in the name of the dict and in what is random"
        d[key], encoded = {1: (None, bytes([NONE])), 2: (1, bytes([INT, 2]))}[len(content)]
        assert replace_in_records(d.name, key.encode() + encoded, key.encode() + content) == 1
        return
    # Encoded, what is put has tag, size and then this many bytes; the raw writer replaces all of it.
    fill = next(n for n in range(max(len(content) - 4, 0), len(content)) if n + len(varint(n)) + 1 == len(content))
    marker = (b"marker!" * (fill // 7 + 1))[:fill]
    d[key] = marker
    assert replace_in_records(d.name, bytes([BYTES]) + varint(fill) + marker, content) == 1


@pytest.fixture
def d() -> Iterator[UltraDict[Any, Any]]:
    with UltraDict.open(buffer_size=400_000, cache_bytes=0) as shared:
        yield shared


reading_program = """
import faulthandler, resource
faulthandler.enable()
sys.path[:0] = sys.argv[2:]
from UltraDict import UltraDict
d = UltraDict(name=sys.argv[1], create=False)
with open("/proc/self/statm") as statm: mapped = int(statm.read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (mapped + (256 << 20), -1))
signal.alarm(60)
words = (UltraDict.Exceptions.Damaged, ValueError, MemoryError, EOFError, TypeError, AttributeError, IndexError)
for key in eval(sys.stdin.readline()):
    for read in (d.__getitem__, d.view, d.pop if key.startswith("last") else d.get):
        try: answer = repr(read(key))[:60]
        except Exception as error: answer = type(error).__name__
        say(key, "->", answer)
say("end", d["sound"])
"""


def test_e11_bombs_in_values(d: UltraDict[Any, Any]) -> None:
    """With 256 MiB of address space to blow up, and one minute."""
    planted_keys = []
    d["sound"] = "sound"
    for number, (name, content) in enumerate(BOMBS.items()):
        if name != "nothing":  # a value has a tag at least
            plant(d, f"bomb {number:03}", content)
            planted_keys.append((f"bomb {number:03}", name))
    command = [sys.executable, "-c", PREAMBLE + reading_program, d.name]
    ended = subprocess.run(
        command, input=repr([key for key, _ in planted_keys]) + "\n", capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[-1] == "end sound"
    assert len(lines) == 3 * len(planted_keys) + 1
    names = dict(planted_keys)
    for line in lines[:-1]:
        key, _, answer = line.partition(" -> ")
        refusing = answer in ("Damaged", "TypeError") or ("pickle" in names[key] and answer.endswith("Error"))
        assert refusing, (names[key], answer)
    for key, _ in planted_keys:
        d[key] = "mended"
    assert all(d[key] == "mended" for key, _ in planted_keys)


@pytest.mark.parametrize("name", SOUND)
def test_e11_what_only_looks_like_a_bomb(name: str, d: UltraDict[Any, Any]) -> None:
    content, expected = SOUND[name]
    plant(d, "k", content)
    with UltraDict(name=d.name, create=False) as other:
        found = other["k"]
        if expected is not None:
            assert found == expected
        for _ in range(64 if expected is None else 0):
            (found,) = found


def test_e11_what_cannot_be_loaded_is_told_with_its_dict(d: UltraDict[Any, Any]) -> None:
    plant(d, "some key", BOMBS["unknown tag"])
    with pytest.raises(Damaged, match=f"^dict '{d.name}', the value of key 'some key': the stored bytes of"):
        d["some key"]
    d["some key"] = Path(d.name)
    careful: UltraDict[Any, Any] = UltraDict.open(d.name, create=False, allow_pickle=False)
    with careful, pytest.raises(Forbidden, match="the value of key 'some key': the value is stored as a pickle"):
        careful["some key"]
    d["some key"] = Unloadable()
    with pytest.raises(LookupError) as raised:
        d["some key"]
    if sys.version_info >= (3, 11):
        assert raised.value.__notes__ == [f"when the value of key 'some key' of UltraDict '{d.name}' was loaded"]
    d.update({"sound": 1, Unloadable(): 2})
    for read in (d.to_dict, lambda: list(d.items()), lambda: d.data, lambda: d | {}, lambda: list(d.values())):
        with pytest.raises(LookupError) as raised:
            read()
        if sys.version_info >= (3, 11):
            assert raised.value.__notes__ == [f"when the value of key 'some key' of UltraDict '{d.name}' was loaded"]
    del d["some key"]
    d.load(force=True)
    with UltraDict(name=d.name) as other, pytest.raises(LookupError) as raised:
        list(other)
    if sys.version_info >= (3, 11):
        assert re.match(
            "when the key that is stored as b'.*test_hostile_bytes.*raises.*' of UltraDict", raised.value.__notes__[0]
        )


BAD_KEYS = {
    "NaN": bytes([FLOAT]) + nan,
    "invalid UTF-8": bytes([TEXT, 7]) + b"\xff" * 7,
    "a list": bytes([LIST, 1, BYTES, 5]) + b"x" * 5,
    "too deep": bytes([TUPLE, 1]) * 4 + bytes([LIST]),
    "too long": bytes([BYTES]) + b"\xff" * 8,
    "a dict": bytes([DICT, 1, NONE, BYTES, 4]) + b"x" * 4,
    "no such tag": b"\xff" * 9,
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_e11_bombs_in_keys(name: str, d: UltraDict[Any, Any]) -> None:
    """Other keys are found; walking over the bad one is an error or answers something that is sound in itself."""
    d["sound"], d["marker!"], d["also"] = 1, 2, 3
    assert replace_in_records(d.name, bytes([ASCII, 7]) + b"marker!", BAD_KEYS[name]) == 1
    with UltraDict.open(d.name, create=False, cache_bytes=0) as other:
        assert other["sound"] == 1
        assert other["also"] == 3
        assert "absent" not in other
        for use in (list, dict, repr, lambda d: d.to_dict(), lambda d: d.popitem() and d.popitem()):
            try:
                use(other)
            except (Damaged, KeyError):  # a NaN that is no object of this process is not found again
                continue
        other["sound"] = 4
        assert other["sound"] == 4
        other.clear()
        assert len(other) == 0
