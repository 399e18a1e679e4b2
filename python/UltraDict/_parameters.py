# SPDX-License-Identifier: Apache-2.0
"""The constructor's parameters: which values are accepted, and the words in which others are refused."""

from __future__ import annotations

import os
from operator import index

from . import Exceptions
from ._core import SharedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

buffer_size_max = 2**32 - 1
max_bytes_min = 64 * 2**10
cache_bytes_default = 64 * 2**20
name_bytes_max = 255


def _flag(word: str, value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if type(value).__name__ in ("bool", "bool_"):  # NumPy's, without asking for NumPy
        return bool(value)
    raise TypeError(f"{word} must be True, False or None, not {value!r}")


# What a number may be, least and most, and what helps who gave another.
_sizes = {
    "buffer_size": (1, buffer_size_max, "bytes; leave it out: memory grows by itself"),
    "full_dump_size": (1, 2**62, "bytes; leave it out for a content without bound"),
    "max_bytes": (max_bytes_min, 2**62, "bytes; leave it out for a dict without bound"),
    "cache_bytes": (0, 2**62, "bytes; 0 keeps no objects"),
    "mode": (0, 0o777, "permission bits; 0o600 lets nobody else in"),
}


def _number(word: str, number: int) -> str:
    if number.bit_length() > 128:  # it may have more digits than Python prints
        return f"about {'-' if number < 0 else ''}2**{number.bit_length() - 1}"
    return f"{number:#o}" if word == "mode" and number >= 0 else str(number)


def _size(word: str, value: Any) -> int:
    least, most, unit = _sizes[word]
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{word} must be an integer, not {type(value).__name__}: it is in {unit}")
    size = index(value)
    if not least <= size <= most:
        raise Exceptions.InvalidParameter(
            f"{word} must be between {least} and {_number(word, most)}, not {_number(word, size)}: it is in {unit}"
        )
    return size


def _mode(value: Any) -> int:
    mode = _size("mode", value)
    if mode & 0o600 != 0o600:
        raise Exceptions.InvalidParameter(
            f"mode must let the owner read and write, as 0o600 does; {_number('mode', mode)} does not"
        )
    return mode


def _is_of_nested(name: str) -> bool:
    """As the engine names a nested dict: its root's name, which dict that was, and which nested one."""
    root, _, rest = name.partition("/")
    numbers = rest.split("-")
    return bool(root) and len(numbers) == 3 and len(numbers[0]) == 32 and all(part.isalnum() for part in numbers)


def checked_name(value: object) -> str:
    if not isinstance(value, str):
        kind = type(value).__name__
        items = ": the items are given as data=" if isinstance(value, dict) else ""
        raise TypeError(f"name must be a str, not {kind}{items}")
    try:
        encoded = value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Exceptions.InvalidParameter(
            f"{value!r} cannot be the name of an UltraDict: {value[error.start]!r} has no bytes in UTF-8"
        ) from None
    if _is_of_nested(value):
        return value
    if not encoded or "/" in value or "\0" in value or value in (".", ".."):
        raise Exceptions.InvalidParameter(
            f"{value!r} cannot be the name of an UltraDict: a name is text without / and NUL, not empty, '.' or '..'"
        )
    if len(encoded) > name_bytes_max:
        raise Exceptions.InvalidParameter(
            f"the name of an UltraDict has at most {name_bytes_max} bytes, {value[:20]!r}... has {len(encoded)}"
        )
    return value


def _bounds(full_dump_size: Any, max_bytes: Any) -> tuple[int, int]:
    content = 0 if full_dump_size in (None, 0) else _size("full_dump_size", full_dump_size)
    whole = 0 if max_bytes is None else _size("max_bytes", max_bytes)
    if whole and content >= whole:
        raise Exceptions.InvalidParameter(
            f"full_dump_size={content} does not fit into max_bytes={whole}, which also bounds what the content needs: "
            "raise max_bytes, or leave full_dump_size out"
        )
    return content, whole


def _register(value: object) -> None:
    if value is not None and not isinstance(value, (str, SharedDict)):
        raise TypeError(f"recurse_register must be a name or an UltraDict, not {type(value).__name__}")


def random_name() -> str:
    """A name for a dict that was given none."""
    return "psm_" + os.urandom(8).hex()


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """From the public parameters to those of SharedDict._shared_open."""
    recurse = _flag("recurse", given["recurse"])
    _register(given["recurse_register"])
    full_dump_size, max_bytes = _bounds(given["full_dump_size"], given.get("max_bytes"))
    auto_unlink = _flag("auto_unlink", given["auto_unlink"])
    create = _flag("create", given["create"])
    if create is False and given["name"] is None:
        raise Exceptions.CannotAttachSharedMemory("create=False attaches to a dict that is there: name= says which")
    return {
        "name": random_name() if given["name"] is None else checked_name(given["name"]),
        "create": {None: 0, True: 1, False: 2}[create],
        "buffer_size": _size("buffer_size", given["buffer_size"]),
        "full_dump_size": full_dump_size,
        "max_bytes": max_bytes,
        "auto_unlink": auto_unlink is not False,
        "mode": _mode(given["mode"]),
        "serializer": given["serializer"],
        "shared_lock": _flag("shared_lock", given["shared_lock"]),
        "recurse": recurse,
        "cache_bytes": _size("cache_bytes", given["cache_bytes"]),
        "allow_pickle": _flag("allow_pickle", given["allow_pickle"]) is not False,
    }
