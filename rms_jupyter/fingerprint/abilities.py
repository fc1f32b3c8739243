"""What can instances of a type do: be called, iterated, indexed?  Libraries ask the class before they see a value."""

from __future__ import annotations

LETTERS = {
    "call": "c",
    "iter": "i",
    "next": "y",
    "len": "l",
    "contains": "n",
    "getitem": "g",
    "reversed": "r",
    "index": "x",
    "int": "t",
    "float": "f",
    "complex": "z",
    "round": "o",
    "enter": "e",
    "fspath": "p",
}


def abilities_of(kind: type) -> str:
    """Say in letters what instances of a type can do.

    Examples
    --------
    >>> abilities_of(float), abilities_of(tuple)
    ('tfo', 'ilng')
    """
    methods: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        methods.update(vars(base))
    letters = "".join(letter for name, letter in LETTERS.items() if methods.get(f"__{name}__") is not None)
    return letters + ("p" if issubclass(kind, str) else "")
