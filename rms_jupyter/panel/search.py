"""Where in the whole graph is what the user looks for?

Words are looked for everywhere; ``pipe:align``, ``status:failed``, ``file:*.bam`` and ``k=15`` narrow the search, and
``slowest:8`` to so many of the calls drawn; a text that begins with ``where`` is a condition in SQL on the view
``nodes``.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from rms_jupyter.harmless import one_line
from rms_jupyter.panel.lineage import lineage_of
from rms_jupyter.search import Search, where
from rms_jupyter.store.ask.lineage import Kind
from rms_jupyter.views.lineage import describe

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_MOST_SHOWN = 50
_SLOWEST = re.compile(r"(?<!\S)slowest:(\d{1,6})(?!\S)")
_CONDITION = re.compile(r"\s*where\s+(.+)", re.IGNORECASE | re.DOTALL)


class Hit(Struct, frozen=True):
    """Something that was found, and in which box it is drawn, if it is."""

    id: str
    what: str
    kind: Kind
    status: str
    place: int | None


class Found(Struct, frozen=True):
    """How many were found, and how many of them are in each box, by its number; first those that are drawn."""

    total: int
    drawn: dict[str, int]
    hits: list[Hit]


def answer(session: Session, question: dict[str, Any]) -> Found:
    """Look for ``text``, and where in ``view`` that is drawn."""
    text = str(question.get("text", ""))
    slowest = _SLOWEST.search(text)
    ids = session.matches(parse(_SLOWEST.sub(" ", text)))
    lineage = lineage_of(session, question["view"])
    places = lineage.places_of(ids) if ids else {}
    if slowest:
        ids = lineage.slowest(list(places), int(slowest[1]))
        places = {ident: places[ident] for ident in ids}
    first = sorted(ids[: 100 * _MOST_SHOWN], key=lambda ident: ident not in places)[:_MOST_SHOWN]
    nodes = lineage.nodes_of(first)
    hits = [
        Hit(
            str(ident), one_line(describe(nodes[ident]), 200), nodes[ident].kind, nodes[ident].status, places.get(ident)
        )
        for ident in first
        if ident in nodes
    ]
    drawn = {str(place): count for place, count in Counter(places.values()).items()}
    return Found(len(ids), drawn, hits)


def condition_in(text: str) -> str:
    """Return the condition in SQL that was typed; '' where words were.

    Examples
    --------
    >>> condition_in("WHERE pipe = 'plot'"), condition_in("where is it")
    ("pipe = 'plot'", 'is it')
    """
    found = _CONDITION.match(text)
    return found[1] if found else ""


def parse(text: str) -> Search | str:
    """Read what was typed.

    Examples
    --------
    >>> search = parse("bwa pipe:align k=15")
    >>> search.words, search.own
    (('bwa',), Where(pipe='align', path='', params={'k': 15}))
    >>> parse("WHERE path LIKE '%.bam'")
    "path LIKE '%.bam'"
    """
    if condition := condition_in(text):
        return condition
    words, params, named = [], {}, {"pipe": "", "status": "", "file": ""}
    for word in text.split():
        name, colon, rest = word.partition(":")
        parameter, equals, value = word.partition("=")
        if colon and rest and name in named:
            named[name] = rest
        elif equals and parameter.isidentifier() and value:
            params[parameter] = _value(value)
        else:
            words.append(word)
    own = where(named["pipe"], named["file"], **params) if named["pipe"] or named["file"] or params else None
    return Search("any", tuple(words), own, status=named["status"])


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
