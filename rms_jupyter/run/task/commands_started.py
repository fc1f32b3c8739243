"""Which files does a command name that code starts?

What a program opens is not told. So the words of its command count that name files: those that are there are read,
those that are not might be, and what the shell writes on at its end (``>> log.txt``) is changed each time. Of scripts
counts what they rest on.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from types import FrameType
from typing import Any

from rms_jupyter.run.task.asking import is_ours
from rms_jupyter.run.task.scripts_started import scripts_in

_WORD = re.compile(r"""[^\s'"();|&<>=,`]+""")
_ADDED_TO = re.compile(r""">>\s*['"]?([^\s'"();|&<>]+)""")
_STARTERS = ("subprocess", "os", "asyncio")
_LONGEST, _MOST = 100_000, 1_000


def named_in_command(event: str, args: tuple[Any, ...], frame: FrameType) -> Iterator[tuple[str, str]]:
    """Find what is to be noted of a program that is started; see `touched.Touched`."""
    if not _is_started_by_us(frame):
        yield from _in_command(*((args[0], None) if event == "os.system" else args[1:3]))


def _in_command(command: Any, folder: Any) -> Iterator[tuple[str, str]]:
    """Find what words of a command name.

    Examples
    --------
    >>> list(_in_command("cat no_such.txt >> log.txt", "/tmp"))
    [('changes', '/tmp/log.txt'), ('reads', '/tmp/no_such.txt'), ('reads', '/tmp/log.txt')]
    """
    parts = [command] if isinstance(command, (str, bytes, os.PathLike)) else list(command)
    texts = [os.fsdecode(part)[:_LONGEST] for part in parts]
    base = os.path.abspath(os.fsdecode(folder or "."))
    words = [word for text in texts for word in (text, *_WORD.findall(text))]
    for added_to in (name for text in texts for name in _ADDED_TO.findall(text)):
        yield "changes", os.path.join(base, added_to)
    yield from (("rests_on", path) for path in scripts_in(words, base))
    for word in list(dict.fromkeys(words))[:_MOST]:
        yield from _named(os.path.normpath(os.path.join(base, word)), word)


def _named(path: str, word: str) -> Iterator[tuple[str, str]]:
    if glob.has_magic(word):
        yield "lists", os.path.dirname(path)
        yield from (("reads", found) for found in glob.glob(path))
    elif os.path.isdir(path):
        yield "lists", path
    elif os.path.isfile(path) or (_may_be_file(word) and os.path.isdir(os.path.dirname(path))):
        yield "reads", path


def _may_be_file(word: str) -> bool:
    return not word.startswith("-") and bool(re.fullmatch(r"[\w./+@%-]+\.\w+", word)) and not word[0].isdigit()


def _is_started_by_us(frame: FrameType | None) -> bool:
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _STARTERS:
        frame = frame.f_back
    return frame is not None and is_ours(frame)
