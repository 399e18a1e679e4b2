# SPDX-License-Identifier: Apache-2.0
"""assert_type for programs that are read by type checkers and run as well: the value must be what they were told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from typing_extensions import assert_type
else:

    def assert_type(value: object, claimed: Any) -> object:
        assert is_of(value, claimed), f"{value!r} is not {claimed}"
        return value


__all__ = ["assert_type"]


def is_of(value: Any, claimed: Any) -> bool:
    """Whether a value is of a type, the items in it too. A shared dict is not taken for a plain one."""
    kind, parameters = get_origin(claimed) or claimed, get_args(claimed)
    if kind is Any or kind is None:
        return kind is Any or value is None
    if kind is Union:
        return any(is_of(value, parameter) for parameter in parameters)
    if kind is tuple:
        return value.__class__ is kind and all(map(is_of, value, parameters))
    if kind is list or kind is set:
        return value.__class__ is kind and all(is_of(item, parameters[0]) for item in value)
    if dict in kind.__mro__:
        of_key, of_value = parameters if len(parameters) == 2 else (Any, Any)
        return value.__class__ is kind and all(is_of(k, of_key) and is_of(v, of_value) for k, v in value.items())
    return isinstance(value, (int, float) if kind is float else kind)
