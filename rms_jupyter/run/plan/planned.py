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
from rms_jupyter.model import Ref, call_text
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.staleness import Reason


@dataclass(slots=True)
class Planned:
    """A call of the plan: the pipe, the bound values (placeholders in them), and what became of it.

    `further` are the numbers of calls that it has asked for, whose results take the place of its own (a list of them if
    `is_list`); `origin` is the task that has asked for this one, and `on_done` hears when it has ended well.
    """

    definition: Definition
    values: tuple[Any, ...]
    answer: Answer | None = None
    error: BaseException | None = None
    further: tuple[int, ...] = ()
    is_list: bool = False
    origin: Ref | None = None
    on_done: Callable[[int], None] | None = None

    @property
    def label(self) -> str:
        """The call in words."""
        call = Call(self.definition.name, self.definition.binder.names, self.values)
        call.secret = self.definition.contract.secret
        return call_text(call.pipe_name, call.args_json())

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
