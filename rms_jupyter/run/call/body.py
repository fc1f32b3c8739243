"""What does a pipe run?  A function, a cell, a command, a script: described, called, and kept to be written down."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from rms_jupyter.fingerprint.binding import Binder
from rms_jupyter.fingerprint.code import CodeVersion, describe, name_of
from rms_jupyter.kept.code import Reads, pieces_of
from rms_jupyter.model import Piece, ResourceRecord


class Body(ABC):
    """What a pipe runs.

    Attributes
    ----------
    name : str
        What the pipe is called, unless it is given another name.
    function : callable
        What a task calls, here or in a worker; its signature is the pipe's.
    """

    name: str
    function: Callable[..., Any]

    @property
    def binder(self) -> Binder:
        """What binds the arguments of a call."""
        return Binder(self.function)

    def says_nothing(self, value: ResourceRecord) -> bool:
        """Whether a value says nothing of what was done."""
        return value.type == "NoneType"

    @abstractmethod
    def describe(self, ignore: tuple[str, ...]) -> CodeVersion:
        """Describe the code that would run now, but for the globals and parts to be ignored."""

    @abstractmethod
    def pieces(self, name: str, reads: Reads) -> dict[str, Piece]:
        """Return the user's code that it rests on, itself first under a name, to be written down elsewhere.

        `reads` are the globals that are inputs of the call; see `kept.code.pieces_of`.
        """


class FunctionBody(Body):
    """A function, class, bound method or partial.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.name = function, name_of(function)

    def describe(self, ignore: tuple[str, ...]) -> CodeVersion:
        """Describe the function's code, transitively."""
        return describe(self.function, ignore)

    def pieces(self, name: str, reads: Reads) -> dict[str, Piece]:
        """Return the code of the function, and what it refers to."""
        return pieces_of(self.function, name, reads)
