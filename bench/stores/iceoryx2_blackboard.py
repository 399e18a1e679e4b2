# SPDX-License-Identifier: Apache-2.0
"""The blackboard of iceoryx2: keys and types fixed at creation, one writer, handles for entries instead of look-ups."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from stores.base import Place, Store, without

FIXED = "keys and types of values are fixed when it is created"


class Blackboard(Store):
    title = "iceoryx2 blackboard, 500 keys"
    settings = (
        "`uint64` keys and values; the handle of each entry is made beforehand, so no look-up is timed. 500 keys only: "
        "creating it takes a time that grows with their square."
    )
    requirements = ("iceoryx2==0.10.0",)
    environment = "iceoryx2"
    imports = "import iceoryx2"
    keys_max = 500
    cannot = {
        **without(("insert", "bytes", "nested"), FIXED),
        **without(("writers", "increment", "lock"), "one process may write"),
        "iterate": "lists its keys, in no relation to handles of entries",
    }
    read = "read[k].get().decode_as(number).value"
    write = "write[k].update_with_copy(number(v))"

    def __init__(self, place: Place, create: bool) -> None:
        import iceoryx2

        self.create = create
        config = iceoryx2.config.default()
        config.global_cfg.prefix = iceoryx2.FileName.new(place.name.partition("_")[0] + "_")
        config.global_cfg.root_path = iceoryx2.Path.new(place.directory)
        self.node = iceoryx2.NodeBuilder.new().config(config).create(iceoryx2.ServiceType.Ipc)
        self.builder = self.node.service_builder(iceoryx2.ServiceName.new(place.name))
        if not create:
            self.open(self.builder.blackboard_opener(ctypes.c_uint64).open(), place.count)

    def open(self, service: Any, count: int) -> None:
        number = ctypes.c_uint64
        self.service, self.reader = service, service.reader_builder().create()
        self.read_handles = [self.reader.entry(number(key), number) for key in range(count)]
        self.write_handles: list[Any] = []
        if self.create:
            self.writer = service.writer_builder().create()
            self.write_handles = [self.writer.entry(number(key), number) for key in range(count)]

    def names(self) -> dict[str, Any]:
        return {"read": self.read_handles, "write": self.write_handles, "number": ctypes.c_uint64}

    def key(self, text: str) -> int:
        return int(text.removeprefix("key"))

    def fill(self, items: Sequence[tuple[Any, int]]) -> None:
        creator = self.builder.blackboard_creator(ctypes.c_uint64)
        for key, value in items:
            creator = creator.add(ctypes.c_uint64(key), ctypes.c_uint64(value))
        self.open(creator.create(), len(items))

    def close(self, last: bool) -> None:
        """Its nodes end with the last name of each of their parts."""
        self.read_handles.clear()
        self.write_handles.clear()
        for part in ("reader", "writer", "service", "builder", "node"):
            self.__dict__.pop(part, None)
