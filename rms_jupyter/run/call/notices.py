"""What the user is told of calls that are not answered from the store, each once a session."""

from __future__ import annotations

from typing import Protocol

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.run.call.definition import Definition


class Tell(Protocol):
    """Lets the user know something; a message with the same `once` is not repeated."""

    def __call__(self, message: str, once: str = "") -> None:
        """Tell it."""


class Notices:
    """Tells why results are not kept or not reused.

    Parameters
    ----------
    tell : callable
        Lets the user know something.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def problem(self, definition: Definition, problem: str) -> None:
        """Tell why a result is not kept."""
        if problem:
            self._tell(
                f"{definition.name}: the result is not kept ({problem}); a later kernel computes it again",
                once=f"unkept {definition.name}",
            )

    def uncached(self, definition: Definition, why: str) -> None:
        """Tell why a call that has just run will not be answered from the store."""
        if why:
            self._tell(
                f"{definition.name} runs each time, its results are recorded but not reused: {why}",
                once=f"uncached {definition.name} {why}",
            )

    def unsaved(self, definition: Definition, why: str) -> None:
        """Tell why a figure is not saved."""
        if why:
            name = definition.name
            self._tell(f"{name}: a figure is not saved ({why})", once=f"unsaved {name} {why}")

    def obstacle(self, definition: Definition, call: Call) -> None:
        """Tell why a pipe is not answered from the store."""
        name = call.obstacle.partition(":")[0].rpartition(" ")[2]
        self._tell(
            f"{definition.name} runs each time, its results are recorded but not reused: {call.obstacle}. "
            f'If {name} does not matter: @rms.pipe(ignore="{name}")',
            once=f"obstacle {definition.name} {name}",
        )
