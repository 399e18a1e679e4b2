# SPDX-License-Identifier: Apache-2.0
"""The class UltraDict: the shared dict of the extension with its public constructor and its end.

Reading and writing are slots of the base class, in C++. What is here runs when a dict is opened, closed or pickled.
"""

from __future__ import annotations

import sys
from itertools import islice

from . import Exceptions, _core, _end, _parameters
from ._core import SharedDict, SharedLock, bind_methods
from ._core import unlink_by_name as _unlink_by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import AnyStr, Literal, TypeVar, overload

    from typing_extensions import TypeAlias

    from . import _types as t

    _Key = TypeVar("_Key")
    _Value = TypeVar("_Value")
else:

    class _LazyTypes:
        """The names of the annotations below: importing typing would take longer than all the rest."""

        def __getattr__(self, name):
            from . import _types

            return getattr(_types, name)

    t = _LazyTypes()


__all__ = ["SharedLock", "UltraDict"]


class _LazyLog:
    """The class attribute `log`: the module logging, imported when first asked for."""

    def __get__(self, instance: object, owner: type | None = None) -> ModuleType:
        import logging

        return logging


class UltraDict(SharedDict["t.K", "t.V"]):
    """A dict in shared memory.

    UltraDict(mapping_or_pairs, name="x", key=value, ...) attaches to the dict of that name, or creates it. Any process
    of the same user that knows the name sees the same items. See the README for what differs from dict, first of all:
    changing a value in place is not shared, assigning it back is.

    Parameters, by keyword; what cannot be is refused with InvalidParameter (a ValueError) or TypeError:
      name              random if None
      create            None: attach, or create; True: create, or AlreadyExists; False: attach, or
                        CannotAttachSharedMemory
      buffer_size       bytes set aside at creation, 10,000; a hint, never a limit
      serializer        object or module with dumps and loads; None: pickle, or on attach the recorded one
      shared_lock       True: lock.acquire() raises if the lock cannot be had; False, the default: it answers False
      full_dump_size    bound of the content in bytes, beyond it FullDumpMemoryFull; None: no bound
      auto_unlink       True, the default: the dict ends with the process that creates it; False: by unlink alone
      recurse           True: plain dicts among the values are shared too; needs pickle; default False
      recurse_register  a name or an UltraDict; nothing depends on it
    Who attaches with another serializer, shared_lock or recurse than is recorded gets ParameterMismatch; the other
    parameters of a dict that is there are those of its creator. UltraDict.open() has more.
    """

    Exceptions = Exceptions
    SharedLock: TypeAlias = _core.SharedLock
    RLock: TypeAlias = _core.SharedLock
    log = _LazyLog()

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            data: t.Items[t.K, t.V] | None = None,
            /,
            *,
            name: str | None = None,
            create: bool | None = None,
            buffer_size: int = 10_000,
            serializer: t.Serializer | None = None,
            shared_lock: bool | None = None,
            full_dump_size: int | None = None,
            auto_unlink: bool | None = None,
            recurse: bool | None = None,
            recurse_register: str | UltraDict[t.Any, t.Any] | None = None,
        ) -> None: ...
        @overload
        def __init__(
            self: UltraDict[str, t.V],  # pyright: ignore[reportInvalidTypeVarUse]  # as typeshed's dict has it
            data: t.Items[str, t.V] | None = None,
            /,
            *,
            name: str | None = None,
            create: bool | None = None,
            buffer_size: int = 10_000,
            serializer: t.Serializer | None = None,
            shared_lock: bool | None = None,
            full_dump_size: int | None = None,
            auto_unlink: bool | None = None,
            recurse: bool | None = None,
            recurse_register: str | UltraDict[t.Any, t.Any] | None = None,
            **items: t.V,
        ) -> None: ...
        @overload
        def __init__(
            self: UltraDict[AnyStr, AnyStr],
            data: Iterable[list[AnyStr]],
            /,
            *,
            name: str | None = None,
            create: bool | None = None,
            buffer_size: int = 10_000,
            serializer: t.Serializer | None = None,
            shared_lock: bool | None = None,
            full_dump_size: int | None = None,
            auto_unlink: bool | None = None,
            recurse: bool | None = None,
            recurse_register: str | UltraDict[t.Any, t.Any] | None = None,
        ) -> None: ...

    def __init__(
        self,
        /,
        *arg: t.Any,
        name: str | None = None,
        create: bool | None = None,
        buffer_size: int = 10_000,
        serializer: t.Serializer | None = None,
        shared_lock: bool | None = None,
        full_dump_size: int | None = None,
        auto_unlink: bool | None = None,
        recurse: bool | None = None,
        recurse_register: str | UltraDict[t.Any, t.Any] | None = None,
        **kwargs: t.Any,
    ) -> None:
        if len(arg) > 1:
            raise TypeError(f"UltraDict expected at most 1 argument, got {len(arg)}")
        _start(
            self,
            arg,
            kwargs,
            name=name,
            create=create,
            buffer_size=buffer_size,
            serializer=serializer,
            shared_lock=shared_lock,
            full_dump_size=full_dump_size,
            auto_unlink=auto_unlink,
            recurse=recurse,
            recurse_register=recurse_register,
        )

    @classmethod
    def open(
        cls: type[t.Self],
        name: str | None = None,
        data: t.Items[t.K, t.V] | None = None,
        *,
        create: bool | None = None,
        buffer_size: int = 10_000,
        serializer: t.Serializer | None = None,
        shared_lock: bool | None = None,
        full_dump_size: int | None = None,
        auto_unlink: bool | None = None,
        recurse: bool | None = None,
        recurse_register: str | UltraDict[t.Any, t.Any] | None = None,
        max_bytes: int | None = None,
        cache_bytes: int = _parameters.cache_bytes_default,
        mode: int = 0o600,
        allow_pickle: bool = True,
    ) -> t.Self:
        """Like UltraDict(...), but a word that is no parameter is a TypeError and not an item. Further parameters:

        max_bytes     bound of all shared memory of the dict, in bytes, at least 65,536, set aside at creation; beyond
                      it SharedMemoryFull; None: no bound
        cache_bytes   bound of the objects that this process keeps decoded, in bytes, 64 MiB; 0: none
        mode          permission bits of the files, 0o600
        allow_pickle  False: decode plain data only; what is stored as a pickle raises Forbidden when it is read
        """
        opened = cls.__new__(cls)
        _start(
            opened,
            () if data is None else (data,),
            {},
            name=name,
            create=create,
            buffer_size=buffer_size,
            serializer=serializer,
            shared_lock=shared_lock,
            full_dump_size=full_dump_size,
            auto_unlink=auto_unlink,
            recurse=recurse,
            recurse_register=recurse_register,
            max_bytes=max_bytes,
            cache_bytes=cache_bytes,
            mode=mode,
            allow_pickle=allow_pickle,
        )
        return opened

    if TYPE_CHECKING:

        @overload
        @classmethod
        def fromkeys(cls, iterable: Iterable[_Key], value: None = None, /) -> UltraDict[_Key, t.Any | None]: ...
        @overload
        @classmethod
        def fromkeys(cls, iterable: Iterable[_Key], value: _Value, /) -> UltraDict[_Key, _Value]: ...
        @classmethod
        def fromkeys(cls, iterable: Iterable[t.Any], value: t.Any = None, /) -> UltraDict[t.Any, t.Any]: ...

    @property
    def recurse_register(self) -> None:
        """Kept for older programs; cleaning up does not depend on it."""
        self._shared_check_open()

    def status(self) -> dict[str, t.Any]:
        """How the dict was made and how far its stream is: for people who look for a fault."""
        from ._status import of

        return of(self)

    def print_status(self, status: dict[str, t.Any] | None = None, stderr: bool = False) -> None:
        """Prints status(), or what it said before."""
        from ._status import show

        show(status or self.status(), sys.stderr if stderr else sys.stdout)

    if TYPE_CHECKING:

        @overload
        def close(self, unlink: bool = False, *, data: Literal[False]) -> None: ...
        @overload
        def close(self, unlink: bool, data: Literal[False]) -> None: ...
        @overload
        def close(self, unlink: bool = False, data: bool = True) -> dict[t.K, t.V] | None: ...

    def close(self, unlink: bool = False, data: bool = True) -> dict[t.K, t.V] | None:
        """Ends this handle and returns the items as a plain dict (data=False: nothing).

        unlink=True removes the dict as well, as unlink() does. If an item cannot be loaded that is raised, and the
        handle stays open.
        """
        try:
            items = self.to_dict() if data and not self.closed else None
        except Exception as error:
            add_note = getattr(error, "add_note", None)
            if add_note is not None:
                add_note("the dict stays open: close(data=False) closes it without returning the items")
            raise
        if unlink:
            self._unlink()
        else:
            self._close()
        return items

    def unlink(self) -> None:
        """Removes the name and closes this handle; other processes keep what they have attached."""
        self._unlink()

    @staticmethod
    def unlink_by_name(name: str, ignore_errors: bool = False) -> bool:
        """Removes a left-over dict and answers True. Without one: CannotAttachSharedMemory.

        With ignore_errors=True that, and a name that cannot be, is answered with False; Forbidden and SystemFailure,
        where it is there and cannot be removed, are still raised.
        """
        try:
            _unlink_by_name(_parameters.checked_name(name))
        except (Exceptions.CannotAttachSharedMemory, Exceptions.InvalidParameter):
            if ignore_errors:
                return False
            raise
        return True

    def __enter__(self: t.Self) -> t.Self:
        self._shared_check_open()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: t.TracebackType | None,
    ) -> None:
        self._close()

    def _repr_pretty_(self, printer: t.Any, _cycle: bool) -> None:
        """What IPython calls: of a big dict it shows as much as of a plain one."""
        most = printer.max_seq_length
        if self.closed or not 0 < most < len(self):
            shown = repr(self)
        else:
            shown = ", ".join(f"{key!r}: {value!r}" for key, value in islice(self.items(), most)).join(("{", ", ...}"))
        printer.text(shown)

    def __reduce__(self) -> tuple[t.Any, ...]:
        return _attach, self._shared_handle(), _attributes(self) or None

    def __reduce_ex__(self, protocol: t.Any) -> tuple[t.Any, ...]:
        return self.__reduce__()

    def __deepcopy__(self, memo: dict[int, t.Any]) -> dict[t.K, t.V]:
        import copy

        # Each time that a dict is read from itself it is another handle: one copy for all of them.
        key: t.Any = (UltraDict, self._shared_id, self.name)
        whole: dict[t.K, t.V] | None = memo.get(key)
        if whole is None:
            whole = memo[key] = {}
            whole.update(copy.deepcopy(self.to_dict(), memo))
        return whole


