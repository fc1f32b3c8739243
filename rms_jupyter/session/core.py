"""What do all parts of a session share?  The store, the pipes, and the way from what a user names to a record."""

from __future__ import annotations

import contextlib
import difflib
import os
import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

from rms_jupyter import model
from rms_jupyter.errors import CannotRecord, RmsError, RmsWarning
from rms_jupyter.figures.formats import formats_wanted
from rms_jupyter.figures.styles import FigureSettings, styles_wanted
from rms_jupyter.fingerprint import patience
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.origin import add_project
from rms_jupyter.handles.home import Home
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.resource import FileResource, Resource
from rms_jupyter.handles.task import Task
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.harmless import fits_console
from rms_jupyter.naming import Called, is_short_id
from rms_jupyter.run.call.cell_runtime import CallPlace, Cell
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.direct import Calls
from rms_jupyter.run.call.register import register_file
from rms_jupyter.run.plan.planned import Planned
from rms_jupyter.run.task.further import Asked
from rms_jupyter.session.front_end import FrontEnd, ScriptFrontEnd
from rms_jupyter.store.ask.find import ids_called
from rms_jupyter.store.ask.pages import Pages
from rms_jupyter.store.computing import who_computes
from rms_jupyter.store.store import Store
from rms_jupyter.tend.recompute import Past
from rms_jupyter.tend.remake import remake
from rms_jupyter.working_folder import working_folder

_LONGEST_PATH = 4096  # Of what systems take.


class OngoingRun(NamedTuple):
    """A run that has begun and has not ended, and the cell that began it."""

    plan: Plan
    cell: Cell


class Service(Protocol):
    """What goes on without a cell until it is stopped."""

    def stop(self) -> Any:
        """End it."""


