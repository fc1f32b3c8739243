"""How are functions made pipes, and calls of them answered?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import CannotRecord, NotRecomputable, UntrustedContent
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.handles.awaiting import awaitable
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.model import Ref
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.call.definition import Definition, contract_of
from rms_jupyter.run.call.older_code import changed_code
from rms_jupyter.run.plan.repeats import WORTH_A_WORD
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.coroutines import call_to_end
from rms_jupyter.run.task.further import Later, asked_by
from rms_jupyter.run.task.messages import Message
from rms_jupyter.run.task.open_figures import FIGURES, figures_now, prepare_to_draw
from rms_jupyter.run.task.shown import load_messages
from rms_jupyter.run.task.streams import captured_here
from rms_jupyter.session.core import Core
from rms_jupyter.staleness import Reason
from rms_jupyter.views.wording import duration


class Calling:
    """Pipes and calls."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._calls = core, core.store, core.calls
        self._defined: dict[str, tuple[Pipe[Any], Pipe[Any] | None, Cell | None]] = {}

    def register_pipe(
        self, /, function: Callable[..., Any], *, output_func: Callable[..., Any] | None = None, **options: Any
    ) -> Pipe[Any]:
        """Make a function a pipe whose calls give handles (see `Resource`), unless ``returns="value"`` is said.

        Parameters
        ----------
        function : callable
            A function, class, method, partial; or a pipe, to give it other options.
        output_func : callable, optional
            Takes the same arguments, gives the paths that the function will write.
        **options
            ``name, outputs, returns, volatile, deterministic, version, ignore, secret, invariants, allow_empty,
            overwrite, cores, memory, timeout, retries, isolate, temporary, expires_after``; RMS's
            ``return_volatile`` and ``is_deterministic`` are understood.

        Raises
        ------
        RegistrationError
            If it cannot be a pipe, or an option is unknown.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> double = s.register_pipe(lambda x: 2 * x, name="double")
        >>> double(4).content, double(4).task.hit
        (8, True)
        >>> s.close()
        """
        return self._define(function, output_func, {"returns": "resource"} | options)

    def pipe(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a function a pipe whose calls give values, as a decorator: ``@s.pipe``, ``@s.pipe(outputs=["bam"])``.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def double(x):
        ...     return 2 * x
        >>> double(4) + 1
        9
        >>> s.close()
        """
        if function is None:
            return lambda f: self.pipe(f, **options)
        return self._define(function, options.pop("output_func", None), options)

    def _define(self, function: Callable[..., Any], output_func: Callable[..., Any] | None, options: Any) -> Pipe[Any]:
        plain = function.body if isinstance(function, Pipe) else function
        pipe: Pipe[Any] = Pipe(Definition(plain, contract_of(options), output_func), lambda: self._core.as_host)
        self.define(pipe)
        return pipe

    def define(self, pipe: Pipe[Any]) -> None:
        """Let a pipe that was just defined be known here; what follows from it is told by `news_of_definitions`."""
        before = self._core.pipes.get(pipe.name)
        self._defined[pipe.name] = pipe, before, self._core.defined_in.get(pipe.name)
        self._core.defined_in[pipe.name] = self._core.place.cell
        self._core.adopt(pipe)

    def news_of_definitions(self) -> list[str]:
        """Say what the definitions of the cell will cost: finished work that would be repeated; names used twice."""
        defined, self._defined = self._defined, {}
        calls = Counter(name for name, _ in self._core.place.cell.answers)
        news = []
        for name, (pipe, before, cell) in defined.items():
            older = changed_code(self._store, pipe._definition, self._core.place.epoch)
            if older and older.tasks > calls[name] and older.seconds >= WORTH_A_WORD:
                news.append(
                    f"{older.tasks:,} finished tasks of {name} would run again: {older.changed} changed, about "
                    f"{duration(older.seconds)}; if the change does not matter: %rms accept {name}"
                )
            elsewhere = cell and cell.ident and cell.ident != self._core.place.cell.ident
            if elsewhere and cell and before and self._differ(before, pipe):
                news.append(f"{name} is defined in cell [{cell.count}] too, with other code; the latest counts")
        return news

    def run(self, pipe: Pipe[Any], args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call a pipe: the same as ``pipe(*args, **kwargs)``."""
        return pipe(*args, **(kwargs or {}))

    def call(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call from the store or by running it; that of an async function when it is awaited."""
        __tracebackhide__ = True
        if pipe._definition.is_async and not pipe._definition.gives_resource:
            return self._coroutine(pipe, args, kwargs)
        plan = self._core.plan_here()
        if plan is not None:
            return plan.add(pipe, args, kwargs)
        if self._core.closed:
            self._core.refuse_closed()
        if self._core.paused:
            return self._unrecorded(pipe, _plainly(pipe, args, kwargs))
        if self._core.read_only:
            return self._look_only(pipe, args, kwargs)
        try:
            answer = self._calls.answer(pipe._definition, args, kwargs)
        except CannotRecord as error:  # Nothing has run yet.
            self._say_unrecorded(pipe, error.message)
        else:
            return self._value(pipe, answer, args, kwargs)
        return self._run_unrecorded(pipe, args, kwargs)

    def _coroutine(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make what a call of an async function gives; arguments that it does not take are refused at once."""
        __tracebackhide__ = True
        pipe._definition.binder.bind(*args, **kwargs)
        coroutine: Any = self._when_awaited(pipe, args, kwargs)
        coroutine.__name__, coroutine.__qualname__ = pipe.__name__, pipe.__qualname__
        return coroutine

    async def _when_awaited(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call of an async function, in the event loop that it is awaited in."""
        __tracebackhide__ = True
        if captured_here() is not None or self._core.paused:
            return await _plainly(pipe, args, kwargs)
        plan = self._core.plan_here()
        if plan is not None:
            return plan.add(pipe, args, kwargs)
        if self._core.closed:
            self._core.refuse_closed()
        if self._core.read_only:
            known = self._calls.look(pipe._definition, args, kwargs)
            if known is not None:
                return self._given(pipe, known)
            self._say_unrecorded(pipe, f"{self._core.path} is open read-only")
            return await _plainly(pipe, args, kwargs)
        try:
            answer = await self._calls.answer_awaited(pipe._definition, args, kwargs)
        except CannotRecord as error:
            self._say_unrecorded(pipe, error.message)
        else:
            return self._value(pipe, answer, args, kwargs)
        return await _plainly(pipe, args, kwargs)

    def _value(self, pipe: Pipe[Any], answer: Answer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what an answer gives; where its content is gone and cannot be made again, run the call."""
        __tracebackhide__ = True
        try:
            return self._given(pipe, answer)
        except (NotRecomputable, UntrustedContent) as gone:
            if not answer.hit or answer.task.changes:
                raise
            why = Reason("output_missing", gone.message, answer.id)
            return self._given(pipe, self._calls.run_again(pipe._definition, args, kwargs, why))

    def lookup(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the resource that would answer a call; None if the call would run. Nothing runs or is written."""
        self._core.refuse_closed()
        answer = self._calls.lookup(pipe._definition, args, kwargs)
        return self._core.home.result_of(answer) if answer else None

    def _given(self, pipe: Pipe[Any], answer: Answer) -> Any:
        definition = pipe._definition
        shows = answer.hit and (answer.task.shown or answer.task.printed or answer.task.changes)
        figures = figures_now().keys() if shows else ()
        asked = asked_by(self._store, answer)
        if not asked:
            home = self._core.home
            result = home.result_of(answer) if definition.gives_resource else home.value_of(answer)
        self._core.place.note(pipe.name, answer)
        if shows:
            are_open = figures_now().keys() != figures or self._open_figures(answer.task)
            self._core.front_end.show_hit(self._core.as_host, pipe, answer, are_open)
        if asked:
            return self._follow(*asked)
        return awaitable(result) if definition.is_async and definition.gives_resource else result

    def _open_figures(self, task: model.TaskRecord) -> bool:
        """Open again the figures that a call left open; return whether there were any."""
        slot = dict(task.changes).get(FIGURES)
        if slot is None:
            return False
        prepare_to_draw()
        return bool(self._store.restore(task.out[slot - 1]))

    def _follow(self, later: Later, origin: Ref) -> Any:
        """Make the calls that a task has asked for; their results take the place of its own."""
        __tracebackhide__ = True
        results = []
        for asked in later.calls:
            answer = self._calls.answer_values(*self._core.bind_asked(asked), origin)
            results.append(self._given(self._core.pipe_named(asked.pipe), answer))
        return results if later.is_list else results[0]

    def _look_only(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call from the store, or run it without a record."""
        __tracebackhide__ = True
        answer = self._calls.look(pipe._definition, args, kwargs)
        if answer is not None:
            return self._given(pipe, answer)
        self._say_unrecorded(pipe, f"{self._core.path} is open read-only")
        return self._run_unrecorded(pipe, args, kwargs)

    def _run_unrecorded(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call without a record."""
        __tracebackhide__ = True
        with capturing():
            value = call_to_end(pipe.func, unwrap(list(args)), unwrap(kwargs))
        return self._unrecorded(pipe, value)

    def _say_unrecorded(self, pipe: Pipe[Any], why: str) -> None:
        self._core.place.tell(f"{why}: {pipe.name} runs, and nothing is recorded", once=f"unrecorded {pipe.name} {why}")

    def _unrecorded(self, pipe: Pipe[Any], value: Any) -> Any:
        return self._core.home.unrecorded(value) if pipe._definition.gives_resource else value

    def messages_of(self, task: model.TaskRecord) -> list[Message]:
        """Return what a task showed when it ran, in order."""
        found = load_messages(self._store.objects, task.shown) if task.shown else []
        return found or ([["stdout", task.printed]] if task.printed else [])

    def _differ(self, a: Pipe[Any], b: Pipe[Any]) -> bool:
        first, second = (pipe._definition.version(self._core.place.epoch).digest for pipe in (a, b))
        return first != second


def _plainly(pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the function of a pipe, with the values of resources."""
    return pipe.func(*unwrap(list(args)), **unwrap(kwargs))
