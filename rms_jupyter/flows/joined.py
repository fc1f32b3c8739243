"""Where do the tasks of a flow go that the body of a template runs?  Into the template's plan, with its other calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.flow_run import FlowRun
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.refusing import Refusing
from rms_jupyter.model import Ref, Reference


class _Here(threading.local):
    """The body of a template that runs in this thread."""

    body: joining | None = None


_here = _Here()


class JoinedFlow(Protocol):
    """A flow."""

    def look_back_on(self, run: FlowRun) -> None:
        """Answer for this run from now on."""


class joining:
    """Let flows add their tasks to a plan instead of running, in a ``with`` block.

    Attributes
    ----------
    flows : list of (Flow, FlowRun)
        Those that were added.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.flows = plan, list[tuple[JoinedFlow, FlowRun]]()

    @property
    def runs(self) -> list[FlowRun]:
        """What was added of flows."""
        return [run for _, run in self.flows]

    def __enter__(self) -> joining:
        self._outer, _here.body = _here.body, self
        return self

    def __exit__(self, *error: object) -> None:
        _here.body = self._outer


def joined_here() -> joining | None:
    """Return the body of a template that runs in this thread, if one does."""
    return _here.body


class OutputsToCome(Refusing, Reference):
    """Stands for what a segment gives, of a flow that has not run: a template may return it, and no more.

    Parameters
    ----------
    segment : str
    read : callable
        Reads it once the flow has run.
    """

    __slots__ = ("_rms_read", "_rms_segment")

    def __init__(self, segment: str, read: Callable[[], Any]) -> None:
        self._rms_segment, self._rms_read = segment, read

    def _rms_given(self) -> Any:
        return self._rms_read()

    def _rms_refuse(self, use: str) -> NoReturn:
        __tracebackhide__ = True
        segment = self._rms_segment
        raise RmsError(
            f"what {segment} gives is not known while the calls of the template are collected",
            hint=f"let what takes it be a segment too: '{segment} -> NEXT', with multiplex={{'NEXT': 'group_by'}} "
            "if it takes all of it; or let the template return it",
        )

    def _rms_ref(self) -> Ref:
        self._rms_refuse("an argument")

    def _rms_value(self) -> Any:
        self._rms_refuse("a value")

    def __repr__(self) -> str:
        return f"<what {self._rms_segment} gives, once it has run>"
