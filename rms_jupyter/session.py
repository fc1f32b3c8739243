"""An open store with its pipes: the facade.  Each method is one call to the room that does it."""

from __future__ import annotations

import difflib
import itertools
import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.handles.awaiting import awaitable
from rms_jupyter.handles.checking import check_report, deletion_report
from rms_jupyter.handles.home import Home
from rms_jupyter.handles.lineage import Lineage
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan, VirtualResource
from rms_jupyter.handles.resource import FileResource, Resource
from rms_jupyter.handles.results import Report, Results
from rms_jupyter.handles.show import Shown
from rms_jupyter.handles.task import Task
from rms_jupyter.handles.why import Comparison, Why, value_lines
from rms_jupyter.handles.wording import duration
from rms_jupyter.run.accept import accept, changed_code, older_code, take_back
from rms_jupyter.run.answer import Answer
from rms_jupyter.run.capacity import memory
from rms_jupyter.run.capture import captured_here, capturing
from rms_jupyter.run.checking import check
from rms_jupyter.run.coroutines import call_to_end
from rms_jupyter.run.crew import Crew
from rms_jupyter.run.definition import Definition, contract_of
from rms_jupyter.run.delete import Deleter, label
from rms_jupyter.run.direct import Calls
from rms_jupyter.run.driver import Driver
from rms_jupyter.run.executors import executor_for
from rms_jupyter.run.explain import explain
from rms_jupyter.run.later import LATER, Asked
from rms_jupyter.run.made import load_displays
from rms_jupyter.run.mark import annotate, deprecate, restore
from rms_jupyter.run.recompute import recorded_arguments
from rms_jupyter.run.register import register_file
from rms_jupyter.run.remake import remake, repair_files
from rms_jupyter.run.rerun import Rerun
from rms_jupyter.run.scheduler import Demand
from rms_jupyter.run.surroundings import Cell, Fixed, Place
from rms_jupyter.run.verify import verify as run_sample
from rms_jupyter.run.why import Account, compare_tasks, why_ran, why_would_run
from rms_jupyter.search import Condition, Search, where
from rms_jupyter.store.database import sql_text
from rms_jupyter.store.find import compile_search
from rms_jupyter.store.lineage import walk
from rms_jupyter.store.overview import pipe_versions, store_status
from rms_jupyter.store.store import Store

if TYPE_CHECKING:
    import duckdb


WORTH_A_WORD = 1.0


