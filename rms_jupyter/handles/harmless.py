"""How is text drawn that came from data?  Without terminal commands, and with what reverses it spelled out."""

from __future__ import annotations

import re

from rms_jupyter.handles.logs import readable

_COLOURS = re.compile(r"\x1b\[[\d;:]*m")
_REVERSING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    r"""Give text that reads as it is written.

    Examples
    --------
    >>> harmless("\x1b[31mred\x1b[0m \u202egpj.exe\x00")
    'red \\u202egpj.exe'
    """
    return _REVERSING.sub(lambda found: f"\\u{ord(found[0]):04x}", _COLOURS.sub("", readable(text)))


def one_line(text: str, width: int = 300) -> str:
    r"""Cut text to one line of so many characters at most.

    Examples
    --------
    >>> one_line("a\n  b" * 1000, 8)
    'a ba ba…'
    """
    line = " ".join(harmless(text[: 8 * width]).split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def cut(text: str, longest: int) -> str:
    r"""Cut a text of many lines, and say by how much.

    Examples
    --------
    >>> cut("x" * 2000, 10)
    'xxxxxxxxxx\n… 1,990 more characters'
    """
    rest = len(text) - longest
    return harmless(text if rest <= 0 else f"{text[:longest]}\n… {rest:,} more characters")
