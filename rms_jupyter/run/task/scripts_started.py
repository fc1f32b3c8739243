"""Which files does a script rest on that code starts: modules beside it, and files that its text names?

What a program opens is not told, so its text is read: that of scripts, and of code that Python is given (``-c``, ``-m``).
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator

_SCRIPTS = (".py", ".sh", ".bash", ".R", ".r", ".pl", ".jl", ".awk", ".sed", ".sql", ".m")
_WORD = re.compile(r"""[^\s'"();|&<>=,`\[\]{}]+""")
_LONGEST, _MOST = 200_000, 500


def scripts_in(words: Iterable[str], base: str) -> dict[str, None]:
    """Find the scripts, modules of the user's and files that a command rests on.

    Parameters
    ----------
    words : iterable of str
        Of the command; code that is given to Python is one of them.
    base : str
        The folder in which it runs.
    """
    found: dict[str, None] = {}
    before = ""
    for word in words:
        if before == "-m":
            _follow(_modules_at(word, [base]), base, found)
        elif before == "-c":
            _follow(_imported(word, [base]), base, found)
        elif word.endswith(_SCRIPTS):
            _follow([os.path.join(base, word)], base, found)
        before = word
    return found


def _follow(paths: Iterable[str], base: str, found: dict[str, None]) -> None:
    """Add files, and what those rest on that are scripts."""
    for path in map(os.path.normpath, paths):
        if path in found or len(found) >= _MOST or not os.path.isfile(path):
            continue
        found[path] = None
        if path.endswith(_SCRIPTS):
            text, folders = _text_of(path), list(dict.fromkeys([os.path.dirname(path), base]))
            words = dict.fromkeys(word for word in _WORD.findall(text) if "." in word or "/" in word)
            _follow((os.path.join(folder, word) for word in words for folder in folders), base, found)
            if path.endswith(".py"):
                _follow(_imported(text, folders), base, found)


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST)
    except OSError:
        return ""


def _imported(text: str, folders: list[str]) -> Iterator[str]:
    """Yield the files of modules that code imports and that lie in some folders; of what is imported from a package, too."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _modules_at(alias.name, folders)
        elif isinstance(node, ast.ImportFrom):
            above = os.path.join(folders[0], *[os.pardir] * (node.level - 1)) if node.level else ""
            for name in (node.module or "", *(f"{node.module or ''}.{alias.name}" for alias in node.names)):
                yield from _modules_at(name.strip("."), [above] if above else folders)


def _modules_at(name: str, folders: list[str]) -> Iterator[str]:
    parts = name.split(".")
    for folder in folders:
        for count in range(1, len(parts) + 1):
            place = os.path.join(folder, *parts[:count])
            yield from (f"{place}.py", os.path.join(place, "__init__.py"), os.path.join(place, "__main__.py"))
