"""How is text drawn that came from data?  Without terminal commands, and with what reverses it spelled out."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_IN_ASCII = str.maketrans(
    {
        "→": "->",
        "µ": "u",
        "·": "|",
        "…": "...",
        "×": "x",
        "–": "-",
        "≤": "<=",
        "≥": ">=",
        "└": "`",
        "├": "|",
        "│": "|",
        "─": "-",
    }
)
_ESCAPES = re.compile(
    r"(?P<colour>\x1b\[[\d;:]*m)"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
)
_COLOURS = re.compile(r"\x1b\[[\d;:]*m")
_REVERSING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def readable(text: str) -> str:
    r"""Make text harmless to a terminal: colours stay, other commands go; of a line written over, the last state stays.

    Examples
    --------
    >>> readable("10%\r100%\n\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\x00 \u202egpj.exe")
    '100%\n\x1b[31mred\x1b[0m \\u202egpj.exe\x1b[0m'
    """
    text = _ESCAPES.sub(lambda found: found["colour"] or "", text.replace("\r\n", "\n"))
    if "\r" in text:
        lines = text.split("\n")
        text = "\n".join(next((part for part in reversed(line.split("\r")) if part), "") for line in lines)
    text = _REVERSING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text + "\x1b[0m" * ("\x1b[" in text and not text.endswith("\x1b[0m"))


def harmless(text: str) -> str:
    r"""Make text harmless to a page, too: without colours.

    Examples
    --------
    >>> harmless("\x1b[31mred\x1b[0m \u202egpj.exe\x00")
    'red \\u202egpj.exe'
    """
    return _COLOURS.sub("", readable(text))


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


def fits_console(text_of: Callable[[T], str]) -> Callable[[T], str]:
    """Let the text of an object do no harm to the console, and be one that it can show, whatever its encoding."""

    @functools.wraps(text_of)
    def fitting(shown: T) -> str:
        return for_console(readable(text_of(shown)))

    return fitting


def for_console(text: str) -> str:
    """Return text as the console can show it: where that is not Unicode, with what stands for the rest."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding, "surrogatepass" if encoding.lower().startswith("utf") else "strict")
    except UnicodeEncodeError:
        return text.translate(_IN_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    except LookupError:
        pass
    return text
