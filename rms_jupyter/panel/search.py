"""Where in the whole graph is what the user looks for?

Words are looked for everywhere; ``pipe:align``, ``status:failed``, ``file:*.bam`` and ``k=15`` narrow the search; a
text that begins with ``where`` is a condition in SQL on the view ``nodes``.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from rms_jupyter.handles.lineage import describe
from rms_jupyter.harmless import one_line
from rms_jupyter.panel.lineage import lineage_of
from rms_jupyter.search import Search, where

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_MOST_SHOWN = 50
_CONDITION = re.compile(r"\s*where\s+(.+)", re.IGNORECASE | re.DOTALL)


def answer(session: Session, question: dict[str, Any]) -> dict[str, Any]:
    """Look for ``text``, and where in ``view`` that is drawn.

    Returns
    -------
    dict
        ``total``; ``drawn``: how many there are in each box, by its number; ``hits``: the first ones, those that are
        drawn before the others, each ``id, what, kind, status, place`` (None where it is not drawn).
    """
    ids = session.matches(parse(str(question.get("text", ""))))
    lineage = lineage_of(session, question["view"])
    places = lineage.places_of(ids) if ids else {}
    first = sorted(ids[: 100 * _MOST_SHOWN], key=lambda ident: ident not in places)[:_MOST_SHOWN]
    nodes = lineage.nodes_of(first)
    hits = [
        {
            "id": str(ident),
            "what": one_line(describe(nodes[ident]), 200),
            "kind": nodes[ident].kind,
            "status": nodes[ident].status,
            "place": places.get(ident),
        }
        for ident in first
        if ident in nodes
    ]
    drawn = {str(place): count for place, count in Counter(places.values()).items()}
    return {"total": len(ids), "drawn": drawn, "hits": hits}


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
    condition = _CONDITION.match(text)
    if condition:
        return condition[1]
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
