"""What is a template?  A function of parameters that calls pipes: the same calls, whether predicted or made."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Protocol

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.flows.flow_run import problems_told
from rms_jupyter.flows.joined import OutputsToCome, joined_here, joining
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.plan_report import PlanReport
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.harmless import fits_console

_TO_COME = (VirtualResource, OutputsToCome)


class TemplateHost(Protocol):
    """What a template asks of the session."""

    def plan(self) -> Plan:
        """Collect calls."""

    def plan_here(self) -> Plan | None:
        """Return the plan that calls go to, if they are being collected."""

    def keep_template(self, template: Template) -> None:
        """Keep a template in the store, under its name."""


class Deferred:
    """Calls that a template has made, and that have not run.

    Attributes
    ----------
    plan : Plan
        The calls.
    """

    def __init__(self, template: Template, body: joining, returned: Any, again: Callable[[], Deferred]) -> None:
        self.plan, self._body = body.plan, body
        self._template, self._returned, self._again = template, returned, again

    def run(self, **options: Any) -> Any:
        """Run what the store does not answer, and return what the template returns; options as `Plan.run` has them.

        Raises
        ------
        PlanFailed
            After all that can finish has finished.
        """
        __tracebackhide__ = True
        with problems_told(self._body.runs):
            self.plan.run(**options)
        return self.value

    @property
    def value(self) -> Any:
        """What the template returns, once it has run."""
        __tracebackhide__ = True
        for flow, run in self._body.flows:
            flow.look_back_on(run)
        return unwrap(self._returned, lambda own: own._rms_given() if isinstance(own, _TO_COME) else own)

    def explain(self) -> Any:
        """Say of each call what would happen to it; see `Plan.explain`."""
        plan = self._again().plan if self._body.flows else self.plan  # To look ahead, a flow grows.
        return plan.explain()

    def wait(self, timeout: float | None = None) -> PlanReport:
        """Wait for a run in the background; see `Plan.wait`."""
        with problems_told(self._body.runs):
            return self.plan.wait(timeout)

    @fits_console
    def __repr__(self) -> str:
        return f"<{self._template.name}: {len(self.plan):,} calls, to be run with .run()>"


class Template:
    """A function of parameters that calls pipes.

    Parameters
    ----------
    name : str
    text : str
        Its source: one function.
    function : callable
        What is called; its calls of pipes are collected.
    host : callable
        Gives the session.

    Attributes
    ----------
    name, text, doc : str
    signature : inspect.Signature

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/analysis.rms")
    >>> @s.pipe
    ... def double(x):
    ...     return 2 * x
    >>> @s.template
    ... def twice(x: int = 1):
    ...     "Double it, and again."
    ...     return double(double(x))
    >>> len(twice.defer(3).plan), twice(3), twice.doc
    (2, 12, 'Double it, and again.')
    >>> s.close()
    """

    def __init__(self, name: str, text: str, function: Callable[..., Any], host: Callable[[], TemplateHost]) -> None:
        self.name, self.text = name, text
        self._function, self._host = function, host
        self.signature = inspect.signature(function)
        self.doc = inspect.getdoc(function) or ""
        self.__name__, self.__doc__, self.__wrapped__ = name, self.doc, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it here and now; returns what the function returns.

        Where calls are being collected, in a plan or in the body of another template, its calls join them.

        Raises
        ------
        PlanFailed
            After all that can finish has finished.
        """
        __tracebackhide__ = True
        plan = self._host().plan_here()
        return self.defer(*args, **kwargs).run(n_jobs=1) if plan is None else self._joined(plan, args, kwargs)

    def defer(self, *args: Any, **kwargs: Any) -> Deferred:
        """Make the calls, to be run later: ``deferred.run(n_jobs=4)``."""
        __tracebackhide__ = True
        self._refuse_unfit(args, kwargs)
        host = self._host()
        host.keep_template(self)
        with joining(host.plan()) as body:
            returned = self.add_to(body.plan, *args, **kwargs)
        body.plan.put_off()
        return Deferred(self, body, returned, lambda: self.defer(*args, **kwargs))

    def add_to(self, plan: Plan, *args: Any, **kwargs: Any) -> Any:
        """Make the calls in a plan; returns what the function returns, with placeholders in it."""
        __tracebackhide__ = True
        plan.until = "the calls of the template have run", "let a pipe look at it"
        with plan:
            return self._made_calls(args, kwargs)

    def _joined(self, plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make the calls among those that are being collected; returns placeholders."""
        __tracebackhide__ = True
        self._refuse_unfit(args, kwargs)
        self._host().keep_template(self)
        if joined_here() is not None:
            return self._made_calls(args, kwargs)
        with joining(plan) as body:
            returned = self._made_calls(args, kwargs)
        if body.flows:
            raise RmsError(
                f"{self.name} runs a flow, which cannot join other calls",
                hint=f"call it outside of the plan, or put it off: {self.name}.defer(...).run()",
            )
        return returned

    def _made_calls(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        try:
            returned = self._function(*args, **kwargs)
        except NameError as error:
            raise RmsError(
                f"the template {self.name} needs {error.name or error}, which is not defined here",
                hint="run the cell that defines it",
            ) from None
        if inspect.isgenerator(returned) or inspect.iscoroutine(returned):
            returned.close()
            raise RmsError(f"{self.name} is a {type(returned).__name__}, not a template", hint="return a list instead")
        return returned

    def simulate(self, *args: Any, **kwargs: Any) -> Any:
        """Predict its tasks and the files that they write; nothing runs, and nothing is written.

        Returns
        -------
        pandas.DataFrame or list of dict
            A row a task; columns ``task``, ``status``, ``reason``, ``seconds``, ``earlier``, ``files``.
        """
        __tracebackhide__ = True
        return self.defer(*args, **kwargs).explain()

    def form(self) -> Any:
        """Return a form for the notebook: a field for each parameter, and buttons that predict and run."""
        from rms_jupyter.flows.templates.form import form_of

        return form_of(self)

    def _refuse_unfit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        __tracebackhide__ = True
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise RmsError(f"{self.name}: {error}", hint=f"it takes {self.name}{self.signature}") from None

    @fits_console
    def __repr__(self) -> str:
        return f"<template {self.name}{self.signature}>"


def template_of(function: Callable[..., Any], host: Callable[[], TemplateHost]) -> Template:
    """Make a template of a function; its text is the source, without decorators.

    Raises
    ------
    RmsError
        If it has none, or is not a function.
    """
    try:
        [node] = parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, TypeError, SyntaxError):
        raise RmsError(
            f"{function!r} has no source that could be kept", hint="write it in a cell or a module"
        ) from None
    if not isinstance(node, ast.FunctionDef):
        raise RmsError(f"{function!r} cannot be a template", hint="write a function: def name(parameter): ...")
    node.decorator_list.clear()
    return Template(node.name, ast.unparse(node) + "\n", function, host)
