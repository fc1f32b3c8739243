"""What can follow in a line that begins with ``%rms`` or ``%%rms``, or in a cell of SQL?"""

from __future__ import annotations

import glob
import importlib
import os
import re
import sys
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from rms_jupyter import opening
from rms_jupyter.magics.commands import CELL, LINE

_RMS = re.compile(r"^\s*(%%?)rms[ \t]+(.*)$")
_SQL_CELL = re.compile(r"%%rms[ \t]+sql\b")
_SQL_LINE = re.compile(r"^\s*%%?rms[ \t]+sql\b(?:\s+\w+\s*<<|\s+--as[ =]\w+)*\s((?!-).*)$")
_TAKES_WHAT = ("lineage", "why", "diff", "show", "logs", "mark", "rerun", "delete", "export")
_TAKES_PATH = ("open", *_TAKES_WHAT)


@context_matcher()  # type: ignore[untyped-decorator]
def rms_matcher(context: Any) -> dict[str, Any]:
    """Complete sub-commands, options, pipes, variables, paths and SQL."""
    line = context.line_with_cursor[: context.cursor_position]
    if query := _query(context.full_text.split("\n"), context.cursor_line, line):
        return _sql(*query)
    found = _RMS.match(line)
    if found is None:
        return {"completions": []}
    cell = found[1] == "%%"
    before, _, word = found[2].rpartition(" ")
    command = "" if cell and found[2].startswith("-") else before.strip().partition(" ")[0]
    texts = _arguments(command, cell, word) if command or word.startswith("-") else _commands(cell)
    return _matching(word, [(text, kind) for text, kind in texts if text.startswith(word)])


def _matching(word: str, texts: list[tuple[str, str]]) -> dict[str, Any]:
    matches = [SimpleCompletion(text=text, type=kind) for text, kind in texts]
    return {"completions": matches, "matched_fragment": word, "suppress": True}


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


def _commands(cell: bool) -> list[tuple[str, str]]:
    return [(name, "keyword") for name in (CELL if cell else LINE) if name]


def _arguments(command: str, cell: bool, word: str) -> list[tuple[str, str]]:
    known = CELL if cell else LINE
    if command not in known:
        return []
    found = [(text, "param") for text in _options(command, cell)]
    if command in _TAKES_WHAT or command in ("pipe", "accept"):
        found += [(name, "function") for name in _pipes()]
    if command in _TAKES_WHAT:
        found += [(name, "instance") for name in _variables() if not name.startswith("_")]
    if command in _TAKES_PATH and not word.startswith("-"):
        found += [(path + os.sep * os.path.isdir(path), "path") for path in sorted(glob.glob(f"{glob.escape(word)}*"))]
    return found


def _options(command: str, cell: bool) -> list[str]:
    if cell and command in ("", "pipe", "run"):
        here = importlib.import_module("rms_jupyter.magics.here")
        return list((here.run_parser() if command == "run" else here.pipe_parser()).options())
    name = "cell_" if command == "cell" else command
    return list(importlib.import_module(f"rms_jupyter.magics.{name}").parser().options())


def _pipes() -> list[str]:
    return list(opening.current().pipes) if opening.has_current() else []


def _variables() -> list[str]:
    return list(_namespace())


def _namespace() -> dict[str, Any]:
    shell = sys.modules["IPython"].get_ipython()
    return shell.user_ns if shell else {}
