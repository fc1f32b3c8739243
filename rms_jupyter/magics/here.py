"""What do rewritten cells call?  Pipes defined here, and calls collected here."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from rms_jupyter import opening
from rms_jupyter.commands.pipe import parser as pipe_parser
from rms_jupyter.commands.run import parser as run_parser
from rms_jupyter.errors import RegistrationError, RmsError, UsageError, words_of
from rms_jupyter.fingerprint.anatomy import is_ours
from rms_jupyter.fingerprint.source import source_of
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.plan_report import plan_stopped
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.interrupts import unbroken
from rms_jupyter.model import Contract
from rms_jupyter.panel.watcher import Watcher
from rms_jupyter.run.call.definition import Definition, contract_of
from rms_jupyter.run.workers.executors import NAMES, is_name

_LOOKS_AT_CALLERS = re.compile(r"\bf_back\b|\b_getframe\(\s*[^)0\s]|(?<![\w.])stack\(\)|\binspect\.stack\(")


def pipe_here(name: str, line: str) -> Callable[[Any], Any]:
    """Make the decorator that turns a function of a ``%%rms`` cell into a pipe, if it is to be one.

    Parameters
    ----------
    name : str
        The function's name.
    line : str
        What stands behind ``%%rms`` or ``%%rms pipe``: options, and names if only some functions are to be pipes.
    """
    options = vars(pipe_parser().read_line(line, _namespace())) if line else {}
    wanted = options.pop("names", [])

    def decorate(function: Any) -> Any:
        if (wanted and name not in wanted) or getattr(function, "__rms_plain__", False):
            return function
        if not wanted and not isinstance(function, Pipe) and (why := _why_plain(function)):
            if opening.has_current():
                opening.current().place.tell(f"{name} is not recorded: {why}", once=f"plain {name} {why}")
            return function
        given = {key: value for key, value in options.items() if value not in (None, False, [])}
        return _as_pipe(function, given)

    return decorate


def refuse_second(first: str, second: str) -> None:
    """Refuse a magic of the whole cell in its second line.

    Raises
    ------
    UsageError
        Always.
    """
    order = f"write {second} in the first line, and {first} in the second"
    hint = "leave one of them out" if second == first else order
    raise UsageError(f"{second} stands below {first}, where a cell has its Python", hint=hint)


def refuse_others(line: str, defined: Sequence[str]) -> None:
    """Refuse what stands behind ``%%rms pipe`` and is not a function of the cell."""
    for name in pipe_parser().read_line(line, _namespace()).names:
        if name not in defined:
            near = "," not in name and difflib.get_close_matches(name, defined, 1)
            hint = f"did you mean {near[0]}?" if near else "write names of its functions, with spaces between them"
            raise RegistrationError(f"%%rms pipe: the cell does not define {name!r}", hint=hint)


def _why_plain(function: Any) -> str:
    """Say why what a ``%%rms`` cell has defined stays as it is, unless it is asked for by name; '' for a pipe."""
    if type(function) is not FunctionType:
        kind = type(function)
        return f"it is a {kind.__module__}.{kind.__qualname__}, and stays that"
    try:
        Definition(function, Contract())
    except Exception as error:
        return error.message if isinstance(error, RmsError) else f"{type(error).__name__}: {words_of(error)}"
    is_about_callers = _LOOKS_AT_CALLERS.search(source_of(function, is_ours).text)
    return "it looks at whoever calls it" if is_about_callers else ""


def output_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``OUTPUT_x`` be the output function of the pipe ``x``, if that is defined already."""
    pipe = function.__globals__.get(function.__name__.removeprefix("OUTPUT_"))
    if isinstance(pipe, Pipe):
        pipe.change(Definition(pipe.body, pipe.contract, function))
    return function


def _as_pipe(function: Any, options: dict[str, Any]) -> Pipe[Any]:
    if isinstance(function, Pipe):
        own = {key: value for key, value in options.items() if key not in function.contract.given()}
        function.change(
            Definition(function.body, contract_of({**own, **function.contract.given()}), function.output_function)
        )
        return function
    outputs = getattr(function, "__globals__", {}).get(f"OUTPUT_{getattr(function, '__name__', '')}")
    pipe: Pipe[Any] = opening.pipe(function, **options, **({"output_func": outputs} if outputs else {}))
    return pipe


