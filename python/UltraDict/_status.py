# SPDX-License-Identifier: Apache-2.0
"""status(): the words that older programs know, each with what is true of the shared dict now.

What the words mean here: there is no copy of its own that a handle would have to bring up to date, so a value and its
`_remote` are the same; the memory of the full dump is the dict's own, known by its id.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from .UltraDict import UltraDict


def of(shared: UltraDict[Any, Any]) -> dict[str, Any]:
    """The state of a dict and of its lock."""
    counter, position = shared._shared_stream
    lock = shared.lock
    return {
        "name": shared.name,
        "buffer_size": shared.buffer_size,
        "lock": lock,
        "shared_lock": shared.shared_lock,
        "update_stream_position": position,
        "update_stream_position_remote": position,
        "full_dump_counter": counter,
        "full_dump_size": shared.full_dump_size,
        "serializer": shared.serializer,
        "lock_pid_remote": lock.get_remote_pid(),
        "lock_remote": lock.get_remote_lock(),
        "full_dump_counter_remote": counter,
        "full_dump_static_size_remote": shared.full_dump_size or 0,
        "shared_lock_remote": shared.shared_lock,
        "recurse": shared.recurse,
        "recurse_remote": shared.recurse,
        "recurse_register": shared.recurse_register,
        "full_dump_memory_name_remote": shared._shared_id,
        "closed": shared.closed,
        "auto_unlink": shared.auto_unlink,
    }


def show(status: dict[str, Any], stream: TextIO) -> None:
    """Prints a status as a dict, one word in a line."""
    import pprint

    pprint.pprint(status, stream=stream)
