# SPDX-License-Identifier: Apache-2.0
"""What Python code inside an operation raises arrives as it was raised."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from UltraDict import UltraDict


def raise_in_handling() -> None:
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        raise KeyError("k")  # noqa: B904


def test_what_loading_raises_keeps_its_context() -> None:
    class Raising:
        def __reduce__(self) -> Any:
            return raise_in_handling, ()

    with UltraDict({"v": Raising()}) as d:
        try:
            raise ValueError
        except ValueError:
            with pytest.raises(KeyError) as raised:
                d["v"]
        assert isinstance(raised.value.__context__, ZeroDivisionError)


def test_pop_of_an_empty_one_forgets_no_interrupt() -> None:
    class Interrupting:
        def __hash__(self) -> int:
            raise KeyboardInterrupt

    with UltraDict() as d:
        with pytest.raises(KeyboardInterrupt):
            d.pop(Interrupting(), None)
        assert d.pop([], "default") == "default"


def test_opening_that_opens_the_same_object_is_told() -> None:
    d: UltraDict[Any, Any] = UltraDict.__new__(UltraDict)

    class Serializer:
        loads = staticmethod(pickle.loads)

        @property
        def dumps(self) -> Any:
            d.__init__()  # type: ignore[misc]
            return pickle.dumps

    with pytest.raises(RuntimeError, match="__init__ was called again"):
        d.__init__(serializer=Serializer())  # type: ignore[misc]
    assert d == {}
    d.close()
