"""Which names stand for what in an exported file, without any collision?"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Hashable, Iterable


class UniqueNames:
    """Gives each thing one name that nothing else has.

    Parameters
    ----------
    reserved : iterable of str
        Names that are not to be given.

    Examples
    --------
    >>> names = UniqueNames(["late"])
    >>> names.of(1, "late"), names.of(2, "s 118"), names.of(1, "late"), names.of(3, "list")
    ('late_2', 's_118', 'late_2', 'list_2')
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *reserved}
        self._names: dict[Hashable, str] = {}

    def reserve(self, names: Iterable[str]) -> None:
        """Give none of these names from now on."""
        self._taken.update(names)

    def of(self, thing: Hashable, wanted: str, infix: str = "_") -> str:
        """Give the name of a thing; a new one is as near to `wanted` as can be."""
        if thing not in self._names:
            name = base = identifier(wanted)
            number = 1
            while name in self._taken:
                number += 1
                name = f"{base}{infix}{number}"
            self._taken.add(name)
            self._names[thing] = name
        return self._names[thing]


def identifier(text: str) -> str:
    """Make an identifier of any text.

    Examples
    --------
    >>> identifier("helpers.clean"), identifier("<lambda>"), identifier("2nd")
    ('clean', 'lambda', '_2nd')
    """
    last = unicodedata.normalize("NFKC", text.rpartition(".")[2])
    name = re.sub(r"\W+", "_", last).strip("_" if not last.startswith("_") else "") or "value"
    return name if name.isidentifier() else f"_{name}" if f"_{name}".isidentifier() else "value"
