"""How are the arguments of a task kept exactly, so that it can run again?

Parameters (numbers, text, small containers of them) stay in the record: as JSON where that is exact, else pickled.
Data (arrays, frames, objects) become given resources. Resources stay what they are, wherever they are nested.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import fractions
import functools
import importlib
import io
import itertools
import pathlib
import pickle
import sys
import types
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from rms_jupyter.fingerprint.nesting import everything, is_container
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.originals import copying
from rms_jupyter.fingerprint.values import SCALARS
from rms_jupyter.model import Reference
from rms_jupyter.store.content import is_plain
from rms_jupyter.store.upkeep.trust import admit

_MOST_ITEMS = 200
_MOST_PARTS = 2000
_MOST_TEXT = 2000
_PARAMETERS = (
    bool, int, float, complex, str, bytes, type(None), pathlib.PurePath, enum.Enum, datetime.date, datetime.time,
    datetime.timedelta, datetime.tzinfo, decimal.Decimal, fractions.Fraction, uuid.UUID, range, slice, type,
    types.FunctionType, types.BuiltinFunctionType, types.ModuleType, functools.partial, type(...),
)  # fmt: skip


def is_parameter(value: Any) -> bool:
    """Tell parameters, which stay in the record, from data, which becomes a resource.

    Examples
    --------
    >>> is_parameter({"k": [1, 2]}), is_parameter(list(range(1000)))
    (True, False)
    """
    kind = type(value)
    if issubclass(kind, (str, bytes)):
        return len(value) <= _MOST_TEXT
    if issubclass(kind, (Reference, *_PARAMETERS)) or (kind.__module__ == "numpy" and not _shape(value)):
        return True
    if not is_container(value) or len(value) > _MOST_ITEMS:
        return False
    parts = list(itertools.islice(everything(value), _MOST_PARTS + 1))
    return len(parts) <= _MOST_PARTS and all(
        len(part) <= _MOST_ITEMS if is_container(part) else is_parameter(part) for part in parts
    )


def in_json(value: Any) -> bool:
    """Tell whether the JSON of the arguments holds a value exactly."""
    return type(value) in SCALARS and is_plain(value) and (type(value) is not str or len(value) <= _MOST_TEXT)


def pack(value: Any, ident: Callable[[Reference], int]) -> dict[str, Any]:
    """Keep an argument exactly: a resource by its id, anything else pickled with its resources by their ids.

    Raises
    ------
    Exception
        Whatever pickle raises for what it cannot hold.
    """
    if issubclass(type(value), Reference):
        item = value._rms_ref().item
        return {"resource": ident(value)} | ({"item": item} if item is not None else {})
    buffer = io.BytesIO()
    _Pickler(buffer, ident).dump(value)
    return {"pickle": base64.b64encode(buffer.getvalue()).decode()}


def unpack(packed: dict[str, Any], resource: Callable[[int], Any], is_trusted: bool) -> Any:
    """Give an argument back, with what `resource` makes of each id in place of the resources.

    Raises
    ------
    UntrustedContent
        If it is a pickle, and the store is not trusted.
    """
    if "resource" in packed:
        return _part(resource(packed["resource"]), packed.get("item"))
    return Unpickler(io.BytesIO(base64.b64decode(packed["pickle"])), resource, is_trusted).load()


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, ident: Callable[[Reference], int]) -> None:
        super().__init__(file, protocol=5)
        self._ident = ident

    def persistent_id(self, value: Any) -> int | tuple[int, int | str] | None:
        if not issubclass(type(value), Reference):
            return None
        ident, item = self._ident(value), value._rms_ref().item
        return ident if item is None else (ident, item)

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, (types.FunctionType, type)) and kind_of(value.__module__) == "user":
            return _reduced(value)
        if isinstance(value, types.ModuleType):
            return importlib.import_module, (value.__name__,)
        return NotImplemented


def _reduced(code: Any) -> Any:
    """Keep a function or class of the user's by value, together with the text it was made from."""
    from rms_jupyter.fingerprint import pickling
    from rms_jupyter.kept.code import pieces_of

    try:
        data = pickling.dumps(code)
    except Exception:
        return NotImplemented
    pieces = msgspec.json.encode(pieces_of(code)).decode()
    return load_code, (data, code.__module__, code.__qualname__, isinstance(code, type), pieces)


def load_code(data: bytes, module: str, name: str, is_class: bool, pieces: str) -> Any:
    """Give a function as it was; a class as it is now, so that its instances are known as such, else as it was."""
    if is_class:
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if isinstance(found, type):
            return found
    with copying({}):
        return pickle.loads(data)


class Unpickler(pickle.Unpickler):
    """Reads what `pack` has pickled, in a store that is trusted."""

    def __init__(self, file: io.BytesIO, resource: Callable[[int], Any], is_trusted: bool) -> None:
        admit(is_trusted)
        super().__init__(file)
        self._resource = resource

    def persistent_load(self, ident: int | tuple[int, int | str]) -> Any:
        """Put in what stands for a resource, or for an item of it."""
        whole, item = (ident, None) if isinstance(ident, int) else ident
        return _part(self._resource(whole), item)


def _part(whole: Any, item: int | str | None) -> Any:
    """What stands for an item of a resource, where one is meant; a file has none."""
    return whole if item is None or not hasattr(whole, "_rms_part") else whole._rms_part(item)


def _shape(value: Any) -> Any:
    return getattr(value, "shape", None)
