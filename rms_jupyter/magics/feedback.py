"""What does a cell say at its end?  One line: what was a hit, what ran, and why."""

from __future__ import annotations

from html import escape

from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.lookup import NewInput
from rms_jupyter.views.wording import duration

_MUTED = "color:var(--jp-ui-font-color2,#6b7280)"
_HIT = "color:var(--jp-brand-color1,#2563eb)"
_RAN = "color:var(--jp-warn-color0,#a05a00)"
_MOST_PIPES = 8


def summary(answers: list[tuple[str, Answer]]) -> list[tuple[str, str, str, str]]:
    """Sum the calls of a cell up by pipe.

    Returns
    -------
    list of (str, str, str, str)
        Pipe, what of it was a hit, what of it ran, and why.
    """
    rows = []
    for name in dict.fromkeys(name for name, _ in answers):
        mine = [answer for pipe, answer in answers if pipe == name]
        hits, ran = [a for a in mine if a.hit], [a for a in mine if not a.hit]
        saved = sum(answer.task.seconds for answer in hits)
        seconds = sum(answer.task.seconds for answer in ran)
        hit_text = f"{_times(len(hits), 'hit')}, saved {duration(saved)}" if hits else ""
        ran_text = f"ran{f' {len(ran):,}×' if len(ran) > 1 else ''} {duration(seconds)}" if ran else ""
        reasons = list(dict.fromkeys(str(a.reason) for a in ran if a.reason and a.reason.kind != "never_run"))
        new = sum(a.reason is not None and a.reason.kind == "never_run" for a in ran)
        if new and (hits or reasons or any(isinstance(answer.reason, NewInput) for answer in ran)):
            reasons.insert(0, f"{new:,} new")
        rows.append((name, hit_text, ran_text, "; ".join(reasons[:2])))
    return rows


def as_text(rows: list[tuple[str, str, str, str]], headline: str = "") -> str:
    """Put the line together as text."""
    parts = [headline] if headline else []
    for name, hit, ran, why in rows[:_MOST_PIPES]:
        what = ", ".join(filter(None, (hit, ran + (f": {why}" if why else "") if ran else "")))
        parts.append(f"{name} {what}")
    return " · ".join(parts) + _rest(rows)


def as_html(rows: list[tuple[str, str, str, str]], headline: str = "") -> str:
    """Put the line together as HTML."""
    parts = [escape(headline)] if headline else []
    for name, hit, ran, why in rows[:_MOST_PIPES]:
        pieces = [f"<b>{escape(name)}</b>"]
        if hit:
            word, _, rest = hit.partition(",")
            pieces.append(f'<span style="{_HIT}">{escape(word)}</span>,{escape(rest)}{"," if ran else ""}')
        if ran:
            pieces.append(escape(ran) + (f': <span style="{_RAN}">{escape(why)}</span>' if why else ""))
        parts.append(" ".join(pieces))
    return (
        f'<div style="{_MUTED};font-size:var(--jp-ui-font-size1,13px)">{" · ".join(parts)}{escape(_rest(rows))}</div>'
    )


def _times(count: int, word: str) -> str:
    return word if count == 1 else f"{count:,} {word}s"


def _rest(rows: list[tuple[str, str, str, str]]) -> str:
    return f" · and {len(rows) - _MOST_PIPES} more pipes" if len(rows) > _MOST_PIPES else ""
