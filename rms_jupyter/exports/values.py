"""How is a value written down: as an expression where that is short, else as a file beside the script?"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import io
import math
import pathlib
import pickle
import sys
import types
import uuid
from collections.abc import Callable
from typing import Any

from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.exports.recipe import Given, MadeByCall
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.preview import type_name
from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.fingerprint.values import digest

_LONGEST = 1000
_BRACKETS: dict[Any, tuple[str, str]] = {list: ("[", "]"), set: ("{", "}"), tuple: ("(", ")")}


class TooLong(Exception):
    """A value has no short expression."""


class Values:
    """Writes values.

    Parameters
    ----------
    imported : callable
        Gives the name for a module, or something in it: takes module, attribute, wanted name.
    stand_in : callable
        Gives the expression for a `Made` or `Given`.
    name_of_code : callable
        Gives the name in the script of a function or class of the user's; '' if it is not in it.

    Attributes
    ----------
    files : dict of str to bytes
        What must be written beside the script, by name.
    """

    def __init__(
        self,
        imported: Callable[[str, str, str], str],
        stand_in: Callable[[Any], str],
        name_of_code: Callable[[Any], str],
    ) -> None:
        self._imported, self._stand_in, self._name_of_code = imported, stand_in, name_of_code
        self.files: dict[str, bytes] = {}
        self.unpickles = False

    def literal(self, value: Any) -> str | None:
        """Give a short expression for a value; None if there is none.

        Examples
        --------
        >>> values = Values(lambda module, name, wanted: wanted, repr, lambda code: "")
        >>> values.literal({"a": [1, float("nan")], "b": ()})
        "{'a': [1, float('nan')], 'b': ()}"
        """
        try:
            text = self._express(value, 0)
        except (TooLong, ValueError, OverflowError):
            return None
        return text if len(text) <= _LONGEST or isinstance(value, (MadeByCall, Given)) else None

    def from_file(self, name: str, value: Any) -> str:
        """Put a value into a file; gives the expression that reads it."""
        read, suffix, data = self._encoded(name, value)
        file = f"{name}{suffix}"
        self.files[file] = data
        return read.format(f"INPUTS / {file!r}")

    def _express(self, value: Any, depth: int) -> str:
        kind = type(value)
        if kind in (MadeByCall, Given):
            return self._stand_in(value)
        if name := self._name_of_code(value):
            return name
        if kind in _ATOMS:
            return _ATOMS[kind](value)
        if depth > 20 or (isinstance(value, (list, tuple, set, frozenset, dict)) and len(value) > _LONGEST):
            raise TooLong
        if kind in _BRACKETS and value:
            left, right = _BRACKETS[kind]
            items = ", ".join(self._express(item, depth + 1) for item in value)
            return f"{left}{items}{',' if kind is tuple and len(value) == 1 else ''}{right}"
        if kind in (list, tuple, set, frozenset):
            return f"{kind.__name__}({self._express(list(value), depth + 1)})" if value else _EMPTY[kind]
        if kind is dict:
            pairs = (f"{self._express(k, depth + 1)}: {self._express(v, depth + 1)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        return self._express_object(value, kind, depth)

    def _express_object(self, value: Any, kind: type, depth: int) -> str:
        def made(module: str, name: str, *arguments: Any) -> str:
            home = self._imported(module, "", module)
            return f"{home}.{name}({', '.join(self._express(a, depth + 1) for a in arguments)})"

        if isinstance(value, pathlib.PurePath):
            return made("pathlib", "Path" if isinstance(value, pathlib.Path) else kind.__name__, str(value))
        if kind in (datetime.date, datetime.timedelta) or (
            kind is datetime.datetime and value.tzinfo in (None, datetime.UTC)
        ):
            home = self._imported("datetime", "", "datetime")
            return repr(value).replace("datetime.", f"{home}.", 1).replace("tzinfo=datetime.", f"tzinfo={home}.")
        if kind is decimal.Decimal or kind is uuid.UUID:
            return made(kind.__module__, kind.__name__, str(value))
        if kind is fractions.Fraction:
            return made("fractions", "Fraction", value.numerator, value.denominator)
        if kind is functools.partial:
            keywords = "".join(f", {k}={self._express(v, depth + 1)}" for k, v in value.keywords.items())
            return f"{made('functools', 'partial', value.func, *value.args)[:-1]}{keywords})"
        if isinstance(value, types.ModuleType):
            return self._imported(value.__name__, "", value.__name__)
        if isinstance(value, enum.Enum) and type(value).__members__.get(str(value.name)) is value:
            return f"{self._express(kind, depth + 1)}.{value.name}"
        if kind.__module__ == "numpy" and kind.__name__ in _NUMPY_NUMBERS:
            return f"{self._imported('numpy', '', 'numpy')}.{kind.__name__}({self._express(value.item(), depth + 1)})"
        if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)) and _is_importable(value):
            if value.__module__ == "builtins":
                return value.__qualname__
            return self._imported(value.__module__, value.__qualname__, value.__name__)
        raise TooLong

    def _encoded(self, name: str, value: Any) -> tuple[str, str, bytes]:
        """How to read a value, the suffix of its file, and the file's content."""
        kind = f"{library_of(value)}.{type(value).__name__}"
        if type(value) is bytes:
            return "({}).read_bytes()", ".bin", value
        if type(value) is str and not any("\ud800" <= c <= "\udfff" for c in value):
            return "({}).read_bytes().decode()", ".txt", value.encode()
        if kind == "numpy.ndarray" and not value.dtype.hasobject:
            import numpy as np

            buffer = io.BytesIO()
            np.save(buffer, value, allow_pickle=False)
            return f"{self._imported('numpy', '', 'numpy')}.load({{}})", ".npy", buffer.getvalue()
        if kind in ("pandas.DataFrame", "polars.DataFrame") and (data := _parquet(value)):
            module = kind.partition(".")[0]
            return f"{self._imported(module, '', module)}.read_parquet({{}})", ".parquet", data
        self.unpickles = True
        return "load_input({})", ".pickle", self._pickled(name, value)

    def _pickled(self, name: str, value: Any) -> bytes:
        """Pickle a value, with the names of the script in place of what the script makes itself."""
        outer = self

        class SourcePickler(pickle.Pickler):
            def persistent_id(self, inner: Any) -> str | None:
                if isinstance(inner, (MadeByCall, Given)):
                    return outer._stand_in(inner)
                return outer._name_of_code(inner) or None

        buffer = io.BytesIO()
        try:
            SourcePickler(buffer, protocol=4).dump(value)
        except Exception as error:
            raise RmsError(
                f"{name} ({type_name(value)}) cannot be written beside the script: {words_of(error)}",
                hint="make it the result of a pipe, so that the script can make it again",
            ) from error
        return buffer.getvalue()


