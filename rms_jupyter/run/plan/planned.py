"""What is a call of a plan, and what has become of it?"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from rms_jupyter.errors import NotComputedYet
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.model import Ref, Reference
from rms_jupyter.naming import Called, call_name
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.staleness import Reason


def _unknown(value: Any) -> None:
    """What is known of the origin of a value where nobody has kept track of it."""


@dataclass(slots=True)
class Planned:
    """A call of the plan: the pipe, the bound values (placeholders in them), and what became of it.

    `further` are the numbers of calls that it has asked for, whose results take the place of its own (a list of them if
    `is_list`); `origin` is the task that has asked for this one, and `on_done` hears when it has ended well.
    `made_by` finds the call that a value came from.
    `asked` are the values with their placeholders, once those have been resolved: another call may have answered one.
    """

    definition: Definition
    values: tuple[Any, ...]
    answer: Answer | None = None
    error: BaseException | None = None
    further: tuple[int, ...] = ()
    is_list: bool = False
    origin: Ref | None = None
    on_done: Callable[[int], None] | None = None
    made_by: Callable[[Any], Called | None] = _unknown
    asked: tuple[Any, ...] = ()

    def resolve(self, resolve: Callable[[Reference], Any]) -> None:
        """Put what placeholders stand for in their place."""
        if not self.asked and any(isinstance(value, Reference) for value in self.values):
            self.asked = self.values
        self.values = tuple(unwrap(value, resolve) for value in self.values)

    @property
    def label(self) -> str:
        """The call in words."""
        return call_name(self.called)

    @property
    def called(self) -> Called:
        """The call as it is known, with the calls that its arguments come from."""
        definition = self.definition
        call = Call(definition.name, definition.binder.names, self.values)
        call.secret = definition.contract.secret
        return Called(definition.name, call.args_json(), self._origins)

    def _origins(self) -> dict[str, Called]:
        secret = self.definition.contract.secret
        named = zip(self.definition.binder.names, self.asked or self.values, strict=True)
        found = {name: self._origin(value) for name, value in named if name not in secret}
        return {name: call for name, call in found.items() if call is not None}

    def _origin(self, value: Any) -> Called | None:
        return value._rms_called() if isinstance(value, Reference) else self.made_by(value)

    def declared_files(self) -> list[str]:
        """Absolute paths that it declares to write, as far as they are known before it runs."""
        if not self.definition.has_outputs:
            return []
        try:
            return [os.path.abspath(path) for path in self.definition.declared_outputs(self.values)]
        except NotComputedYet:
            return []


class Missed(Struct, gc=False):
    """A call that the store does not answer, and that is to run.

    `flaw` says why the task found does not answer it, and `known` is the id that its key led to then; `attempts` are
    those that have failed.
    """

    number: int
    definition: Definition
    call: Call
    version: CodeVersion
    flaw: Reason | None
    mark: int
    known: int | None
    attempts: int = 0
