"""How is a call named?  By what a person knows it by, where its arguments came from: ``clean(load("raw/07.csv"))``."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from rms_jupyter.harmless import one_line
from rms_jupyter.working_folder import in_short

_WIDTH = 100
_DEEPEST = 3
_LONGEST_CHAIN = 1000
_SCRIPTS = (".py", ".ipynb")


SCRAMBLED_BY = 0x9E3779B97F4A7C15  # Odd, so that no two ids become one; the first digits depend on all of them.
_DIGITS = 7


class Called(Struct, frozen=True, gc=False):
    """A call as it is known: its pipe, its arguments as JSON, and the calls that some of them came from, by name.

    `item` is the index or key of the part of its result that is meant; None for all of it.
    """

    pipe: str
    args: Raw
    origins: Callable[[], Mapping[str, Called]] = dict
    item: int | str | None = None


def call_name(call: Called, width: int = _WIDTH) -> str:
    """Name a call in one short line, as the user would write it.

    Examples
    --------
    >>> loaded = Called("load", Raw(b'{"path": "raw/07.csv"}'))
    >>> cleaned = Called("clean", Raw(b'{"flights": "<200 rows>", "limit": 5}'), lambda: {"flights": loaded})
    >>> call_name(cleaned)
    'clean(load("raw/07.csv"), limit=5)'

    >>> call_name(Called("table", Raw(b'{"parts": ["<9 rows>", "<7 rows>"]}'), lambda: {"parts[0]": loaded}))
    'table([load("raw/07.csv"), … 1 more])'

    >>> split = Called("split", Raw(b'{"seed": 1}'), item=0)
    >>> call_name(Called("fit", Raw(b'{"samples": "<331 rows>"}'), lambda: {"samples": split}))
    'fit(split(1)[0])'

    Of a long chain, both ends are named:

    >>> plotted = cleaned
    >>> for step in ("fit", "scale", "plot"):
    ...     plotted = Called(step, Raw(b'{"data": "<200 rows>"}'), lambda before=plotted: {"data": before})
    >>> call_name(plotted)
    'plot(scale(fit(… load("raw/07.csv"))))'
    """
    name = _named(call, _DEEPEST, width)
    return name if name.isprintable() else one_line(name)


def named_by_origin(call: Called, args: Mapping[str, Any]) -> dict[str, Called]:
    """Return the calls that name arguments of a call, `args`: a part of a result that is shown as it is names itself.

    Examples
    --------
    >>> pair = Called("pair", Raw(b"{}"), item=0)
    >>> call = Called("fit", Raw(b"{}"), lambda: {"samples": pair, "k": pair})
    >>> list(named_by_origin(call, {"samples": "<331 rows>", "k": 3}))
    ['samples']
    """
    found = call.origins().items()
    return {name: origin for name, origin in found if origin.item is None or not _says_all(args.get(name))}


def _says_all(shown: Any) -> bool:
    return not isinstance(shown, (list, dict)) and not (isinstance(shown, str) and shown.startswith("<"))


def first_item(name: str) -> str:
    """Return the role of the first item of a list: an argument that is one is named by where that came from."""
    return f"{name}[0]"


def length_shown(value: Any) -> int:
    """Return how many items a list has, also where that is all that is shown of it; 0 for others.

    Examples
    --------
    >>> length_shown([1, 2]), length_shown("<list of 1,000>"), length_shown("<200 rows>")
    (2, 1000, 0)
    """
    if isinstance(value, list):
        return len(value)
    found = re.fullmatch(r"<list of ([\d,]+)>", value) if isinstance(value, str) else None
    return int(found[1].replace(",", "")) if found else 0


def source_name(call: Called) -> str:
    """Name the call that a chain began with, ``load("raw/07.csv")``; '' where the call has no chain behind it."""
    source = _source(call)
    return "" if source is call else call_name(source)


def column_name(name: str, of: str, taken: Collection[str]) -> str:
    """Name a column after something of a call, with what it is of before it where the name is taken.

    Examples
    --------
    >>> column_name("alpha", "args", {"id"}), column_name("id", "args", {"id"})
    ('alpha', 'args.id')
    """
    while name in taken:
        name = f"{of}.{name}"
    return name


def short_id(ident: int, digits: int = _DIGITS) -> str:
    """Shorten the id of a task or resource to what one reads and types; with 16 digits it stands for no other.

    Examples
    --------
    >>> short_id(8050232252874905454), short_id(8050232252874905454, 16)
    ('tb97e173', 'tb97e1730022c7406')
    """
    return f"t{ident * SCRAMBLED_BY % (1 << 64):016x}"[: digits + 1]


def is_short_id(text: str) -> bool:
    """Whether a text looks like a short id, or the beginning of one."""
    return re.fullmatch(r"t[0-9a-f]{4,16}", text) is not None


def span_of_short_id(text: str) -> tuple[int, int]:
    """Return the first and the last of the scrambled ids that a short id may stand for."""
    digits, room = text[1:], 4 * (17 - len(text))
    first = int(digits, 16) << room
    return first, first + (1 << room) - 1


def arguments_text(args: Raw) -> str:
    """Write arguments in one line, each with its name.

    Examples
    --------
    >>> arguments_text(Raw(b'{"sample": "s_118", "k": 15}'))
    'sample="s_118", k=15'
    """
    return one_line(", ".join(f"{name}={literal(value)}" for name, value in msgspec.json.decode(args).items()))


def _named(call: Called, deep: int, width: int) -> str:
    args = msgspec.json.decode(call.args)
    if call.pipe.endswith(_SCRIPTS):  # How it is run is called by a name; what that leaves empty says nothing.
        args = {name: value for name, value in args.items() if value not in ([], {})}
    origins = named_by_origin(call, args) if deep else {}
    texts: list[str] = []
    for name, value in args.items():
        text = literal(in_short(value) if isinstance(value, str) else value)
        if name in origins:
            text = _origin_named(origins[name], deep, width)
        elif first_item(name) in origins:
            first = _origin_named(origins[first_item(name)], deep, width)
            more = length_shown(value) - 1
            text = f"[{first}, … {more:,} more]" if more else f"[{first}]"
        texts.append(f"{name}={text}" if texts else text)
    text = ", ".join(texts)
    part = f"[{literal(call.item)}]" if call.item is not None else ""
    return f"{call.pipe}({text if len(text) <= width else text[: width - 1] + '…'}){part}"


def _origin_named(origin: Called, deep: int, width: int) -> str:
    if deep > 1:
        return _named(origin, deep - 1, width)
    source = _source(origin)
    return f"… {_named(source, 0, width)}" if source is not origin else _named(source, 1, width)


def _source(call: Called) -> Called:
    """Follow the first argument that came from a call, and so on, to the first call."""
    for _ in range(_LONGEST_CHAIN):
        args = msgspec.json.decode(call.args)
        origins = named_by_origin(call, args)
        first = next((name for name in args if name in origins), None)
        if first is None:
            break
        call = origins[first]
    return call


def literal(value: Any) -> str:
    """Write an argument as in code; what is shown between angle brackets stays as it is."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if not isinstance(value, str):
        return repr(value)
    return value if value.startswith("<") and value.endswith(">") else msgspec.json.encode(value).decode()
