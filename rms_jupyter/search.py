"""What does the user look for?  Searches as values; the store turns them into SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal


class Condition:
    """A condition on the nodes of the graph; combined with ``&``, ``|`` and ``~``.

    Examples
    --------
    >>> where(path="*input1*") & (where(pipe="X", A=1) | where(pipe="Y", B=2))
    And(parts=(Where(pipe='', path='*input1*', params={}), Or(parts=(Where(pipe='X', path='', params={'A': 1}), \
Where(pipe='Y', path='', params={'B': 2})))))
    """

    def __and__(self, other: Condition) -> Condition:
        return And((self, other))

    def __or__(self, other: Condition) -> Condition:
        return Or((self, other))

    def __invert__(self) -> Condition:
        return Not(self)


@dataclass(frozen=True)
class Where(Condition):
    """Holds for a task or file that has all the given properties."""

    pipe: str = ""
    path: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    id: int = field(default=0, repr=False)


@dataclass(frozen=True)
class And(Condition):
    """Holds where all parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or(Condition):
    """Holds where any part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not(Condition):
    """Holds where the part does not."""

    part: Condition


def where(pipe: str = "", path: str = "", **params: Any) -> Condition:
    """Describe a task or file: by its pipe, its path (``*`` stands for anything) and its parameters.

    Parameters
    ----------
    pipe : str
        Name of the pipe.
    path : str
        Path or its end, with ``*`` and ``?``.
    **params
        Arguments and globals with their values.
    """
    return Where(pipe, path, params)


@dataclass(frozen=True)
class Search:
    """A search for tasks or files.

    Attributes
    ----------
    kind : {"task", "file", "any"}
    words : tuple of str
        Each must occur in an id, name, path, note, argument or error.
    own : Condition or None
        About the task or file itself.
    made_from : Condition or None
        About what it was made from, at any distance; each `where` may be met by another ancestor.
    status : str
        ``""`` leaves out what was overwritten or deleted; ``"any"`` does not; ``"failing"`` are tasks that failed,
        timed out or were cut off, and were not tried again since.
    limit : int
        At most so many, the latest first.
    """

    kind: Literal["task", "file", "any"] = "any"
    words: tuple[str, ...] = ()
    own: Condition | None = None
    made_from: Condition | None = None
    status: str = ""
    limit: int = 1000
