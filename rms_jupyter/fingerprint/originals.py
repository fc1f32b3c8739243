"""Which function or class of this process is the one that a pickle speaks of?

One that comes back to the process that it was sent from is known by an ident: it is the notebook's own, also if its
name means another one by now. In other processes a name and the code version tell: the cell that defines it has run
there too. Otherwise what the pickle holds is rebuilt, as a *copy*.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import types
import uuid
import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from rms_jupyter.fingerprint.anatomy import getattr_or_none
from rms_jupyter.fingerprint.code import describe
from rms_jupyter.fingerprint.version import CodeVersion

Copies = dict[str, type]

_CODE = (types.FunctionType, type, functools._lru_cache_wrapper)
_MOST_VERSIONS = 256

_idents: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
_by_ident: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
_copies: weakref.WeakKeyDictionary[Any, OriginalMark] = weakref.WeakKeyDictionary()
_versions: OrderedDict[int, tuple[Any, CodeVersion]] = OrderedDict()
_copying: ContextVar[Copies | None] = ContextVar("copying", default=None)
_making_anew: ContextVar[bool] = ContextVar("making_anew", default=False)


class OriginalMark(NamedTuple):
    """By what a function or class is known again; `name` is '' for one that is not found by its name."""

    ident: str
    module: str
    name: str
    version: bytes


def mark_of(code: Any, with_version: bool = True) -> OriginalMark:
    """Return the mark of a function or class; a copy keeps that of its original."""
    if (known := _copies.get(code)) is not None:
        return known
    if (ident := _idents.get(code)) is None:
        ident = _idents[code] = uuid.uuid4().hex
        _by_ident[ident] = code
    modules = (code.__module__, "__main__")  # What `make_dataclass` makes says that it is of another one.
    for module in modules:
        if any(found is code for found in _named(module, code.__qualname__)):
            return OriginalMark(ident, module, code.__qualname__, _version_of(code) if with_version else b"")
    for module in modules:  # `Point = namedtuple("P", "x y")`
        if name := _variable_with(code, module):
            return OriginalMark(ident, module, name, _version_of(code) if with_version else b"")
    return OriginalMark(ident, code.__module__ or "", "", b"")


def original(mark: OriginalMark) -> Any:
    """Return the function or class with a mark, if it is not a copy; else None."""
    known = _by_ident.get(mark.ident)
    known = None if known in _copies else known
    if is_copying():
        return known  # What has the name in a worker may have been there before.
    here = [found for found in _named(mark.module, mark.name) if found not in _copies]
    if known is not None and any(found is known for found in here):
        return known
    version = mark.version if known is None else _version_of(known)
    alike = (found for found in here if version and _version_of(found) == version)
    return next(alike, known)


def known_class(mark: OriginalMark) -> type | None:
    """Return the class with a mark: the original, else a copy that was made before; else None."""
    copies = _copying.get()
    found = original(mark)
    if found is None:
        found = _by_ident.get(mark.ident) if copies is None else copies.get(mark.ident)
    return found if isinstance(found, type) else None


class NotDefinedHere(AttributeError):
    """A class of the notebook that a pickle names is not known in this process."""

    def __init__(self, mark: OriginalMark) -> None:
        super().__init__(f"there is no {mark.name} in {mark.module}")
        self.mark = mark


def class_of(mark: OriginalMark) -> type:
    """Return the class that a mark names: the original, else a copy, else what has that name, in whatever version.

    Raises
    ------
    NotDefinedHere
        If there is none.
    """
    found = known_class(mark)
    if found is None and not is_copying():
        found = next(_named(mark.module, mark.name), None)
    if isinstance(found, type):
        return found
    raise NotDefinedHere(mark)


def remember_copy(copy: Any, mark: OriginalMark) -> None:
    """Remember of which function or class something is a copy."""
    _copies[copy] = mark
    copies = _copying.get()
    if isinstance(copy, type):
        (_by_ident if copies is None else copies)[mark.ident] = copy


def name_copies(copies: Copies) -> None:
    """Let copies of classes be found by their names, for those who pickle with pickle itself in a worker."""
    main = sys.modules["__main__"]
    for copy in copies.values():
        mark = _copies[copy]
        if mark.module == "__main__" and mark.name.isidentifier():
            present = getattr(main, mark.name, copy)
            if isinstance(present, type) and present in _copies:
                setattr(main, mark.name, copy)


@contextlib.contextmanager
def copying(copies: Copies) -> Iterator[None]:
    """Copy code in a block, so that a task sees it, and its globals, as they were when it was sent.

    Parameters
    ----------
    copies : dict of str to type
        Classes that were copied already, by ident, and to which others are added. Those of another run may differ.
    """
    token = _copying.set(copies)
    try:
        yield
    finally:
        _copying.reset(token)


@contextlib.contextmanager
def making_anew() -> Iterator[None]:
    """In a block, make functions without a name of their own anew, as the call does that the result is of."""
    token = _making_anew.set(True)
    try:
        yield
    finally:
        _making_anew.reset(token)


def makes_anew() -> bool:
    """Whether functions without a name of their own are made anew."""
    return _making_anew.get()


def is_copying() -> bool:
    """Whether functions are to be copied."""
    return _copying.get() is not None


def _named(module: str, name: str) -> Iterator[Any]:
    """What a name leads to: a function or class, then what that wraps."""
    found: Any = sys.modules.get(module) if name else None
    for part in name.split("."):
        found = getattr_or_none(found, part)
    while found is not None:
        if isinstance(found, _CODE):
            yield found
        found = getattr_or_none(found, "__wrapped__")


def _variable_with(code: Any, module: str) -> str:
    """Find the variable of a module that holds a function or class; those of IPython come and go."""
    variables = getattr(sys.modules.get(module), "__dict__", {})
    return next((name for name, value in [*variables.items()] if value is code and not name.startswith("_")), "")


def _version_of(code: Any) -> bytes:
    """The code version of a function or class; b'' where that does not say all."""
    known = _versions.get(id(code))
    if known is None or not known[1].holds():
        try:
            known = _versions[id(code)] = code, describe(code)
        except Exception:
            return b""
        if len(_versions) > _MOST_VERSIONS:
            _versions.popitem(last=False)
    return b"" if known[1].obstacle else known[1].digest


def _after_fork() -> None:
    """What comes to a forked process is newer than what that inherited."""
    _idents.clear()
    _by_ident.clear()


os.register_at_fork(after_in_child=_after_fork)
