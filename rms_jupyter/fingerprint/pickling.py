"""How is the user's code pickled, so that it is the same code where it is read?

By value, as cloudpickle does, and with it the text that it was made of: its version is the same then, and tracebacks
show its lines. What comes back to where it is known (see `originals`) is the function or class that is there.
"""

from __future__ import annotations

import contextlib
import copyreg
import dataclasses
import enum
import functools
import linecache
import pickle
import sys
import types
import typing
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import cloudpickle

from rms_jupyter.fingerprint import exactly, originals
from rms_jupyter.fingerprint.anatomy import is_ours
from rms_jupyter.fingerprint.origin import kind_of, kind_of_function
from rms_jupyter.fingerprint.originals import OriginalMark
from rms_jupyter.fingerprint.source import SourceText, known_source, source_of
from rms_jupyter.fingerprint.values import digest

Text = tuple[str, str, bytes, str]  # The name of a file and its lines; what a function's text comes to, and that text.
Fill = tuple[Callable[[Any, Any], Any], Any]

_unfilled: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def _reduced_code(code: types.CodeType) -> Any:
    make, args = cloudpickle.Pickler.dispatch_table[types.CodeType](code)
    return _make_code, (make, args, code.co_filename)


def _reduced_property(made: functools.cached_property[Any]) -> Any:
    return _make_property, (made.func, made.attrname)  # Python 3.11 puts a lock into each.


def _reduced_cache(cached: Any) -> Any:
    if kind_of(cached.__module__) != "user":
        return cached.__reduce__()
    return _make_cache, (tuple(originals.mark_of(cached)), cached.__wrapped__, cached.cache_parameters())


def _by_value(cls: type, make: Any, args: Any, state: Any, *rest: Any) -> Any:
    arguments = [*args]
    arguments[-2] = None  # Cloudpickle's own ident: what it finds by that, it changes.
    if typing.NamedTuple in getattr(cls, "__orig_bases__", ()):
        arguments[2] = cls.__bases__  # The methods are there already that a NamedTuple makes.
    if not issubclass(cls, enum.Enum):
        arguments[3]["__qualname__"] = cls.__qualname__
    if "__slots__" in state[0]:
        arguments[3]["__slots__"] = state[0].pop("__slots__")  # Set later, they would have no effect.
    mark = tuple(originals.mark_of(cls))
    return _make_class, (mark, make, tuple(arguments)), (rest[-1], state), None, None, _fill


_RECIPES = {
    **cloudpickle.Pickler.dispatch_table.maps[0],
    types.CodeType: _reduced_code,
    type(dataclasses.MISSING): lambda missing: (getattr, (dataclasses, "MISSING")),  # There is but one.
    functools.cached_property: _reduced_property,
    functools._lru_cache_wrapper: _reduced_cache,
}


class CodePickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles the user's functions and classes together with what tells that they are the same."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.dispatch_table = {**copyreg.dispatch_table, **_RECIPES, **exactly.reducers()}
        super().__init__(*args, **options)
        self._files: dict[str, str] = {}

    def reducer_override(self, value: Any) -> Any:
        """Reduce a function or class of the user's."""
        kind = type(value)
        if kind is not types.FunctionType and not issubclass(kind, type):
            return NotImplemented
        if _is_found_by_import(value):
            return NotImplemented
        if kind is types.FunctionType:
            reduced = super().reducer_override(value)
            is_theirs = kind_of_function(value) == "user"
            return self.reduced_function(value, *reduced) if isinstance(reduced, tuple) and is_theirs else reduced
        return self.class_reduced(value)

    def class_reduced(self, cls: type) -> Any:
        """Reduce a class, by value if it cannot be imported."""
        reduced = super().reducer_override(cls)
        return _by_value(cls, *reduced) if isinstance(reduced, tuple) and len(reduced) == 6 else reduced

    def reduced_function(self, function: Any, make: Any, args: Any, state: Any, *rest: Any) -> Any:
        """Reduce a function that is pickled by value."""
        mark, needs = tuple(originals.mark_of(function)), self.needs(state[1]["__globals__"])
        return _make_function, (mark, self._text(function), needs, make, args), (rest[-1], state), None, None, _fill

    def needs(self, names: Mapping[str, Any]) -> dict[str, bytes] | None:
        """Digest the globals of a function; None if it is bound to what they are now."""
        return None

    def _text(self, function: Any) -> Text:
        filename = function.__code__.co_filename
        if filename not in self._files:
            self._files[filename] = "".join(linecache.getlines(filename))
        source = source_of(function, is_ours)
        return filename, self._files[filename], source.digest, source.text


