"""Which draw of random numbers is this call's?

After a seed, the state that the generator has: the same state gives the same numbers, in any process. Without one, the
place: the cell (or script), and how often the same call was made in this run of it.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from xxhash import xxh3_128_hexdigest

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.task.random_state import Mark, SharedGenerators, token_of

FRESH = "fresh"  # A generator that the code makes anew from the system's entropy each time.


class Here(Protocol):
    """Where calls happen."""

    cell: Cell


class Draws:
    """Tells draws apart.

    Parameters
    ----------
    here : Here
    """

    def __init__(self, here: Here) -> None:
        self._here = here
        self.generators = shared_generators()
        self._at_first = self.generators.marks_by_name()

    def now(self, call: Call, names: Iterable[str], marks: Mapping[str, Mark | None] | None = None) -> dict[str, str]:
        """Say which draws a call would make (or made, from states as they were in `marks`) from generators by name."""
        return {name: self._token(call, name, marks) for name in names}

    def made(self, call: Call) -> None:
        """Note that a call that draws was answered: the next one like it is another draw."""
        counts = self._here.cell.draws
        counts[call.key] = counts.get(call.key, 0) + 1

    def states(self, marks: Mapping[str, Mark | None]) -> dict[str, Any]:
        """Return the states after a call of those generators whose numbers are known from here on: they were seeded."""
        return {
            name: self.generators[name].state()
            for name in marks
            if name in self.generators and self.generators[name].is_seeded(self.generators[name].mark())
        }

    def restore(self, name: str, state: Any) -> None:
        """Put a generator into a state."""
        __import__(name)
        self.generators.marks()
        self.generators[name].restore(state)

    def _token(self, call: Call, name: str, marks: Mapping[str, Mark | None] | None) -> str:
        mark = self._mark(call, name, marks) if name != FRESH else None
        if mark is not None and self.generators[name].is_seeded(mark):
            return token_of(mark) if call.nth is None else _token("seeded", token_of(mark), call.nth)
        nth = self._here.cell.draws.get(call.key, 0) if call.nth is None else call.nth
        return _token("place", _place_of(self._here.cell), nth)

    def _mark(self, call: Call, name: str, marks: Mapping[str, Mark | None] | None) -> Mark | None:
        """The state that a draw counts with: of a plan's calls that at its beginning, whoever comes first."""
        if call.nth is not None:
            return self._at_first.get(name)
        return self.generators.mark_of(name) if marks is None else marks.get(name)


@functools.cache
def shared_generators() -> SharedGenerators:
    """Return the generators of this process; they are followed from the first time on."""
    return SharedGenerators(may_have_seeded)


def _token(*parts: object) -> str:
    return xxh3_128_hexdigest(repr(parts).encode("utf-8", "backslashreplace"))


def _place_of(cell: Cell) -> str:
    """Name the cell, or the script."""
    return cell.ident or cell.code or os.path.basename(getattr(sys.modules.get("__main__"), "__file__", None) or "")


def may_have_seeded() -> bool:
    """Whether cells before this one, or the script itself, speak of seeds or states."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        texts = [str(text) for text in shell.user_ns.get("In", [])]
    else:
        path = getattr(sys.modules.get("__main__"), "__file__", None)
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # type: ignore[arg-type]
                texts = [file.read()]
        except (OSError, TypeError):
            texts = []
    return any("seed" in text or "setstate" in text for text in texts)
