"""How are all verbs listed: in a notebook, in a terminal, in the README?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from html import escape

from rms_jupyter.commands.parser import Parser, Sign
from rms_jupyter.commands.table import INTENTS, verbs
from rms_jupyter.commands.what import WHAT
from rms_jupyter.harmless import fits_console

_WIDTH, _SUMMARY_AT = 80, 16
_GREY, _LEFT = "color:var(--jp-ui-font-color2,#6b7280)", "text-align:left;vertical-align:top"


class Listing:
    """The verbs, grouped by what one wants to do.

    Parameters
    ----------
    sign : str
        Those that are typed in a terminal, ``rms``, or else in a notebook.

    Examples
    --------
    >>> print(Listing("rms"))
    Begin
      rms open      Open a store, made if it is missing.
    ...
    """

    def __init__(self, sign: Sign = "%rms") -> None:
        self._signs: tuple[Sign, ...] = ("rms",) if sign == "rms" else ("%%rms", "%rms")

    def groups(self) -> dict[str, list[Parser]]:
        """Return the parsers of each group."""
        groups = {intent: [verb.parser() for verb in group] for intent, group in INTENTS.items()}
        return {intent: mine for intent, parsers in groups.items() if (mine := list(filter(self._has, parsers)))}

    def _has(self, parser: Parser) -> bool:
        """Whether a verb is one of these, and speak of it as it is typed here."""
        for sign in self._signs:
            if sign in parser.signs:
                parser.typed_behind(sign)
        return any(sign in parser.signs for sign in self._signs)

    @fits_console
    def __str__(self) -> str:
        lines = []
        for intent, parsers in self.groups().items():
            lines += [intent, *(line for parser in parsers for line in _lines(parser)), ""]
        return "\n".join([*lines, *textwrap.wrap(self._more(), _WIDTH)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        parts = []
        for intent, parsers in self.groups().items():
            rows = "".join(
                f'<tr><td style="{_LEFT};min-width:9.5em"><code>{escape(parser.prog)}</code></td>'
                f'<td style="{_LEFT}">{_with_code(parser.summary)}</td></tr>'
                for parser in parsers
            )
            parts.append(f'<tr><th colspan="2" style="{_LEFT}">{escape(intent)}</th></tr>{rows}')
        return f'<table>{"".join(parts)}</table><div style="{_GREY}">{escape(self._more())}</div>'

    def _more(self) -> str:
        sign = self._signs[-1]
        what = WHAT.removeprefix("a variable, ") if sign == "rms" else WHAT
        return f"{sign} VERB --help shows how a verb is typed. WHAT is {what}."


def markdown() -> str:
    """Return the README's table of commands."""
    lines = ["| | |", "| --- | --- |"]
    for intent, parsers in Listing().groups().items():
        lines += [f"| **{intent}** | |", *map(_row, parsers)]
    names = ", ".join(f"`{name}`" for name in verbs("rms"))
    words = (
        f"WHAT is {WHAT}. `%rms VERB --help` shows each option, `%rms` lists the verbs. In a terminal, `rms VERB` does "
        f"the same on the nearest store, with `--json` and `--csv` for scripts: {names}."
    )
    return "\n".join([*lines, "", *textwrap.wrap(words, 150, break_on_hyphens=False)])


def _with_code(text: str) -> str:
    """Return HTML of a text, with what stands in backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def _row(parser: Parser) -> str:
    usage = parser.short_usage().replace("|", r"\|")
    return f"| `{usage}` | {parser.summary} |"


def _lines(parser: Parser) -> Iterable[str]:
    """Lay out a verb: its name, and what it does beside it."""
    first, *others = textwrap.wrap(parser.summary, _WIDTH - _SUMMARY_AT)
    name = f"  {parser.prog}"
    gap = " " * _SUMMARY_AT
    return [name.ljust(_SUMMARY_AT - 1) + " " + first, *(gap + line for line in others)]
