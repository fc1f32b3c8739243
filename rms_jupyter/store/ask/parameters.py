"""How does a value of the notebook travel into SQL, as ``$name`` or ``?``?"""

from __future__ import annotations

import datetime
import difflib
import enum
import numbers
import os
import sys
import uuid
from collections.abc import Collection, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.remembered import library_of

_DIGITS = 38  # Of DuckDB's widest decimal.
_ROOTS = {"numpy", "pandas", "polars", "pyarrow"}
_DAYS = ("Y", "M", "W", "D")
_AS_THEY_ARE = (str, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)


class _NoValue(Exception):
    """SQL has no such value; says what it is, and what to do."""


def bound(names: Collection[str], query: str, given: Any) -> Any:
    """Pick the values that a query asks for, as DuckDB takes them.

    Parameters
    ----------
    names : collection of str
        The parameters of the query, by name or place.
    query : str
    given : mapping, sequence or None
        A mapping may hold more than is asked for.

    Raises
    ------
    RmsError
        If a name is unknown, or SQL has no such value.
    """
    if not names:
        return None
    if given is not None and not isinstance(given, Mapping):
        return [_value(f"${place}", value) for place, value in enumerate(given, 1)]
    return {name: _value(f"${name}", _named(name, query, given or {})) for name in names}


def sql_value(value: Any) -> Any:
    """Turn a value into one that DuckDB takes, without changing what it says."""
    if _is_missing(value):
        return None
    if isinstance(value, enum.Enum):
        return sql_value(value.value)
    if isinstance(value, os.PathLike):
        return sql_value(os.fsdecode(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (_numpy("datetime64"), _numpy("timedelta64"))):
        return _moment(value)
    if isinstance(value, (bool, _numpy("bool_"))):
        return bool(value)
    if isinstance(value, numbers.Real):
        return _number(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, _AS_THEY_ARE):
        return _as_it_is(value)
    return _many(value)


def _value(name: str, value: Any) -> Any:
    try:
        return sql_value(value)
    except _NoValue as reason:
        what, hint = reason.args
        raise RmsError(f"SQL: {name} is {what}", hint=hint) from None


def _named(name: str, query: str, given: Mapping[str, Any]) -> Any:
    if name.isdigit():
        raise RmsError("SQL: no value is given for ? or $1", hint="name a variable, as $limit does")
    alike = [other for other in given if other != name and str(other).lower() == name.lower() and f"${other}" in query]
    if alike:
        raise RmsError(f"SQL: ${name} and ${alike[0]} are one name to SQL", hint="rename one of the variables")
    if name not in given:
        near = difflib.get_close_matches(name.lower(), [str(other) for other in given], 3)
        near += [str(other) for other in given if str(other).lower() == name.lower() and other not in near]
        hint = f"did you mean {', '.join(f'${other}' for other in near)}?" if near else "define it first"
        raise RmsError(f"SQL: there is no variable {name} for ${name}", hint=hint)
    return given[name]


def _numpy(name: str) -> Any:
    numpy = sys.modules.get("numpy")
    return getattr(numpy, name) if numpy else ()


def _is_missing(value: Any) -> bool:
    """Whether a value is None, or what NumPy and pandas write for it."""
    return value is None or type(value).__name__ in ("NaTType", "NAType", "MaskedConstant")


def _number(value: Any) -> int | float:
    if not isinstance(value, numbers.Integral):
        return float(value)
    whole = int(value)
    if not -(2**127) <= whole < 2**128:
        raise _NoValue("a whole number of more than 128 bits", "compare with text: str(number)")
    return whole


def _decimal(value: Decimal) -> Any:
    """DuckDB rounds a decimal that is too wide for it to a float, without a word."""
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int) and max(len(digits) + max(exponent, 0), 1 - exponent) > _DIGITS:
        raise _NoValue(f"a decimal of more than {_DIGITS} digits", "round it, or make it a float")
    return value


def _moment(value: Any) -> Any:
    """Turn a ``datetime64`` or ``timedelta64`` into an exact moment or span."""
    if _numpy("isnat")(value):
        return None
    kind, unit = value.dtype.name.split("[")[0], _numpy("datetime_data")(value.dtype)[0]
    if kind == "datetime64" and unit not in _DAYS and value.astype("M8[us]") != value:
        return _with_nanoseconds(value)
    if kind == "timedelta64" and (unit in ("Y", "M", "generic") or value.astype("m8[us]") != value):
        raise _NoValue(f"a timedelta64[{unit}], which no INTERVAL holds exactly", "make it microseconds, or days")
    moment = value.astype(f"{kind}[{'D' if kind == 'datetime64' and unit in _DAYS else 'us'}]").item()
    if isinstance(moment, int):
        raise _NoValue(f"a {kind} that is too far away", "SQL is asked for the years 1 to 9999")
    return moment


def _with_nanoseconds(value: Any) -> Any:
    import duckdb

    if value.astype("M8[ns]") != value:
        raise _NoValue("a time finer than nanoseconds", "SQL holds nanoseconds: x.astype('M8[ns]')")
    return duckdb.Value(str(value.astype("M8[ns]")), duckdb.sqltype("TIMESTAMP_NS"))


def _as_it_is(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _NoValue("text that is not Unicode", "SQL holds Unicode only") from None
    nanoseconds = getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0)
    if not nanoseconds:
        return value
    if isinstance(value, datetime.datetime) and value.tzinfo is None:
        return _moment(value.to_datetime64())  # type: ignore[attr-defined]  # What has nanoseconds is pandas'.
    raise _NoValue("a time with nanoseconds", "SQL holds microseconds: x.floor('us')")


def _many(value: Any) -> Any:
    """Turn what holds other values into a list, a struct, or the one value that it holds."""
    if isinstance(value, Mapping):
        return {key: sql_value(one) for key, one in value.items()}
    if hasattr(value, "as_py"):
        return sql_value(value.as_py())
    if getattr(value, "ndim", None) == 0:
        return sql_value(_single(value))
    is_column = library_of(value) in _ROOTS and hasattr(value, "__iter__")
    if isinstance(value, (Sequence, Set)) or (is_column and not hasattr(value, "columns")):
        return [sql_value(one) for one in value]
    raise _no_value(value)


def _single(value: Any) -> Any:
    """Take the one value out of an array or tensor without dimensions."""
    if isinstance(value, _numpy("ndarray")):
        return value[()]
    is_time = getattr(getattr(value, "dtype", None), "kind", "") in ("m", "M")  # Comes out as a bare number.
    inner = value if is_time or not hasattr(value, "item") else value.item()
    if type(inner) is type(value):
        raise _no_value(value)
    return inner


def _no_value(value: Any) -> _NoValue:
    return _NoValue(
        f"of type {type(value).__name__}, which SQL has no value for", "use numbers, text, times, or lists of them"
    )


def plain_object(value: Any) -> Any:
    """Turn one of the objects in a column into what DuckDB takes; what it has no value for stays."""
    if type(value) in (str, int, float):
        return value
    try:
        return sql_value(value)
    except _NoValue:
        return value
