# SPDX-License-Identifier: Apache-2.0
"""The names in the annotations of the class UltraDict. Who evaluates those imports this module, and typing with it."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Union

if TYPE_CHECKING:
    from _typeshed import SupportsKeysAndGetItem
    from typing_extensions import TypeVar

    from .UltraDict import UltraDict

    K = TypeVar("K", default=Any)
    V = TypeVar("V", default=Any)
else:
    from collections.abc import Mapping as SupportsKeysAndGetItem
    from typing import TypeVar

    K = TypeVar("K")
    V = TypeVar("V")

__all__ = ["Any", "Items", "K", "Self", "Serializer", "TracebackType", "V"]

Self = TypeVar("Self", bound="UltraDict[Any, Any]")
Items = Union[SupportsKeysAndGetItem[K, V], Iterable[tuple[K, V]]]


class Serializer(Protocol):
    """What `serializer` takes: pickle, json and marshal have both."""

    def dumps(self, value: Any, /) -> bytes | str: ...
    def loads(self, stored: Any, /) -> Any: ...
