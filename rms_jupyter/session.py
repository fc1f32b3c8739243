"""An open store with its pipes: the facade.  Each method is one call to the room that does it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.handles.home import Home
from rms_jupyter.handles.lineage import Lineage
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan, VirtualResource
from rms_jupyter.handles.resource import FileResource, Resource
from rms_jupyter.handles.results import Results
from rms_jupyter.handles.task import Task
from rms_jupyter.run.answer import Answer
from rms_jupyter.run.capture import captured_here, capturing
from rms_jupyter.run.definition import Definition, contract_of
from rms_jupyter.run.direct import Calls
from rms_jupyter.run.driver import Driver
from rms_jupyter.run.executors import executor_for
from rms_jupyter.run.explain import explain
from rms_jupyter.run.made import load_displays
from rms_jupyter.run.register import register_file
from rms_jupyter.run.surroundings import Place
from rms_jupyter.search import Condition, Search, where
from rms_jupyter.store.find import compile_search
from rms_jupyter.store.lineage import walk
from rms_jupyter.store.overview import pipe_versions, store_status
from rms_jupyter.store.store import Store

if TYPE_CHECKING:
    import duckdb


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
        self.on_hit: Callable[[Answer, str], None] = lambda answer, call: None
        self._store = Store(path, read_only, notebook)
        self._files = FileDigests(self._recorded_state)
        self._pipes: dict[str, Pipe[Any]] = {}
        self.home = Home(self._store, self._files, self._definition_of)
        self.place = Place(self._store)
        self._calls = Calls(self._store, self._files, self.home.tracker, self.place)
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
            ``name, outputs, returns, volatile, deterministic, version, ignore, allow_empty, overwrite``.

        Raises
        ------
        RegistrationError
            If it cannot be a pipe, or an option is unknown.
        """
        plain = function.func if isinstance(function, Pipe) else function
        pipe: Pipe[Any] = Pipe(Definition(plain, contract_of(options), output_func), lambda: self)
        self._pipes[pipe.name] = pipe
        return pipe

    def pipe(self, function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
        """Make a function a pipe, as a decorator: ``@s.pipe`` or ``@s.pipe(outputs=["bam"])``."""
        if function is None:
            return lambda f: self.register_pipe(f, **options)
        return self.register_pipe(function, **options)

    def adopt(self, pipe: Pipe[Any]) -> None:
        """Let a pipe that was made elsewhere be known here by its name."""
        self._pipes[pipe.name] = pipe

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
        if self.read_only:
            return self._look_only(pipe, args, kwargs)
        answer = self._calls.answer(pipe._definition, args, kwargs)
        return self._given(pipe, answer)

    def _given(self, pipe: Pipe[Any], answer: Answer) -> Any:
        self.place.note(pipe.name, answer)
        if answer.hit:
            self.on_hit(answer, pipe.name)
        result = self.home.result_of(answer)
        wanted = pipe._definition.contract.returns or self.returns
        return result.content if wanted == "value" and isinstance(result, Resource) else result

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
            value = pipe.func(*unwrap(list(args)), **unwrap(kwargs))
        return self.home.unrecorded(value)

    def plan(self) -> Plan:
        """Collect calls, to run them together: ``with s.plan() as plan: ...``, then ``plan.run()``."""
        return Plan(self, self._enter_plan, self._leave_plan)

    def run_plan(self, plan: Plan, wanted: set[int], **options: Any) -> dict[str, int]:
        """Carry a plan out; see `Plan.run`."""
        self._refuse_closed()
        executor, workers = executor_for(options["n_jobs"], options["executor"])
        self.place.run_id("plan")
        driver = Driver(
            self._calls,
            plan.tasks,
            options["needs"],
            executor,
            workers,
            lambda reference: reference.replacement if isinstance(reference, VirtualResource) else reference,
            wanted,
            options["watch"],
            options["stop_on_error"],
        )
        try:
            return driver.run()
        finally:
            for task in plan.tasks:
                if task.answer is not None:
                    self.place.note(task.definition.name, task.answer)

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
        if found is None:
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
        """Search tasks: by words, pipe, status, parameters, and what they were made from (see `where`)."""
        own = where(pipe, **params) if pipe or params else None
        search = Search("task", tuple(words.split()), own, made_from, status or "any", limit)
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

    def why(self, what: Any) -> str:
        """Say why a task ran, in words: its reason, and what it was compared with."""
        task = what.task if isinstance(what, Resource) else what
        if isinstance(task, int):
            task = self.home.task(task)
        if task is None:
            raise RmsError("it was registered, not computed", hint="why asks about results of calls")
        if getattr(task, "hit", False):
            return f"{task.call} was answered from the store"
        return f"{task.call} ran: {task.reason or 'no reason on record'}"

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

    def find_file(self, path: str) -> int | None:
        """Find the id of the file on record at a path; None if there is none."""
        found = self._store.find_path(os.path.abspath(path))
        return found[0] if found else None

    def latest_task(self, pipe_name: str) -> int:
        """Find the id of the latest task of a pipe; 0 if there is none."""
        return self._store.latest_id(pipe_name)

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
            return self.file_from_path(what)._rms.id
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

    def refresh(self) -> None:
        """Take in what other notebooks have done."""
        self._store.refresh()

    def tidy(self) -> None:
        """Bring the database up to date and compress finished journals; also done at closing."""
        self._store.tidy()

    def close(self) -> None:
        """Finish the journal and let go of the store."""
        if not self._closed:
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

    def _latest_of(self, pipe: Pipe[Any]) -> int:
        latest = self.latest_task(pipe.name)
        if not latest:
            raise RmsError(f"{pipe.name} was never called", hint="call it first")
        return latest

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
