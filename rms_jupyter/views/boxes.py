"""What is written in a box of a lineage's drawing?"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from rms_jupyter.harmless import one_line
from rms_jupyter.store.ask.lineage import Kind, Node
from rms_jupyter.store.ask.neighbourhood import DrawnPlace
from rms_jupyter.views.wording import duration, size

HEIGHT = 42
LABEL, SUB = 12.5, 11.5
_NARROWEST, _WIDEST = 50, 160
_MARGIN = 10
_SCALARS = {"int", "float", "str", "bool", "NoneType"}
_FINE = {"done", "current"}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one place.

    Attributes
    ----------
    kind : Kind
    label, sub : str
        Cut so that they fit; `title` is whole.
    status : str
        As recorded, or ``stale`` where the pipe's code is another now.
    """

    kind: Kind
    label: str
    sub: str
    title: str
    status: str

    @property
    def width(self) -> float:
        """What the words need, in pixels."""
        return max(_NARROWEST, text_width(self.label, LABEL), text_width(self.sub, SUB)) + 2 * _MARGIN

    @property
    def is_fine(self) -> bool:
        """Whether there is nothing to be seen to."""
        return self.status in _FINE


def words(place: DrawnPlace, is_older: Callable[[str, str], bool], describe: Callable[[Node], str]) -> Words:
    """Word a place.

    Parameters
    ----------
    place : Place
    is_older : callable
        Tells whether a pipe, by its name, has other code now than a version, by its digest.
    describe : callable
        Words a node in one line.
    """
    node = place.node
    label, sub = _task(place) if node.kind == "task" else _file(place) if node.path else _value(place)
    times = f" ×{place.count:,}" if place.count > 1 else ""
    stale = node.kind == "task" and node.status == "done" and is_older(node.pipe, node.version)
    return Words(
        node.kind,
        fit(one_line(label), _WIDEST - text_width(times, LABEL), LABEL) + times,
        fit(one_line(sub), _WIDEST, SUB),
        one_line(describe(node)) + (f" and {place.count - 1:,} more" if times else ""),
        "stale" if stale else node.status,
    )


def _task(place: DrawnPlace) -> tuple[str, str]:
    node = place.node
    told = [f"{name}={value}" for name, value in node.settings.items() if place.count == 1 or name in place.shared]
    took = [duration(place.seconds / place.count)] if place.seconds else []
    while len(told) > 1 and text_width(" · ".join(told + took), SUB) > _WIDEST:
        told.pop()
    return node.pipe, " · ".join(told + took)


def _file(place: DrawnPlace) -> tuple[str, str]:
    each = " each" if place.count > 1 else ""
    return os.path.basename(place.path) or place.path, f"file · {size(round(place.size / place.count))}{each}"


def _value(place: DrawnPlace) -> tuple[str, str]:
    node = place.node
    where = f"given in cell [{node.cell}]" if node.cell else "given"
    kind = node.type.rpartition(".")[2] or "value"
    if node.type in _SCALARS and place.count == 1:
        return node.preview, where if node.kind == "given" else kind
    seen = f"of {node.pipe}" if place.count > 1 else node.preview
    return kind, where if node.kind == "given" else seen


def fit(text: str, room: float, font: float) -> str:
    """Cut text in the middle so that it is not wider than so many pixels.

    Examples
    --------
    >>> fit("reads_of_the_first_batch.fq.gz", 100, 11.5)
    'reads_o….fq.gz'
    """
    if text_width(text, font) <= room:
        return text
    kept = len(text)
    while kept > 2 and text_width(f"{text[: kept - kept // 2]}…{text[-(kept // 2) :]}", font) > room:
        kept -= 1
    return f"{text[: kept - kept // 2]}…{text[-(kept // 2) :]}"


def text_width(text: str, font: float) -> float:
    """Estimate how wide a text is drawn, in pixels; no narrower than in the widest of common fonts."""
    return font * sum(map(_em, text))


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.1
    if character in "ijlIft.,:;'|!()[] /\\":
        return 0.4
    if character in "mwMW@%—…×":
        return 1.0
    return 0.0 if unicodedata.combining(character) else 0.73 if character.isupper() else 0.63