class ContentPickler(CodePickler):
    """Pickles what is read where it may belong to a notebook: in the kernel, in this process or another."""

    def class_reduced(self, cls: type) -> Any:
        """Refer to a class of the notebook by its name."""
        return named(cls) or super().class_reduced(cls)

    def needs(self, names: Mapping[str, Any]) -> dict[str, bytes] | None:
        """Digest the globals of a function, so that it is known whether it belongs to a notebook."""
        try:
            return {name: digest(value) for name, value in names.items()}
        except Exception:
            return None


def named(cls: type) -> Any:
    """Reduce a class of the notebook to its name; None for one that has none there."""
    mark = originals.mark_of(cls, with_version=False)
    return (_class_named, (tuple(mark),)) if mark.name and mark.module == "__main__" else None


def _is_found_by_import(code: Any) -> bool:
    """Tell quickly what is most often pickled by name; cloudpickle looks at all else."""
    module = sys.modules.get(code.__module__) if code.__module__ != "__main__" else None
    is_found = module is not None and vars(module).get(code.__name__) is code
    return is_found and not cloudpickle.list_registry_pickle_by_value()


def _make_code(make: Any, args: Any, filename: str) -> types.CodeType:
    code: types.CodeType = make(*args)
    return code.replace(co_filename=filename)


def _make_property(function: Any, name: str | None) -> Any:
    made = functools.cached_property(function)
    made.attrname = name
    return made


def _make_cache(mark: Any, function: Any, options: dict[str, Any]) -> Any:
    mark = OriginalMark(*mark)
    found = None if originals.is_copying() else originals.original(mark)
    if found is not None:
        return found
    cached = functools.lru_cache(**options)(function)
    originals.remember_copy(cached, mark)
    return cached


def _make_function(mark: Any, text: Text, needs: dict[str, bytes] | None, make: Any, args: Any) -> Any:
    mark = OriginalMark(*mark)
    _know(args[0], *text)
    is_new = originals.is_copying() or (originals.makes_anew() and not mark.name)
    found = None if is_new else originals.original(mark)
    if found is not None:
        return found
    if not originals.is_copying() and needs is not None and (home := _namespace_with(mark.module, needs)) is not None:
        args = (args[0], home, *args[2:])
        make = types.FunctionType
    function = make(*args)
    originals.remember_copy(function, mark)
    _unfilled[id(function)] = function
    return function


def _make_class(mark: Any, make: Any, args: Any) -> Any:
    mark = OriginalMark(*mark)
    found = originals.known_class(mark)
    if found is not None:
        return found
    with _without_init_subclass(*args):
        cls = make(*args)
    originals.remember_copy(cls, mark)
    _unfilled[id(cls)] = cls
    return cls


@contextlib.contextmanager
def _without_init_subclass(kind: Any, name: Any, bases: Any, *rest: Any) -> Iterator[None]:
    """Do not tell a base class of the user's in a block that a class is made: it was told when that was defined."""
    above = [base for base in bases if isinstance(base, type)] if isinstance(bases, tuple) else []
    owners = (cls for base in above for cls in base.__mro__ if "__init_subclass__" in vars(cls))
    owner = next(owners, object)
    if kind_of(owner.__module__) != "user":
        yield
        return
    own = vars(owner)["__init_subclass__"]
    owner.__init_subclass__ = classmethod(lambda cls, **options: None)  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        owner.__init_subclass__ = own  # type: ignore[method-assign]


def _class_named(mark: Any) -> type:
    return originals.class_of(OriginalMark(*mark))


def _fill(code: Any, fill: Fill) -> None:
    """Give a copy its state; what is no copy has its own."""
    if _unfilled.pop(id(code), None) is not code:
        return
    set_state, state = fill
    main = vars(sys.modules["__main__"])
    if isinstance(code, types.FunctionType) and code.__globals__ is main:
        state[1]["__globals__"], builtins = {}, main["__builtins__"]
        set_state(code, state)
        main["__builtins__"] = builtins
    else:
        set_state(code, state)


def _know(code: types.CodeType, filename: str, lines: str, counts: bytes, text: str) -> None:
    """Know the text of a function that came from elsewhere."""
    if lines and not linecache.getlines(filename):
        linecache.cache[filename] = len(lines), None, lines.splitlines(keepends=True), filename
    known_source(code, SourceText(counts, text))


def _namespace_with(module: str, needs: dict[str, bytes]) -> dict[str, Any] | None:
    """The notebook's variables, if all that a function needs is there and the same."""
    main = vars(sys.modules["__main__"])
    try:
        same = module == "__main__" and all(digest(main[name]) == found for name, found in needs.items())
    except Exception:
        return None
    return main if same else None


def dumps(value: Any, pickler: Callable[..., pickle.Pickler] = CodePickler) -> bytes:
    """Pickle a value."""
    import io

    buffer = io.BytesIO()
    pickler(buffer, protocol=5).dump(value)
    return buffer.getvalue()