class Core:
    """The store, the pipes, and what users name."""

    def __init__(self, path: str | os.PathLike[str], read_only: bool = False, notebook: str = "") -> None:
        path = Path(os.path.abspath(path))
        self.path, self.read_only, self.notebook = path, read_only, notebook
        self.budget: int | None = None  # Bytes that the store may take.
        self.paused = False
        self.front_end: FrontEnd = ScriptFrontEnd()
        self._store = Store(path, read_only, notebook)
        self._pages = Pages()
        self._files = FileDigests(self._recorded_state)
        self._pipes: dict[str, Pipe[Any]] = {}
        self.place = CallPlace(self._store, self.front_end)
        self._store.warn = lambda message: self.place.tell(message)
        self._store.claims.on_long_wait = lambda mark: self._notify(self._waits_for(mark))
        patience.listen(self._notify)
        for folder in filter(None, (str(self.path.parent), os.path.dirname(notebook) or working_folder())):
            add_project(folder)
        self.home = Home(self._store, lambda ident, task: self._past.value(ident, task), self.place.tell)
        self.home.on_display = lambda resource: self.front_end.displayed(resource)
        self._calls = Calls(self._store, self._files, self.home.tracker, self.place, self._remake)
        self._calls.figures = self._figures_wanted()
        self._past = Past(self._store, self._files, self._definition_of, self._calls.version, self.home.resource)
        self._defined: dict[str, tuple[Pipe[Any], Pipe[Any] | None, Cell | None]] = {}
        self._cells: dict[str, Cell] = {}
        self._running: dict[str, Plan] = {}
        self._going_on: dict[int, OngoingRun] = {}
        self._last_plan: tuple[Plan | None, Cell] = (None, self.place.cell)
        self.services: dict[str, Service] = {}
        self._plans = threading.local()
        self._closed = False

    def talk_through(self, front_end: FrontEnd) -> None:
        """Let a front end show what there is to say from now on."""
        self.front_end = self.place.voice = front_end

    def watching(self, plan: Plan) -> AbstractContextManager[object]:
        """Show a run while it is waited for."""
        return self.front_end.watching(self, plan)

    def _notify(self, message: str) -> None:
        """Say what is going on; that stops nothing, also where warnings are exceptions."""
        with contextlib.suppress(RmsWarning):
            self.place.announce(message)

    @property
    def pipes(self) -> dict[str, Pipe[Any]]:
        """The pipes of this session by name."""
        return dict(self._pipes)

    def _figures_wanted(self) -> FigureSettings:
        try:
            formats = formats_wanted(self.path.parent)
            return FigureSettings(formats, styles_wanted(self.path.parent) if formats else ())
        except RmsError as error:
            self.place.tell(f"no figures are saved: {error.message}; {error.hint}")
            return FigureSettings()

    @property
    def problems(self) -> list[str]:
        """What was found damaged or cut off, each to be told once."""
        found, self._store.problems = self._store.problems, []
        return found

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return self._closed

    @property
    def is_elsewhere(self) -> bool:
        """Whether its store was moved or removed since it was opened."""
        return not self._store.is_where_it_was

    def refresh(self) -> None:
        """Take in what other notebooks have done."""
        self._store.refresh()

    def tick(self) -> int:
        """Give the time of the store's clock, which moves with every record of any notebook."""
        self._store.refresh()
        return self._store.known.facts.k

    def can_record(self, what: str) -> bool:
        """Whether something can be recorded now; if not, it is told."""
        try:
            self._store.begin()
        except CannotRecord as error:
            self.place.tell(f"{error.message}: {what} runs, and nothing is recorded", once=f"{what} {error.message}")
            return False
        return True

    def tidy(self) -> None:
        """Bring the database up to date and compress finished journals; also done at closing."""
        self._store.tidy()

    def close(self) -> None:
        """Finish the journal and let go of the store."""
        if not self._store.is_closed:  # What an interrupt has left of it is done the next time.
            for service in list(self.services.values()):
                service.stop()
            for plan in self._running.values():
                plan.stop_and_wait()
            self._closed = True
            self.place.close()
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @fits_console
    def __repr__(self) -> str:
        return f"<session {self.path}{' (read-only)' if self.read_only else ''}{' (closed)' if self._closed else ''}>"

    def adopt(self, pipe: Pipe[Any]) -> None:
        """Let a pipe that was made elsewhere be known here by its name."""
        self._pipes[pipe.name] = pipe
        self._cells.setdefault(pipe.name, self.place.cell)

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
            return self._ident_of_planned(what)
        if isinstance(what, Task):
            return what.id
        if isinstance(what, Pipe):
            return self._latest_of(what)
        if ref := self.home.tracker.lookup(what):
            return ref.id
        if isinstance(what, int) and what >> 32:
            return int(what)
        if isinstance(what, str) and is_short_id(what) and len(found := ids_called(self._store, what)) == 1:
            return found[0]
        if isinstance(what, (str, os.PathLike)) and len(os.fspath(what)) <= _LONGEST_PATH:
            return self.find_file(os.fspath(what)) or self.file_from_path(what)._rms.id
        raise RmsError(
            f"this {type(what).__name__} is not on record",
            hint="give the result of a call, a path or an id; what a cell computes goes on record with %%rms cell",
        )

    def _waits_for(self, mark: int) -> str:
        ends_it = "%rms stop" if self._store.claims.is_held_here(mark) else "end that process"
        return f"waiting for {who_computes(self._store, mark)}; to go on at once, {ends_it}"

    def maker_of(self, value: Any) -> Called | None:
        """Return the recorded call that a value, or what it is a part of, came from, if it came from one."""
        origin = self.home.tracker.origin(value)
        return self._store.origins.maker(origin.ref.id, origin.ref.item) if origin else None

    def failed_task(self, planned: Planned) -> tuple[int, model.TaskRecord] | None:
        """Find the record of a planned call that did not succeed; its code may have changed since."""
        version = planned.definition.version(self.place.epoch)
        call = self._calls.identify(planned.definition, version, planned.values)
        found = self._store.find(call.key) or self._store.find_site(call.site)
        return found if found is not None and found[1].status != "done" else None

    def _ident_of_planned(self, what: VirtualResource) -> int:
        """Give the id of a placeholder's result, or of its task if that has failed."""
        planned = what._rms_plan.tasks[what._rms_number]
        failed = self.failed_task(planned) if planned.error is not None else None
        return failed[0] if failed else self.ident(what.replacement)

    def _bind_asked(self, asked: Asked) -> tuple[Definition, tuple[Any, ...]]:
        definition = self._pipe_named(asked.pipe)._definition
        return definition, definition.binder.bind(*asked.args, **asked.kwargs)

    def _definition_of(self, record: model.PipeRecord) -> Definition | None:
        pipe = self._pipes.get(record.name)
        if pipe is None or pipe._definition.version(self.place.epoch).digest.hex() != record.version:
            return None
        return pipe._definition

    def _recorded_state(self, path: str) -> model.FileState | None:
        found = self._store.find_path(path)
        return found[1].state if found else None

    def _enter_plan(self, plan: Plan) -> None:
        if self.plan_here() is not None:
            raise RmsError("a plan is being collected already", hint="end it before another begins")
        self._plans.current = plan

    def plan_here(self) -> Plan | None:
        """Return the plan that calls of this thread go to, if they are being collected."""
        found: Plan | None = getattr(self._plans, "current", None)
        return found

    def leave_plan(self, plan: Plan | None = None) -> None:
        """Collect calls no more."""
        self._plans.current = None

    def _task_record(self, what: Any) -> tuple[int, model.TaskRecord]:
        """Find the task that something is, or was made by."""
        place, record = self._store.record(self.ident(what))
        if not isinstance(record, model.TaskRecord):
            raise RmsError("it was registered, not computed", hint="ask about results of calls")
        return place, record

    def _definition_named(self, name: str) -> Definition | None:
        pipe = self._pipes.get(name)
        return pipe._definition if pipe else None

    def _pipe_named(self, pipe: Pipe[Any] | str) -> Pipe[Any]:
        if isinstance(pipe, Pipe):
            return pipe
        if pipe not in self._pipes:
            near = difflib.get_close_matches(pipe, self._pipes, 1)
            hint = f"did you mean {near[0]}?" if near else "run the cell that defines it"
            raise RmsError(f"no pipe {pipe!r} is defined here", hint=hint)
        return self._pipes[pipe]

    def _latest_of(self, pipe: Pipe[Any]) -> int:
        latest = self.latest_task(pipe.name)
        if not latest:
            raise RmsError(f"{pipe.name} was never called", hint="call it first")
        return latest

    def _remake(self, path: str) -> None:
        remake(self._calls, self._past, path)

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise RmsError(f"{self.path} is open read-only", hint="open it without --read-only")

    def _refuse_closed(self) -> None:
        if self._closed:
            raise RmsError(f"the session on {self.path} is closed", hint="open it again: rms.open(...) or %rms open")
