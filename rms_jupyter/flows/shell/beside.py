"""Which files does a command read and write, beside its arguments?  Nobody sees what a program opens: it is looked up.

Those are the files that its text names, and the ones that stand beside an argument, as indices do: ``genome.fa.fai``.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Collection, Iterable

from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.flows.shell.described import words_in
from rms_jupyter.run.task.touched import untouched
from rms_jupyter.run.task.written import seen

_ADDS = re.compile(r">>|\btee\s+-a|\bsed\s+-\w*i")  # What may leave in a file what it held.
_FAILED = ".failed"  # What a task that has failed left behind.


class FilesAround:
    """Looks at files before a command runs, and afterwards tells those who watch what a task does.

    Parameters
    ----------
    text : str
    names : collection of str
        Words of it that are variables.
    inputs, outputs : sequence of str
        Paths.
    """

    def __init__(self, text: str, names: Collection[str], inputs: list[str], outputs: list[str]) -> None:
        self._adds = _ADDS.search(text) is not None
        self._words = [*map(os.path.abspath, words_in(text, names))]
        self._inputs, self._outputs = inputs, outputs
        self._read = [*inputs, *_beside(inputs)]
        self._were_there = {path for path in outputs if existing(path)}
        self._before = {path: seen(path) for path in (*self._words, *_beside([*inputs, *outputs]))}

    def tell(self) -> None:
        """Tell what was read, made and changed."""
        for path in self._read:
            sys.audit("open", path, "r", os.O_RDONLY)
        for path in self._outputs:
            self._tell_written(path, path in self._were_there)
        for path in self._changed():
            self._tell_written(path, self._before.get(path) is not None)

    def _changed(self) -> list[str]:
        with untouched():
            paths = dict.fromkeys((*self._words, *_beside([*self._inputs, *self._outputs])))
            return [path for path in paths if seen(path) != self._before.get(path)]

    def _tell_written(self, path: str, was_there: bool) -> None:
        if os.path.isfile(path):
            sys.audit("open", path, "a" if was_there and self._adds else "w", os.O_WRONLY | os.O_CREAT)


def _beside(paths: Iterable[str]) -> list[str]:
    found = (near for path in paths for near in glob.glob(f"{glob.escape(path)}.*"))
    return [os.path.abspath(path) for path in found if not path.endswith(_FAILED) and os.path.isfile(path)]