def show_last(value: Any) -> None:
    """Show the last expression of a cell that is a pipe, unless it is None."""
    if value is not None:
        sys.modules["IPython"].display.display(value)


class collecting:
    """Collect the calls of a cell, run them together at its end, and put results in place of placeholders."""

    def __init__(self, line: str) -> None:
        self._options = run_parser().read_line(line, _namespace())
        self._session = opening.current()
        for name in self._options.accept:
            if told := self._session.accept(name, missing_ok=True):
                self._session.place.tell(told)
        self._plan: Plan = self._session.plan()
        self._is_plain = not (self._options.dry_run or self._records())
        self.last: Any = None

    def _records(self) -> bool:
        """Whether a run can be recorded; else calls are made where they stand, as without a plan."""
        if self._session.read_only:
            self._session.place.tell(f"{self._session.path} is open read-only: the calls run one after the other")
            return False
        return self._session.can_record("the cell")

    def __enter__(self) -> collecting:
        if not self._is_plain:
            self._plan.__enter__()
        return self

    @unbroken
    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        __tracebackhide__ = True
        if self._is_plain:
            return
        self._plan.__exit__(kind, error, trace)
        if kind is not None:
            return
        if not len(self._plan):
            self._session.place.tell(
                "no pipe was called in this cell: functions of %%rms cells and @rms.pipe are pipes"
            )
        if self._options.dry_run:
            self.last = self._plan.explain()
            return
        executor = _executor(self._options.on)
        if self._options.background:
            self._go_on(executor)
            return
        try:
            with Watcher(self._session, self._plan):
                report = self._plan.run(self._options.jobs, executor, self._options.on_error)
        finally:
            _replace_in(_namespace(), self._plan)
        if report and report.counts.get("cancelled"):
            raise plan_stopped(report)
        self.last = _replaced(self.last, self._plan)

    def _go_on(self, executor: Any) -> None:
        """Let the run go on while other cells are worked in; how it ends is said under a later cell."""
        name = self._session.keep_running(self._plan, self._options.name)
        watcher = Watcher(self._session, self._plan)
        self._plan.run(self._options.jobs, executor, self._options.on_error, background=True)
        watcher.follow(self._session.place.tell)
        self._session.place.headline(f"{name} goes on in the background; %rms stop {name} ends it")


def _executor(name: str | None) -> Any:
    """Find what ``--on`` means: a fixed name, else a variable of the notebook."""
    if name is None or is_name(name):
        return name
    executor = _namespace().get(name)
    if executor is None:
        raise RmsError(
            f"--on {name}: there is no such variable",
            hint=f"name a variable that holds an executor or a Dask cluster, or use {', '.join(NAMES)}, dask://HOST:PORT",
        )
    return executor


def _replace_in(namespace: dict[str, Any], plan: Plan) -> None:
    """Put results in place of the placeholders of a plan, in variables and in lists and dicts they hold."""
    for name, value in list(namespace.items()):
        new = _replaced(value, plan)
        if new is not value:
            namespace[name] = new


def _replaced(value: Any, plan: Plan, depth: int = 0) -> Any:
    if isinstance(value, VirtualResource):
        own = value._rms_plan is plan and plan.tasks[value._rms_number].answer is not None
        return value._rms_given() if own else value
    if depth < 4:
        if type(value) is list:
            value[:] = [_replaced(item, plan, depth + 1) for item in value]
        elif type(value) is dict:
            for key, item in value.items():
                value[key] = _replaced(item, plan, depth + 1)
        elif type(value) is tuple and any(isinstance(item, (VirtualResource, list, dict, tuple)) for item in value):
            return tuple(_replaced(item, plan, depth + 1) for item in value)
    return value


def _namespace() -> dict[str, Any]:
    shell = sys.modules["IPython"].get_ipython()
    namespace: dict[str, Any] = shell.user_ns
    return namespace