def _parquet(value: Any) -> bytes | None:
    """Write a frame as Parquet, if that gives back the very same frame."""
    buffer = io.BytesIO()
    try:
        if type(value).__module__.startswith("pandas"):
            value.to_parquet(buffer)
        else:
            value.write_parquet(buffer)
        data = buffer.getvalue()
        again = sys.modules[library_of(value)].read_parquet(io.BytesIO(data))
        return data if digest(again) == digest(value) else None
    except Exception:  # Arrow and polars have errors of their own for what they cannot hold.
        return None


def _is_importable(value: Any) -> bool:
    if kind_of(value.__module__) == "user" or "." in value.__qualname__:
        return False
    return getattr(sys.modules.get(value.__module__), value.__qualname__, None) is value


def _float(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"


def _complex(value: complex) -> str:
    return f"complex({_float(value.real)}, {_float(value.imag)})"


def _text(value: str | bytes) -> str:
    if len(value) > _LONGEST:
        raise TooLong
    return repr(value)


_ATOMS: dict[type, Callable[[Any], str]] = {
    type(None): repr, bool: repr, int: lambda v: repr(v) if abs(v) < 10**1000 else hex(v), float: _float,
    complex: _complex, str: _text, bytes: _text, range: repr, slice: repr, type(...): lambda v: "...",
}  # fmt: skip
_EMPTY: dict[Any, str] = {list: "[]", tuple: "()", set: "set()", frozenset: "frozenset()"}
_NUMPY_NUMBERS = frozenset(
    "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool bool_ str_".split()
)
