"""What does code ask of the entries of a folder that it goes through by `os.scandir`?

What an entry is asked (``entry.stat()``) is not told. So it is asked of all entries of a folder that is gone through by
code which names such a question, or calls a function of its module that does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import CodeType, FrameType, FunctionType

from rms_jupyter.fingerprint.questions import FIGURES, THERE, answer
from rms_jupyter.fingerprint.references import names_of
from rms_jupyter.run.task.asking import is_users

_OF_KIND = frozenset({"is_file", "is_dir", "is_symlink", "is_junction"})


def asked_of_entries(folder: str, frame: FrameType) -> Iterator[tuple[str, str, str, bool]]:
    """Find what is to be noted of a folder's entries; see `touched.Touched`."""
    asked = _question(frame.f_code, frame.f_globals) if is_users(frame) else ""
    for name in os.listdir(folder) if asked and os.path.isdir(folder) else ():
        question = os.path.join(folder, name) + asked
        yield "asks", question, answer(question), False


def _question(code: CodeType, namespace: dict[str, object]) -> str:
    named = names_of(code)
    for name in tuple(named):
        if isinstance(helper := namespace.get(name), FunctionType):
            named |= names_of(helper.__code__)
    return FIGURES if "stat" in named else THERE if named & _OF_KIND else ""
