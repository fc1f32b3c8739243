"""What is known of the code that a function would run now?"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from typing import Any

MISSING: Any = object()
ENVIRONMENT = "env:"


@dataclass(frozen=True, slots=True)
class Read:
    """A global that holds plain data, or a variable of the environment: an input of the call.

    Its label is that of a global (``CUTOFF``, ``helpers.CUTOFF``), or ``env:HOME``.
    """

    label: str
    namespace: Mapping[str, Any]
    name: str

    @property
    def role(self) -> str:
        """What it is to the call: ``global:CUTOFF``, ``env:HOME``."""
        return self.label if self.label.startswith(ENVIRONMENT) else f"global:{self.label}"

    def value(self) -> Any:
        """Look the global up; raises `KeyError` when it is gone."""
        return self.namespace[self.name]


@dataclass(slots=True)
class CodeVersion:
    """A function's code as it would run now.

    Attributes
    ----------
    digest : bytes
        16 bytes, equal when all parts are.
    parts : dict of str to str
        Name of each part (``late``, ``helper``, ``default cutoff``, ``numpy``) to its digest in hex or its version.
    sources : dict of str to str
        Text of the parts that have one, for showing differences.
    reads : list of Read
        Globals that hold plain data.
    literals : list of str
        Texts in the code that could name files (``"flights.csv"``).
    edited : list of str
        Files that were edited since they were imported: what runs is older than what they say.
    obstacle : str
        A closure or default that cannot be described, and why.
    looked_up_by_text : list of mapping
        Where the code looks names up by text that it is given (``eval``).
    names_environment : bool
        Whether the code may ask for variables of the environment by names that it is given.
    settings : tuple of str
        Settings that it depends on (see `settings`), whatever it is given.
    makes_text : bool
        Whether it may put values into text.
    assigned : dict of str to (dict, str, bool)
        Globals that it assigns: by label the module's names, the name, and whether it reads it, too.
    closed : bool
        Whether nothing but the arguments decides what the code computes: no globals, no files.
    watched : list of (mapping, str, object)
        Names, and the objects that they were bound to.
    held : list of (str, callable, object)
        Names of what can be looked at again, and what was found there.
    caches : list of object
        Functions that remember what they have given (`functools.lru_cache`).
    """

    digest: bytes = b""
    parts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    reads: list[Read] = field(default_factory=list)
    literals: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    obstacle: str = ""
    looked_up_by_text: list[dict[str, Any]] = field(default_factory=list)
    names_environment: bool = False
    settings: tuple[str, ...] = ()
    makes_text: bool = False
    assigned: dict[str, tuple[dict[str, Any], str, bool]] = field(default_factory=dict)
    closed: bool = False
    watched: list[tuple[Mapping[str, Any], str, Any]] = field(default_factory=list)
    held: list[tuple[str, Callable[[], Any], Any]] = field(default_factory=list)
    caches: list[Any] = field(default_factory=list)

    def holds(self) -> bool:
        """Tell cheaply whether nothing that the version describes was rebound or mutated since."""
        return not self.changed()

    def changed(self, but: Container[tuple[int, str]] = ()) -> str:
        """Name something that was rebound or mutated since, `but` for some names, with the ids of their modules."""
        for namespace, name, value in self.watched:
            if namespace.get(name, MISSING) is not value and (id(namespace), name) not in but:
                return name
        for name, look, found in self.held:
            if look() != found:
                return name
        return ""
