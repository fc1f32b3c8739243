"""What stands for the result of a call that has not run yet?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from rms_jupyter.handles.awaiting import Awaitable
from rms_jupyter.handles.refusing import Refusing
from rms_jupyter.harmless import fits_console
from rms_jupyter.model import Ref, Reference
from rms_jupyter.naming import Called

if TYPE_CHECKING:
    from rms_jupyter.handles.plan import Plan

_SEVERAL = (list, tuple)


class VirtualResource(Refusing, Awaitable, Reference):
    """Stands for the result of a call that has not run.

    Attributes
    ----------
    replacement : Resource
        The result; raises before the run, and raises the task's own exception if it failed.
    """

    __slots__ = ("__weakref__", "_rms_number", "_rms_plan", "_rms_slot")

    def __init__(self, plan: Plan, number: int, slot: int | None = None) -> None:
        self._rms_plan, self._rms_number, self._rms_slot = plan, number, slot

    @property
    def replacement(self) -> Any:
        """The resource."""
        __tracebackhide__ = True
        result = self._rms_plan.result(self._rms_number)
        return result if self._rms_slot is None else result[self._rms_slot]

    @property
    def content(self) -> Any:
        """The value; of several results, as a list or tuple of them."""
        __tracebackhide__ = True
        result = self.replacement
        return type(result)(one.content for one in result) if type(result) in _SEVERAL else result.content

    @property
    def task(self) -> Any:
        """The task, once it has run."""
        __tracebackhide__ = True
        return self.replacement.task

    def _rms_given(self) -> Any:
        """Give what the call would have given without a plan: a value, or a handle if the pipe gives handles."""
        __tracebackhide__ = True
        given = self._rms_plan.given(self._rms_number)
        return given if self._rms_slot is None else given[self._rms_slot]

    def _rms_ref(self) -> Ref:
        ref: Ref = self.replacement._rms_ref()
        return ref

    def _rms_shown(self) -> Any:
        planned = self._rms_plan.tasks[self._rms_number]
        return self._rms_ref().shown if planned.answer else f"<{planned.definition.name}>"

    def _rms_called(self) -> Called | None:
        if self._rms_slot is not None:
            return None
        return self._rms_plan.tasks[self._rms_number].called

    def _rms_value(self) -> Any:
        __tracebackhide__ = True
        return self.replacement._rms_value()

    def _rms_input(self) -> Any:
        return self.replacement._rms_input()

    def _rms_refuse(self, use: str) -> NoReturn:
        __tracebackhide__ = True
        result = self.replacement
        if type(result) in _SEVERAL:
            raise TypeError(f"{self!r} stands for {len(result)} results ({use}): write .content for their values")
        result._rms_refuse(use)
        raise AssertionError("it refuses")

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.replacement, name)

    def __iter__(self) -> Iterator[Any]:
        planned = self._rms_plan.tasks[self._rms_number]
        outputs = planned.definition.contract.outputs
        if planned.answer is None and self._rms_slot is None and len(outputs) > 1:
            return iter([VirtualResource(self._rms_plan, self._rms_number, slot) for slot in range(len(outputs))])
        return iter(self.replacement)

    @fits_console
    def __repr__(self) -> str:
        planned = self._rms_plan.tasks[self._rms_number]
        if planned.answer is not None:
            return repr(self.replacement)
        waits = "did not run" if self._rms_plan.has_ended else "not run yet"
        state = f"failed: {planned.error!r}" if planned.error else waits
        return f"<{planned.label}: {state}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.replacement.__reduce_ex__(protocol)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        planned = self._rms_plan.tasks[self._rms_number]
        if planned.answer is None:
            return {"text/plain": repr(self)}
        return self.replacement._repr_mimebundle_(include, exclude)