class Session:
    """An open store. Made by `rms_jupyter.open`.

    Parameters
    ----------
    path : Path
        The store's directory, made if it is not there.
    read_only : bool
        Look only: hits are answered, other calls run without being recorded.
    notebook : str
        Who works with it, for the record.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/analysis.rms")
    >>> add_ = s.register_pipe(lambda i, j=2: i + j, name="add")
    >>> add_(1).content, add_(1, 2).task.hit
    (3, True)
    >>> s.sql("SELECT pipe, args FROM tasks").fetchall()
    [('add', '{"i":1,"j":2}')]
    >>> s.close()
    """

    def __init__(self, path: Path, read_only: bool = False, notebook: str = "") -> None:
        self.path, self.read_only, self.notebook = path, read_only, notebook
        self.returns = "resource"
        self.paused = False
        self.on_hit: Callable[[Answer, str], None] = lambda answer, call: None
        self._store = Store(path, read_only, notebook)
        self._files = FileDigests(self._recorded_state)
        self._pipes: dict[str, Pipe[Any]] = {}
        self.home = Home(
            self._store, self._files, self._definition_of, lambda definition: definition.version(self.place.epoch)
        )
        self.place = Place(self._store)
        self._calls = Calls(self._store, self._files, self.home.tracker, self.place, self._remake)
        self._defined: dict[str, tuple[Pipe[Any], Pipe[Any] | None, Cell | None]] = {}
        self._cells: dict[str, Cell] = {}
        self._running: dict[str, Plan] = {}
        self._plans = threading.local()
        self._closed = False

    # Pipes and calls -----------------------------------------------------------------------------------------------

    def register_pipe(
        self, function: Callable[..., Any], *, output_func: Callable[..., Any] | None = None, **options: Any
    ) -> Pipe[Any]:
        """Make a function a pipe.

        Parameters
        ----------
        function : callable
            A function, class, method, partial; or a pipe, to give it other options.
        output_func : callable, optional
            Takes the same arguments, gives the paths that the function will write.
        **options
            ``name, outputs, returns, volatile, deterministic, version, ignore, invariants, allow_empty, overwrite,
            cores, memory, timeout, retries, isolate, temporary``.

        Raises
        ------
        RegistrationError
            If it cannot be a pipe, or an option is unknown.
        """
        plain = function.func if isinstance(function, Pipe) else function
        pipe: Pipe[Any] = Pipe(Definition(plain, contract_of(options), output_func), lambda: self)
        self.define(pipe)
        return pipe

    def pipe(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a function a pipe, as a decorator: ``@s.pipe`` or ``@s.pipe(outputs=["bam"])``."""
        if function is None:
            return lambda f: self.register_pipe(f, **options)
        return self.register_pipe(function, **options)

    def adopt(self, pipe: Pipe[Any]) -> None:
        """Let a pipe that was made elsewhere be known here by its name."""
        self._pipes[pipe.name] = pipe
        self._cells.setdefault(pipe.name, self.place.cell)

    def define(self, pipe: Pipe[Any]) -> None:
        """Let a pipe that was just defined be known here; what follows from it is told by `news_of_definitions`."""
        before = self._pipes.get(pipe.name)
        self._defined[pipe.name] = pipe, before, self._cells.get(pipe.name)
        self._cells[pipe.name] = self.place.cell
        self.adopt(pipe)

    def news_of_definitions(self) -> list[str]:
        """Say what the definitions of the cell will cost: finished work that would be repeated; names used twice."""
        defined, self._defined = self._defined, {}
        calls = Counter(name for name, _ in self.place.cell.answers)
        news = []
        for name, (pipe, before, cell) in defined.items():
            older = changed_code(self._store, pipe._definition, self.place.epoch)
            if older and older.tasks > calls[name] and older.seconds >= WORTH_A_WORD:
                news.append(
                    f"{older.tasks:,} finished tasks of {name} would run again: {older.changed} changed, about "
                    f"{duration(older.seconds)}; if the change does not matter: %rms accept {name}"
                )
            elsewhere = cell and cell.ident and cell.ident != self.place.cell.ident
            if elsewhere and cell and before and self._differ(before, pipe):
                news.append(f"{name} is defined in cell [{cell.count}] too, with other code; the latest counts")
        return news

    def run(self, pipe: Pipe[Any], args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call a pipe: the same as ``pipe(*args, **kwargs)``."""
        return pipe(*args, **(kwargs or {}))

    def call(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call from the store or by running it; inside a running pipe it is a plain call."""
        __tracebackhide__ = True
        if captured_here() is not None:
            return pipe.func(*unwrap(list(args)), **unwrap(kwargs))
        plan: Plan | None = getattr(self._plans, "current", None)
        if plan is not None:
            return plan.add(pipe, args, kwargs)
        if self._closed:
            self._refuse_closed()
        if self.paused:
            return self.home.unrecorded(pipe.func(*unwrap(list(args)), **unwrap(kwargs)))
        if self.read_only:
            return self._look_only(pipe, args, kwargs)
        answer = self._calls.answer(pipe._definition, args, kwargs)
        return self._given(pipe, answer)

    def _given(self, pipe: Pipe[Any], answer: Answer) -> Any:
        self.place.note(pipe.name, answer)
        if answer.hit:
            self.on_hit(answer, pipe.name)
        if answer.task.out and answer.task.out[0].type == LATER:
            return self._follow(answer)
        result = self.home.result_of(answer)
        wanted = pipe._definition.contract.returns or self.returns
        if wanted == "value" and isinstance(result, Resource):
            result = result.content
        return awaitable(result) if pipe._definition.is_async else result

    def _follow(self, answer: Answer) -> Any:
        """Make the calls that a task has asked for; their results take the place of its own."""
        __tracebackhide__ = True
        later = self._store.restore(answer.task.out[0])
        results = []
        for asked in later.calls:
            pipe = self._pipe_named(asked.pipe)
            origin = model.Ref(answer.id + 1, answer.task.out[0].digest, answer.task.site)
            results.append(self._given(pipe, self._calls.answer_values(*self._bind_asked(asked), origin)))
        return results if later.is_list else results[0]

    def _bind_asked(self, asked: Asked) -> tuple[Definition, tuple[Any, ...]]:
        definition = self._pipe_named(asked.pipe)._definition
        return definition, definition.binder.bind(*asked.args, **asked.kwargs)

    def _look_only(self, pipe: Pipe[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call from the store, or run it without a record."""
        __tracebackhide__ = True
        answer = self._calls.look(pipe._definition, args, kwargs)
        if answer is not None:
            return self._given(pipe, answer)
        self.place.tell(
            f"{self.path} is open read-only: {pipe.name} runs, and nothing is recorded", once=f"unrecorded {pipe.name}"
        )
        with capturing():
            value = call_to_end(pipe.func, unwrap(list(args)), unwrap(kwargs))
        return self.home.unrecorded(value)

    def plan(self) -> Plan:
        """Collect calls, to run them together: ``with s.plan() as plan: ...``, then ``plan.run()``."""
        return Plan(self, self._enter_plan, self._leave_plan)

    def run_plan(self, plan: Plan, wanted: set[int], **options: Any) -> dict[str, int]:
        """Carry a plan out; see `Plan.run`."""
        self._refuse_closed()
        executor, workers = executor_for(options["n_jobs"], options["executor"])

        def renew() -> Executor:
            return executor_for(options["n_jobs"], None)[0] or executor  # type: ignore[return-value]

        ours = options["executor"] is None
        here = options["here"]
        driver = Driver(
            replace(self._calls, surroundings=here),
            plan.tasks,
            options["needs"],
            Crew(self._store, executor, workers, renew if ours else None) if executor is not None else None,
            Demand(workers, memory()),
            lambda reference: reference.replacement if isinstance(reference, VirtualResource) else reference,
            self._bind_asked,
            wanted,
            options["pruned"],
            options["watch"],
            options["stop_on_error"],
            plan.release,
        )
        plan.stop = driver.stop
        try:
            return driver.run()
        finally:
            for task in plan.tasks:
                if task.answer is not None:
                    here.note(task.definition.name, task.answer)

    def keep_running(self, plan: Plan, name: str = "") -> str:
        """Remember a plan that runs in the background, under a name; gives the name."""
        self._running = {n: p for n, p in self._running.items() if p.is_running}
        name = name or next(n for i in itertools.count(1) if (n := f"run{i}") not in self._running)
        if name in self._running:
            raise RmsError(f"{name} is running already", hint=f"%rms stop {name}, or choose another name")
        self._running[name] = plan
        return name

    def stop(self, name: str = "") -> list[str]:
        """Stop the runs in the background, or the one of a name: what has finished is kept.

        Returns
        -------
        list of str
            Names of those stopped.

        Raises
        ------
        RmsError
            If none runs, or none of that name.
        """
        running = {n: plan for n, plan in self._running.items() if plan.is_running and name in ("", n)}
        if not running:
            there = ", ".join(n for n, plan in self._running.items() if plan.is_running)
            what = f"no run {name!r} is going on" if name else "no run is going on in the background"
            raise RmsError(what, hint=f"there are: {there}" if there else "%%rms run --background begins one")
        for plan in running.values():
            plan.stop()
        return list(running)

    def begin_run(self) -> Fixed:
        """Put a run of the current cell on record; see `Plan.run`."""
        self._refuse_closed()
        return self.place.fixed("plan")

    def explain_plan(self, plan: Plan) -> list[dict[str, Any]]:
        """Say of each task what would happen to it; see `Plan.explain`."""

        def bind(reference: Any, answers: dict[int, Answer]) -> Any:
            if isinstance(reference, VirtualResource):
                result = self.home.result_of(answers[reference._rms_number])
                return result if reference._rms_slot is None else result[reference._rms_slot]
            return reference

        return explain(self._calls, plan.tasks, [task.needs for task in plan.unrun()], bind)

    def result_of(self, answer: Answer) -> Any:
        """Make the resource of an answer."""
        return self.home.result_of(answer)

    # Files ---------------------------------------------------------------------------------------------------------

    def register_file(self, path: str | os.PathLike[str], force: bool = False) -> FileResource:
        """Put a file on record as an input.

        Parameters
        ----------
        path : path-like
        force : bool
            Take the content as it is now, although another was recorded; the old entry is overwritten.

        Raises
        ------
        StaleInputError
            If the file has changed since it was recorded, and `force` is not given.
        RmsError
            If there is no such file, or it is a directory.
        """
        ident = register_file(self._store, self._files, os.path.abspath(path), force)
        resource: FileResource = self.home.resource(ident)
        return resource

    def file_from_path(self, path: str | os.PathLike[str]) -> FileResource:
        """Give the file on record at a path.

        Raises
        ------
        RmsError
            If none is on record there.
        """
        found = self._store.find_path(os.path.abspath(path))
        if found is None or self._store.status(found[0]) == "deleted":
            raise RmsError(f"no file on record at {path}", hint=f"put it there: s.register_file({os.fspath(path)!r})")
        resource: FileResource = self.home.resource(found[0])
        return resource

    # Asking --------------------------------------------------------------------------------------------------------

    def sql(self, query: str, params: Any = None, frames: dict[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """Ask the provenance in SQL.

        Parameters
        ----------
        query : str
            One reading statement over the views ``tasks, resources, files, params, edges, pipes, runs, marks, logs,
            figures`` and the macros ``ancestors(id)`` and ``descendants(id)``.
        params : sequence or dict, optional
            Values for ``?`` or ``$name``.
        frames : dict, optional
            Data frames that the query may name as tables.

        Returns
        -------
        duckdb.DuckDBPyRelation
            Already computed: ``.df()``, ``.pl()``, ``.arrow()``, ``.fetchall()``.

        Raises
        ------
        RmsError
            If DuckDB refuses the query, or it would write.
        """
        return self._store.ask(query, params, {name: plain_frame(frame) for name, frame in (frames or {}).items()})

    def find(self, words: str = "", overwritten: bool = False, limit: int = 1000) -> Results[Any]:
        """Search tasks, files and values by words; each must occur in an id, name, path, note, argument or error."""
        search = Search("any", tuple(words.split()), status="any" if overwritten else "", limit=limit)
        return Results(self._search(search), _row)

    def tasks(
        self,
        words: str = "",
        *,
        pipe: str = "",
        status: str = "",
        made_from: Condition | None = None,
        limit: int = 1000,
        **params: Any,
    ) -> Results[Task]:
        """Search tasks: by words, pipe, status, parameters, and what they were made from (see `where`).

        Deleted ones are left out unless asked for: ``status="deleted"``, or ``"any"``.
        """
        own = where(pipe, **params) if pipe or params else None
        search = Search("task", tuple(words.split()), own, made_from, status, limit)
        return Results(self._search(search), _row)

    def files(
        self,
        words: str = "",
        *,
        pipe: str = "",
        path: str = "",
        status: str = "",
        made_from: Condition | None = None,
        limit: int = 1000,
    ) -> Results[FileResource]:
        """Search files: by words, the pipe that made them, path, status, and what they were made from (see `where`)."""
        own = where(pipe, path) if pipe or path else None
        search = Search("file", tuple(words.split()), own, made_from, status, limit)
        return Results(self._search(search), _row)

    def lineage(self, what: Any, up: bool = True, down: bool = True, depth: int | None = None) -> Lineage:
        """Show what something was made from (`up`) and what was made from it (`down`).

        Parameters
        ----------
        what : Resource, Task, int or path-like
        up, down : bool
        depth : int, optional
            At most so many calls away.
        """
        return Lineage(walk(self._store, self.ident(what), up, down, depth))

    def why(self, what: Any, /, *args: Any, **kwargs: Any) -> Why:
        """Say why a task ran, what it was compared with, and whether the same call would run again.

        Parameters
        ----------
        what : Resource, Task, int, path-like or Pipe
            With a pipe and arguments: whether that call would run, and why.
        *args, **kwargs
            Arguments of the call that is asked about.
        """
        if isinstance(what, Pipe) and (args or kwargs or not what._definition.binder.names):
            values = what._definition.binder.bind(*args, **kwargs)
            return Why(why_would_run(self._calls, what._definition, values))
        ident, task = self._task_record(what)
        hit = isinstance(what, Resource) and what._rms.hit
        return Why(why_ran(self._store, ident, task), self._again(ident, task), hit)

    def diff(self, a: Any, b: Any) -> Comparison:
        """Say what differs between two results: code, arguments, globals, inputs, and the values.

        Parameters
        ----------
        a, b : Resource, Task, int or path-like
            Compared is `b` with `a`.
        """
        account = compare_tasks(self._store, self._task_record(a)[0], self._task_record(b)[0])
        first, second = (self._task_record(x)[1].out for x in (a, b))
        return Comparison(account, value_lines(first, second))

    def accept(self, pipe: Pipe[Any] | str, undo: bool = False, missing_ok: bool = False) -> str:
        """Say that the last change of a pipe's code does not matter: results of the code before it count again.

        The word is recorded, listed by `accepted`, and can be taken back.

        Parameters
        ----------
        pipe : Pipe or str
        undo : bool
            Take it back.
        missing_ok : bool
            Do nothing where there are no results of older code.

        Returns
        -------
        str
            What it came to.

        Raises
        ------
        RmsError
            If no such pipe is defined here, or there is nothing to accept.
        """
        definition = self._pipe_named(pipe)._definition
        if undo:
            take_back(self._store, definition, self.place.epoch)
            return f"{definition.name}: results of older code no longer count"
        if missing_ok and older_code(self._store, definition, self.place.epoch) is None:
            return ""
        older = accept(self._store, definition, self.place.epoch)
        saved = f"{older.tasks:,} results of the code before ({older.changed}) count again, {duration(older.seconds)}"
        return f"{definition.name}: {saved} saved; to take it back: %rms accept {definition.name} --undo"

    def accepted(self) -> Results[dict[str, Any]]:
        """List the code changes that were accepted: ``pipe, version, older, at``."""
        rows = self._store.fetch(sql_text("queries/accepts.sql"))
        return Results([dict(zip(("pipe", "version", "older", "at"), row, strict=True)) for row in rows], dict)

    def mark(self, what: Any, deprecated: bool | None = None, tag: str = "", note: str = "") -> str:
        """Mark something as wrong, or as right again; give it a tag or a note.

        What is deprecated is no hit any more, nor is anything that was made from it, and using it is refused.

        Parameters
        ----------
        what : Resource, Task, int, path-like, or list of them
        deprecated : bool, optional
            True marks it and all that was made from it; False takes that back.
        tag, note : str
            Found by searches.

        Returns
        -------
        str
            What it came to.
        """
        roots = [self.ident(item) for item in (what if type(what) in (list, tuple) else [what])]
        told = []
        if tag or (note and deprecated is None):
            annotate(self._store, roots, tag, note)
            told.append(f"{len(roots)} noted")
        if deprecated is not None:
            count = deprecate(self._store, roots, note) if deprecated else restore(self._store, roots, note)
            told.append(f"{count} {'deprecated' if deprecated else 'current again'}")
        return ", ".join(told) or "nothing to mark"

    def rerun(self, what: Any, replace: dict[Any, Any] | None = None, debug: bool = False) -> Any:
        """Run a recorded task again.

        Parameters
        ----------
        what : Resource, Task, int or path-like
            A result, or a task (it may have failed).
        replace : dict, optional
            Other resources or files in place of inputs: all tasks between them and the result are done again; what
            they made before is kept, and obsolete.
        debug : bool
            Run the function here with its recorded inputs and no record, so that ``%debug`` lands in it.

        Returns
        -------
        Resource
            The new result; with `debug`, the plain value.

        Raises
        ------
        RmsError
            If a pipe is not defined here, or nothing was made from what is to be replaced.
        """
        __tracebackhide__ = True
        again = Rerun(self._calls, self._definition_named, self.home.resource)
        if replace:
            pairs = {self.ident(old): self._ident_or_file(new) for old, new in replace.items()}
            place, record = self._store.record(self.ident(what))
            first = place + 1 if self.ident(what) == place and isinstance(record, model.Task) else self.ident(what)
            return self.home.resource(again.replacing(first, pairs))
        ident, task = self._task_record(what)
        if debug:
            return again.plainly(ident, task)
        answer = again.once(ident, task)
        self.place.note(self._store.pipe_name(task.pipe), answer)
        return self.home.result_of(answer)

    def show(self, what: Any) -> Shown:
        """Show all that is known of a task or resource: status, inputs, outputs, code, what it printed, its error."""
        return self.home.show(self.ident(what))

    def export(
        self,
        what: Any,
        format: str | None = None,
        dest: str | os.PathLike[str] | None = None,
        *,
        overwrite: bool = False,
    ) -> str:
        """Write down what made a result, so that it can be made again without this package or the store.

        Parameters
        ----------
        what : Resource, Task, int, path-like, or a value that a call gave
        format : str, optional
            ``script``, ``notebook`` or ``dot`` (a graph for Graphviz); by the suffix of `dest` if not given.
        dest : path-like, optional
            Where to write it; values too large for a line go into a folder beside it.
        overwrite : bool
            Replace a file that is there, even if it is no export or was edited since.

        Returns
        -------
        str
            The path written; without `dest` the text.

        Raises
        ------
        OverwriteError
            If another file is there.
        RmsError
            If something cannot be written down; names the call and the reason.

        Examples
        --------
        >>> import math, tempfile, rms_jupyter as rms
        >>> s = rms.open(tempfile.mkdtemp() + "/analysis.rms")
        >>> comb_ = s.register_pipe(math.comb)
        >>> print(s.export(comb_(comb_(4, 2), 3), "script"))
        # Exported by rms_jupyter ...
        from math import comb
        ...
        comb_1 = comb(4, 2)
        <BLANKLINE>
        comb_2 = comb(comb_1, 3)
        ...
        >>> s.close()
        """
        from rms_jupyter.exports.export import export

        ref = None if isinstance(what, (Resource, VirtualResource, Task, Pipe)) else self.home.tracker.lookup(what)
        return export(self._store, self.ident(what), ref.item if ref else None, format, dest, overwrite)

    def displays_of(self, answer: Answer) -> list[dict[str, Any]]:
        """Give what a task showed when it ran, as mime bundles."""
        return load_displays(self._store.objects, answer.task.shown) if answer.task.shown else []

    def status(self) -> dict[str, Any]:
        """Count what is in the store: ``tasks, failed, pipes, files, seconds, bytes``."""
        return store_status(self._store)

    def pipe_versions(self, words: str = "") -> list[dict[str, Any]]:
        """List the code versions on record, with the number of their tasks; each word must occur in name or module."""
        return pipe_versions(self._store, words.split())

    def find_file(self, path: str | os.PathLike[str]) -> int | None:
        """Find the id of the file on record at a path; None if there is none."""
        found = self._store.find_path(os.path.abspath(path))
        return found[0] if found else None

    def latest_task(self, pipe_name: str) -> int:
        """Find the id of the latest task of a pipe; 0 if there is none."""
        return self._store.latest_id(pipe_name)

    def is_pipe(self, what: Any) -> bool:
        """Tell whether something is the name of a pipe that has tasks, and not a file on record."""
        return type(what) is str and self.find_file(what) is None and self.latest_task(what) > 0

    def ident(self, what: Any) -> int:
        """Give the id of a resource or task, of a pipe's latest task, or of the file at a path."""
        if isinstance(what, Resource):
            return what._rms.id
        if isinstance(what, VirtualResource):
            return self.ident(what.replacement)
        if isinstance(what, Task):
            return what.id
        if isinstance(what, Pipe):
            return self._latest_of(what)
        if isinstance(what, int):
            return what
        if isinstance(what, (str, os.PathLike)):
            return self.find_file(os.fspath(what)) or self.file_from_path(what)._rms.id
        ref = self.home.tracker.lookup(what)
        if ref is None:
            raise RmsError(
                f"this {type(what).__name__} is not on record", hint="give the result of a call, a path or an id"
            )
        return ref.id

    @property
    def pipes(self) -> dict[str, Pipe[Any]]:
        """The pipes of this session by name."""
        return dict(self._pipes)

    @property
    def problems(self) -> list[str]:
        """What was found damaged or cut off, each to be told once."""
        found, self._store.problems = self._store.problems, []
        return found

    # Keeping house -------------------------------------------------------------------------------------------------

    def check(self, full: bool = False, repair: bool = False, verify: float = 0.0, seed: int | None = None) -> Report:
        """Look at every file on record and every kept result: is it there, and as it was recorded?

        Parameters
        ----------
        full : bool
            Read all content again, also where size and time are as before.
        repair : bool
            Make missing files again, by the recorded calls that made them.
        verify : float
            Run this fraction of the stored results again, and compare: finds pipes that are not deterministic.
        seed : int, optional
            Chooses the same sample again.

        Returns
        -------
        Report
            A row a problem: ``what, problem, id, what to do``.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> s.check()
        0 files, no problems
        >>> s.close()
        """
        if not 0 <= verify <= 1:
            raise RmsError(f"verify={verify!r} is no fraction", hint="verify=0.05 runs one in twenty again")
        self._refuse_closed()
        found, remade = check(self._store, self._files, full), {}
        if repair:
            self._refuse_read_only()
            remade = repair_files(found, self._remake)
            found = check(self._store, self._files, full=False) if remade else found
        sample = run_sample(self._store, self._files, self.home.past, verify, seed) if verify else None
        return check_report(found, remade, sample)

    def delete(self, what: Any, dependants: bool = False, dry_run: bool = False) -> Report:
        """Delete a task or resource with its content; of a pipe, all its tasks. Lineages still show what it was.

        Parameters
        ----------
        what : Resource, Task, Pipe, int, path-like or name of a pipe
        dependants : bool
            Delete what was made from it, too.
        dry_run : bool
            Only say what would be deleted.

        Raises
        ------
        RmsError
            If something that is current was made from it, and `dependants` is not given.
        """
        self._refuse_closed()
        if not dry_run:
            self._refuse_read_only()
        deleter = Deleter(self._store, self._files)
        if isinstance(what, Pipe) or self.is_pipe(what):
            deletion = deleter.pipe(what.name if isinstance(what, Pipe) else what, dependants, dry_run)
        else:
            deletion = deleter.nodes([self.ident(what)], dependants, dry_run)
        return deletion_report(deletion, {ident: label(self._store, ident) for ident in deletion.ids}, dry_run)

    def refresh(self) -> None:
        """Take in what other notebooks have done."""
        self._store.refresh()

    def tidy(self) -> None:
        """Bring the database up to date and compress finished journals; also done at closing."""
        self._store.tidy()

    def close(self) -> None:
        """Finish the journal and let go of the store."""
        if not self._closed:
            for plan in self._running.values():
                plan.stop_and_wait()
            self._closed = True
            self._store.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<session {self.path}{' (read-only)' if self.read_only else ''}{' (closed)' if self._closed else ''}>"

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return self._closed

    def _search(self, search: Search) -> list[Any]:
        query, parameters = compile_search(search)
        rows = self._store.fetch(query, parameters)
        return [self.home.task(row[0]) if row[1] == "task" else self.home.resource(row[0]) for row in rows]

    def _definition_of(self, record: model.Pipe) -> Definition | None:
        pipe = self._pipes.get(record.name)
        if pipe is None or pipe._definition.version(self.place.epoch).digest.hex() != record.version:
            return None
        return pipe._definition

    def _recorded_state(self, path: str) -> model.FileState | None:
        found = self._store.find_path(path)
        return found[1].state if found else None

    def _enter_plan(self, plan: Plan) -> None:
        if getattr(self._plans, "current", None) is not None:
            raise RmsError("a plan is being collected already", hint="end it before another begins")
        self._plans.current = plan

    def _leave_plan(self, plan: Plan) -> None:
        self._plans.current = None

    def _task_record(self, what: Any) -> tuple[int, model.Task]:
        """Find the task that something is, or was made by."""
        place, record = self._store.record(self.ident(what))
        if not isinstance(record, model.Task):
            raise RmsError("it was registered, not computed", hint="ask about results of calls")
        return place, record

    def _differ(self, a: Pipe[Any], b: Pipe[Any]) -> bool:
        first, second = (pipe._definition.version(self.place.epoch).digest for pipe in (a, b))
        return first != second

    def _definition_named(self, name: str) -> Definition | None:
        pipe = self._pipes.get(name)
        return pipe._definition if pipe else None

    def _ident_or_file(self, what: Any) -> int:
        """Find the id of something; a file that is not on record is registered."""
        if isinstance(what, (str, os.PathLike)) and not isinstance(what, Resource) and self.find_file(what) is None:
            what = self.register_file(what)
        return self.ident(what)

    def _pipe_named(self, pipe: Pipe[Any] | str) -> Pipe[Any]:
        if isinstance(pipe, Pipe):
            return pipe
        if pipe not in self._pipes:
            near = difflib.get_close_matches(pipe, self._pipes, 1)
            hint = f"did you mean {near[0]}?" if near else "run the cell that defines it"
            raise RmsError(f"no pipe {pipe!r} is defined here", hint=hint)
        return self._pipes[pipe]

    def _again(self, ident: int, task: model.Task) -> Account | None:
        """Say what the call of a task would do now; None where its pipe is not defined here."""
        pipe = self._pipes.get(self._store.pipe_name(task.pipe))
        if pipe is None:
            return None
        try:
            values = recorded_arguments(pipe._definition, ident, task, self.home.resource)
            return why_would_run(self._calls, pipe._definition, values)
        except (RmsError, LookupError):
            return None

    def _latest_of(self, pipe: Pipe[Any]) -> int:
        latest = self.latest_task(pipe.name)
        if not latest:
            raise RmsError(f"{pipe.name} was never called", hint="call it first")
        return latest

    def _remake(self, path: str) -> None:
        remake(self._calls, self.home.past, path)

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise RmsError(f"{self.path} is open read-only", hint="open it without --read-only")

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RmsError(f"the session on {self.path} is closed", hint="open it again: rms.open(...) or %rms open")


def plain_frame(frame: Any) -> Any:
    """Give a data frame without wrapping."""
    return frame._rms_value() if isinstance(frame, Resource) else frame


def _row(item: Any) -> dict[str, Any]:
    if isinstance(item, Task):
        return {"id": item.id, "what": item.call, "status": item.status, "seconds": item.seconds, "error": item.error}
    record = item._rms.record
    made_by = item._rms_call() if item._rms.task else ""
    status = item._rms.home.status(item._rms.id) or "current"
    return {
        "id": item._rms.id,
        "what": record.path or record.preview or repr(record.value),
        "status": status,
        "made by": made_by,
    }
