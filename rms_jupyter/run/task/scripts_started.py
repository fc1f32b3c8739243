"""Which files does a script rest on that code starts: modules beside it, and files that its text names?

What a program opens is not told, so its text is read: that of scripts, and of code that Python is given (`-c`, `-m`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from rms_jupyter.fingerprint.bash_words import files_like
from rms_jupyter.fingerprint.scripts import PYTHON, ScriptSays, language_of, modules_at, said_by, said_by_text

_MOST = 500
_OF_THE_SYSTEM = ("/usr/bin/", "/usr/sbin/", "/usr/lib", "/usr/share/", "/bin/", "/sbin/", "/lib", "/etc/")


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
            _follow(modules_at([word], [base]), base, found)
        elif before == "-c":
            _follow(modules_at(said_by_text(word, PYTHON).modules, [base]), base, found)
        else:
            path = os.path.join(base, word)
            if os.path.isfile(path) and language_of(path):
                _follow([path], base, found)
        before = word
    return found


def _follow(paths: Iterable[str], base: str, found: dict[str, None]) -> None:
    """Add files, and what those rest on that are scripts; one of the system's counts by itself."""
    for path in map(os.path.normpath, paths):
        if path in found or len(found) >= _MOST or not os.path.isfile(path):
            continue
        found[path] = None
        if not path.startswith(_OF_THE_SYSTEM) and (language := language_of(path)):
            folders = dict.fromkeys([os.path.dirname(path), base])
            _follow(_named_by(said_by(path, language), folders), base, found)


def _named_by(said: ScriptSays, folders: Iterable[str]) -> Iterable[str]:
    for pattern in said.patterns:
        for folder in folders:
            yield from files_like(pattern, folder)
    yield from modules_at(said.modules, folders)
