"""What can follow in the SQL of ``%%rms sql`` and ``%rms sql``?  Tables, columns, and the names that are on record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rms_jupyter import opening
from rms_jupyter.store.ask.frames import is_frame

Word = tuple[str, str]  # Text and kind of a completion.

_KEYWORDS = (
    "SELECT FROM WHERE GROUP BY ORDER LIMIT JOIN LEFT ON USING AND OR NOT IN EXISTS LIKE ILIKE BETWEEN IS NULL AS "
    "DISTINCT HAVING QUALIFY WITH UNION ALL CASE WHEN THEN ELSE END ASC DESC"
).split()
_STATUSES = (
    "done failed timed_out cancelled cut_off current obsolete overwritten deprecated deleted missing altered unreadable"
).split()
_KINDS = ["value", "file", "given", "task"]
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?(?:\*/|$)", re.DOTALL)
_CLOSED_TEXTS = re.compile(r"'(?:[^']|'')*'")
_COMPARED = re.compile(r"(?:(\w+)\s*(?:=|<>|!=|\b(?:NOT\s+)?(?:I?LIKE|IN\s*\([^()]*))|(->>?))\s*$", re.IGNORECASE)
_TABLE_FOLLOWS = re.compile(r"\b(?:FROM|JOIN)\s+(?:[\w.]+(?:\s+\w+)?\s*,\s*)*$", re.IGNORECASE)
_TABLES = re.compile(r"(?:\b(?:FROM|JOIN)|,)\s+(\w+)(?:\([^()]*\))?(?:\s+(?:AS\s+)?(\w+))?", re.IGNORECASE)


def completions(before: str, after: str, namespace: Mapping[str, Any]) -> tuple[str, list[Word]]:
    """Find what can follow in a query.

    Parameters
    ----------
    before, after : str
        The query on either side of the cursor.
    namespace : mapping
        The notebook's variables: data frames can be asked, and ``$name`` is a value.

    Returns
    -------
    (str, list of (str, str))
        The word that is to be completed, and texts with their kinds.
    """
    code = _CLOSED_TEXTS.sub("''", _COMMENTS.sub(" ", before))
    if "'" in code.replace("''", ""):
        left, _, word = before.rpartition("'")
        return word, [(name, "text") for name in _names(_COMMENTS.sub(" ", left))]
    word = re.search(r"\w*$", before)[0]  # type: ignore[index]
    left = code.removesuffix(word) if word else code
    if left.endswith("$"):
        return word, [(name, "instance") for name in namespace if not name.startswith("_")]
    known = _tables(namespace)
    if _TABLE_FOLLOWS.search(left):
        return word, [(name, "function" if name.endswith("(") else "class") for name in known]
    asked = _asked(f"{left}{word}{after}", known)
    if left.endswith("."):
        owner = re.search(r"(\w*)\.$", left)[1]  # type: ignore[index]
        return word, [(name, "property") for name in asked.get(owner.lower(), ())]
    columns = dict.fromkeys(column for own in (asked or known).values() for column in own)
    keywords = _KEYWORDS if word[:1].isupper() else [keyword.lower() for keyword in _KEYWORDS]
    return word, [*((name, "property") for name in columns), *((keyword, "keyword") for keyword in keywords)]


def _names(left: str) -> Iterable[str]:
    """What a text can be compared with, given what stands before it."""
    found = _COMPARED.search(_CLOSED_TEXTS.sub("''", left))
    if found is None or not opening.has_current():
        return []
    column = "name" if found[2] else found[1].lower()
    if column in ("status", "kind"):
        return _STATUSES if column == "status" else _KINDS
    record = opening.current().names_on_record()
    if column == "name" and not found[2] and re.search(r"\bFROM\s+pipes\b", left, re.IGNORECASE):
        column = "pipe"
    return record["pipes"] if column == "pipe" else record["params"] if column == "name" else []


def _tables(namespace: Mapping[str, Any]) -> dict[str, list[str]]:
    """What can be asked, with its columns; a view goes before a data frame of its name."""
    views = opening.current().tables() if opening.has_current() else {}
    frames = {name: _columns(value) for name, value in namespace.items() if is_frame(value)}
    return {**views, **{name: columns for name, columns in frames.items() if _is_seen(name, views)}}


def _is_seen(name: str, views: Mapping[str, Any]) -> bool:
    return not name.startswith("_") and name.lower() not in views


def _columns(frame: Any) -> list[str]:
    columns: Iterable[Any] = frame.column_names if hasattr(frame, "column_names") else getattr(frame, "columns", ())
    return [str(column) for column in columns]


def _asked(query: str, known: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The tables that a query names, with their columns; under their aliases, too."""
    asked = {}
    for table, alias in _TABLES.findall(query):
        columns = known.get(table.lower()) or known.get(f"{table.lower()}(") or known.get(table)
        if columns:
            asked[table.lower()] = columns
            if alias and alias.upper() not in _KEYWORDS:
                asked[alias.lower()] = columns
    return asked
