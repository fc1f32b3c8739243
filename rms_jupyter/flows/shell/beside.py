"""Which files does a command read and write, beside its arguments?  Nobody sees what a program opens: it is looked up.

Those are the files that its text names (see `named`), and the ones that stand beside an argument, as indices do:
``genome.fa.fai``.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterable, Mapping

from rms_jupyter.fingerprint.bash_words import patterns_in
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.flows.shell.described import words_in
from rms_jupyter.flows.shell.named import FilesNamed
from rms_jupyter.run.task.touched import note_elsewhere, untouched
from rms_jupyter.run.task.written import seen

_ADDS = re.compile(r">>|\btee\s+-a|\bsed\s+-\w*i")  # What may leave in a file what it held.
_WORD = r"""(?:"[^"]*"|'[^']*'|[^\s;|&()<>"'])+"""
_ADDED = re.compile(rf">>\s*({_WORD})|\btee\s+-a((?:\s+{_WORD})+)")
_BEGUN = re.compile(rf"(?<!>)>\|?\s*({_WORD})|\brm((?:\s+{_WORD})+)|\btee((?:\s+(?!-a){_WORD})+)")
_FAILED = ".failed"  # What a task that has failed left behind.


class FilesAround:
    """Looks at files before a command runs, and afterwards tells those who watch what a task does.

    Parameters
    ----------
    text : str
    given : mapping of str to str
        Words of it that are variables, and what they hold.
    inputs, outputs : sequence of str
        Paths.
    """

    def __init__(self, text: str, given: Mapping[str, str], inputs: list[str], outputs: list[str]) -> None:
        self._may_add = _ADDS.search(text) is not None
        self._inputs, self._outputs = inputs, outputs
        self._read = [*inputs, *_beside(inputs)]
        self._were_there = {path for path in outputs if existing(path)}
        known = {**os.environ, "PWD": os.getcwd(), **given}
        self._named = FilesNamed(text, known)
        self._added = _named_by(_ADDED, text, known) - _named_by(_BEGUN, text, known) - set(outputs)
        self._words = [*map(os.path.abspath, words_in(text, given))]
        written_out = (pattern.text for pattern in patterns_in(text, known) if not glob.has_magic(pattern.text))
        more = (os.path.abspath(word) for word in (*written_out, *self._named.words) if "\0" not in word)
        self._watched = [*dict.fromkeys([*self._words, *more])]
        self._stood = {path: seen(path) for path in self._named.files}
        self._before = {path: seen(path) for path in (*self._watched, *_beside([*inputs, *outputs]))}

    def tell(self) -> None:
        """Tell what was read, made and changed."""
        for path in (*self._read, *self._unchanged()):
            sys.audit("open", path, "r", os.O_RDONLY)
        for folder in self._named.folders:
            sys.audit("os.listdir", folder)
        note_elsewhere(self._named.modules, (), ())
        for path in self._outputs:
            self._tell_written(path, path in self._were_there)
        for path in self._changed():
            self._tell_written(path, self._before.get(path) is not None)

    def _changed(self) -> list[str]:
        with untouched():
            paths = dict.fromkeys((*self._watched, *_beside([*self._inputs, *self._outputs])))
            return [path for path in paths if seen(path) != self._before.get(path)]

    def _unchanged(self) -> list[str]:
        """The files that its text names, by a name that bash makes, and that are as they were."""
        with untouched():
            told = {*self._words, *self._outputs}
            return [path for path, was in self._stood.items() if path not in told and seen(path) == was]

    def _tell_written(self, path: str, was_there: bool) -> None:
        if os.path.isfile(path):
            adds = path in self._added or (was_there and self._may_add)
            sys.audit("open", path, "a" if adds else "w", os.O_WRONLY | os.O_CREAT)


def _named_by(places: re.Pattern[str], text: str, known: Mapping[str, str]) -> set[str]:
    """The paths that stand in a text where a pattern has groups."""
    words = " ".join("".join(groups) for groups in places.findall(text))
    return {os.path.abspath(os.path.expanduser(pattern.text)) for pattern in patterns_in(words, known, text)}


def _beside(paths: Iterable[str]) -> list[str]:
    found = (near for path in paths for near in glob.glob(f"{glob.escape(path)}.*"))
    return [os.path.abspath(path) for path in found if not path.endswith(_FAILED) and os.path.isfile(path)]
