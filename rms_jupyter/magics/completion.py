"""What can follow in a line that begins with ``%rms`` or ``%%rms``, or in a cell of SQL?"""

from __future__ import annotations

import glob
import os
import re
import sys
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from rms_jupyter import opening
from rms_jupyter.commands.parser import Kind, Sign
from rms_jupyter.commands.table import verbs

_MOST_FIGURES = 20
_RMS = re.compile(r"^\s*(%%?)rms[ \t]+(.*)$")
_SQL_CELL = re.compile(r"%%rms[ \t]+sql\b")
_SQL_LINE = re.compile(r"^\s*%%?rms[ \t]+sql\b(?:\s+\w+\s*<<|\s+--as[ =]\w+)*\s((?!-).*)$")


@context_matcher()  # type: ignore[untyped-decorator]
def rms_matcher(context: Any) -> dict[str, Any]:
    """Complete sub-commands, options, pipes, variables, paths and SQL."""
    line = context.line_with_cursor[: context.cursor_position]
    if query := _query(context.full_text.split("\n"), context.cursor_line, line):
        return _sql(*query)
    found = _RMS.match(line)
    if found is None:
        return {"completions": []}
    sign: Sign = "%%rms" if found[1] == "%%" else "%rms"
    *before, word = found[2].split(" ")
    words = [text for text in before if text]
    name = words.pop(0) if words and not words[0].startswith("-") else ""
    texts = _arguments(name, sign, words, word) if name or words or word.startswith("-") else _names(sign)
    return _matching(word, [(text, kind) for text, kind in texts if text.startswith(word)])


def _matching(word: str, texts: list[tuple[str, str]]) -> dict[str, Any]:
    matches = [SimpleCompletion(text=text, type=kind) for text, kind in texts]
    return {"completions": matches, "matched_fragment": word, "suppress": True, "ordered": True}


def _query(lines: list[str], at: int, line: str) -> tuple[str, str] | None:
    """Find the query that the cursor is in, on either side of it."""
    if at and _SQL_CELL.match(lines[0]):
        return "\n".join([*lines[1:at], line]), "\n".join([lines[at][len(line) :], *lines[at + 1 :]])
    found = _SQL_LINE.match(line)
    return (found[1], lines[at][len(line) :]) if found else None


def _sql(before: str, after: str) -> dict[str, Any]:
    from rms_jupyter.magics.sql_completion import completions

    word, texts = completions(before, after, _namespace())
    return _matching(word, [(text, kind) for text, kind in texts if text.lower().startswith(word.lower())])


def _names(sign: Sign) -> list[tuple[str, str]]:
    return [(name, "keyword") for name in verbs(sign) if name]


def _arguments(name: str, sign: Sign, words: list[str], word: str) -> list[tuple[str, str]]:
    """What can follow a verb and the words behind it, as its parser says."""
    if name not in verbs(sign):
        return []
    parser = verbs(sign)[name].parser()
    found: list[tuple[str, str]] = []
    for follows in parser.follows(words):
        found += [(text, "param") for text in follows] if isinstance(follows, tuple) else _of_kind(follows, word)
    return found + [(text, "param") for text in parser.options()]


def _of_kind(kind: Kind, word: str) -> list[tuple[str, str]]:
    """What is likely meant comes first: figures, pipes, variables."""
    found = [(path, "path") for path in _figures()] if kind == "what" else []
    found += [(name, "function") for name in _pipes()] if kind in ("what", "pipe") else []
    if kind == "what":
        found += [(name, "instance") for name in _variables() if not name.startswith("_")]
    if kind in ("what", "path") and not word.startswith("-"):
        found += [(path + os.sep * os.path.isdir(path), "path") for path in sorted(glob.glob(f"{glob.escape(word)}*"))]
    return list(dict.fromkeys(found))


def _figures() -> list[str]:
    """Return the latest figures on record, those below the working folder by their paths from here."""
    if not opening.has_current():
        return []
    paths = [figure.path for figure in opening.current().figures(limit=_MOST_FIGURES) if hasattr(figure, "path")]
    here = os.getcwd() + os.sep
    return [path.removeprefix(here) for path in paths if " " not in path]


def _pipes() -> list[str]:
    return list(opening.current().pipes) if opening.has_current() else []


def _variables() -> list[str]:
    return list(_namespace())


def _namespace() -> dict[str, Any]:
    shell = sys.modules["IPython"].get_ipython()
    return shell.user_ns if shell else {}
