"""How are all verbs listed: in a notebook, in a terminal, in the README?"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from html import escape

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.table import INTENTS
from rms_jupyter.commands.what import WHAT
from rms_jupyter.harmless import fits_console

_WIDTH, _SUMMARY_AT = 80, 16
_GREY, _LEFT = "color:var(--jp-ui-font-color2,#6b7280)", "text-align:left;vertical-align:top"


class Listing:
    """The verbs, grouped by what one wants to do.

    Parameters
    ----------
    in_terminal : bool
        Whether they are typed in a terminal.
    """

    def __init__(self, in_terminal: bool = False) -> None:
        self._in_terminal = in_terminal

    def groups(self) -> dict[str, list[Parser]]:
        """Return the parsers of each group."""
        groups = {intent: [verb.parser() for verb in verbs] for intent, verbs in INTENTS.items()}
        if not self._in_terminal:
            return groups
        for intent, parsers in groups.items():
            groups[intent] = [parser for parser in parsers if not parser.is_for_notebooks and "%rms" in parser.signs]
            for parser in groups[intent]:
                parser.for_terminal()
        return {intent: parsers for intent, parsers in groups.items() if parsers}

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
                f'<tr><td style="{_LEFT};white-space:nowrap"><code>{escape(parser.prog)}</code></td>'
                f'<td style="{_LEFT}">{escape(parser.summary)}</td></tr>'
                for parser in parsers
            )
            parts.append(f'<tr><th colspan="2" style="{_LEFT}">{escape(intent)}</th></tr>{rows}')
        return f'<table>{"".join(parts)}</table><div style="{_GREY}">{escape(self._more())}</div>'

    def _more(self) -> str:
        sign = "rms" if self._in_terminal else "%rms"
        what = WHAT.replace("a variable, ", "") if self._in_terminal else WHAT
        return f"{sign} VERB --help shows how a verb is typed. WHAT is {what}."


def markdown() -> str:
    """Return the README's table of commands."""
    lines = ["| | |", "| --- | --- |"]
    for intent, parsers in Listing().groups().items():
        lines += [f"| **{intent}** | |", *map(_row, parsers)]
    words = f"WHAT is {WHAT}. `%rms VERB --help` shows each option, `%rms` this list."
    return "\n".join([*lines, "", words])


def _row(parser: Parser) -> str:
    usage = parser.short_usage().replace("|", r"\|")
    return f"| `{usage}` | {parser.summary} |"


def _lines(parser: Parser) -> Iterable[str]:
    """Lay out a verb: its name, and what it does beside it."""
    first, *others = textwrap.wrap(parser.summary, _WIDTH - _SUMMARY_AT)
    name = f"  {parser.prog}"
    gap = " " * _SUMMARY_AT
    return [name.ljust(_SUMMARY_AT - 1) + " " + first, *(gap + line for line in others)]