bind_methods(UltraDict)


def _start(
    opened: UltraDict[t.Any, t.Any],
    arg: tuple[t.Any, ...],
    items: dict[str, t.Any],
    identity: str = "",
    **given: t.Any,
) -> None:
    """Opens, and writes the initial items; undone if anything fails."""
    if arg and isinstance(arg[0], str) and arg[0]:
        raise ValueError(
            f"the items of a dict cannot be {arg[0]!r}: to open the dict of that name pass name={arg[0]!r}"
        )
    defaults = {"cache_bytes": _parameters.cache_bytes_default, "mode": 0o600, "allow_pickle": True}
    opened._shared_open(**_parameters.checked({**defaults, **given}), identity=identity)
    _end.prepare()
    try:
        if items or (arg and arg[0] is not None):
            base: t.Any = UltraDict  # an update of a subclass may need what its own __init__ does later
            base.update(opened, *arg, **items)
    except BaseException:
        opened._shared_abandon()
        raise


def _attach(
    cls: type[t.Self], name: str, identity: str, serializer: t.Any, cache_bytes: int, allow_pickle: bool
) -> t.Self:
    """What unpickling a handle calls: the very dict that was pickled, or an error; never a new one."""
    attached = cls.__new__(cls)
    given: dict[str, t.Any] = dict.fromkeys(
        ("full_dump_size", "auto_unlink", "shared_lock", "recurse", "recurse_register")
    )
    _start(
        attached,
        (),
        {},
        identity=identity,
        name=name,
        create=False,
        buffer_size=10_000,
        serializer=serializer,
        cache_bytes=cache_bytes,
        allow_pickle=allow_pickle,
        **given,
    )
    return attached


def _attributes(handle: UltraDict[t.Any, t.Any]) -> t.Any:
    """What a handle has beside the items, as pickle asks any object for it, slots of a subclass included."""
    getstate = getattr(handle, "__getstate__", None)
    if getstate is not None:  # its own, and from Python 3.11 on one that every object has
        return getstate()
    import copyreg

    slots: list[str] = vars(copyreg)["_slotnames"](type(handle))  # of no name of its own, and what pickle asks
    filled = {name: getattr(handle, name) for name in slots if hasattr(handle, name)}
    return (handle.__dict__ or None, filled) if filled else handle.__dict__


def attach_lock(*handle: t.Any) -> SharedLock:
    """What unpickling a lock calls."""
    attached: UltraDict[t.Any, t.Any] = _attach(*handle)
    return attached.lock


# What pickles name is found in the package: as its attribute, UltraDict.UltraDict is the class and not this module.
_package = __name__.rpartition(".")[0]
for _named in (UltraDict, _attach, attach_lock):
    _named.__module__ = _package
    setattr(sys.modules[_package], _named.__name__, _named)
