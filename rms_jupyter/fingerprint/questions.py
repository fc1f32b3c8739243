"""What can be known of a path without opening it: is it there, how large is it, when was it changed?

A question is written as the path with a mark behind it, so that it stands among the files that a call has read.
"""

from __future__ import annotations

import os
import stat

THERE, SIZE, FIGURES, RIGHTS, TARGET = "/?there", "/?size", "/?figures", "/?rights", "/?target"
NOTHING = "nothing"
_IN_WORDS = {
    THERE: "whether {} is there",
    SIZE: "how large {} is",
    FIGURES: "the size or time of {}",
    RIGHTS: "what may be done with {}",
    TARGET: "where {} leads",
}
_RIGHTS = ((os.R_OK, "r"), (os.W_OK, "w"), (os.X_OK, "x"))
_lstat, _stat, _access, _readlink = os.lstat, os.stat, os.access, os.readlink


def is_question(path: str) -> bool:
    """Whether a path is one with a question behind it.

    Examples
    --------
    >>> is_question("/data/a.txt/?there"), is_question("/data/a.txt")
    (True, False)
    """
    return "/?" in path and path.endswith(tuple(_IN_WORDS))


def parts_of(question: str) -> tuple[str, str]:
    """Return the path of a question, and what is asked of it."""
    path, _, asked = question.rpartition("/?")
    return path or os.sep, f"/?{asked}"


def in_words(path: str) -> str:
    """Say what is asked; a path without a question stays as it is.

    Examples
    --------
    >>> in_words("/data/a.txt/?there"), in_words("/data/a.txt")
    ('whether /data/a.txt is there', '/data/a.txt')
    """
    if not is_question(path):
        return path
    about, asked = parts_of(path)
    return _IN_WORDS[asked].format(about)


def answer(question: str) -> str:
    """Answer a question as things are now.

    Examples
    --------
    >>> answer("/?there"), answer("/nowhere/?there"), answer("/nowhere/?size")
    ('folder', 'nothing', 'nothing')
    """
    path, asked = parts_of(question)
    try:
        link = "link to a " if stat.S_ISLNK(_lstat(path).st_mode) else ""
        if asked == TARGET:
            return _readlink(path) if link else "no link"
        return link + _described(path, asked)
    except (OSError, ValueError):
        return NOTHING


def _described(path: str, asked: str) -> str:
    try:
        found = _stat(path)
    except OSError:
        return NOTHING  # A dead link.
    kind = "folder" if stat.S_ISDIR(found.st_mode) else "file" if stat.S_ISREG(found.st_mode) else "special file"
    if asked == SIZE:
        return f"{kind} of {found.st_size} bytes"
    if asked == FIGURES:
        links = "" if kind == "folder" or found.st_nlink == 1 else f", {found.st_nlink} links"
        return f"{kind} of {found.st_size} bytes at {found.st_mtime_ns}, mode {found.st_mode:o}{links}"
    if asked == RIGHTS:
        return f"{kind} {''.join(sign for right, sign in _RIGHTS if _access(path, right))}"
    return kind
