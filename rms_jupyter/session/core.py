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
from rms_jupyter.tracked.body import pipe_name_of
from rms_jupyter.tracked.finding import ENDINGS
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
        self.store = Store(path, read_only, notebook)
        self.pages = Pages()
        self.file_digests = FileDigests(self._recorded_state)
        self._pipes: dict[str, Pipe[Any]] = {}
        self.place = CallPlace(self.store, self.front_end)
        self.store.warn = lambda message: self.place.tell(message)
        self.store.claims.on_long_wait = lambda mark: self.notify(self._waits_for(mark))
        patience.listen(self.notify)
        for folder in filter(None, (str(self.path.parent), os.path.dirname(notebook) or working_folder())):
            add_project(folder)
        self.home = Home(self.store, lambda ident, task: self.past.value(ident, task), self.place.tell)
        self.home.on_display = lambda resource: self.front_end.displayed(resource)
        self.calls = Calls(self.store, self.file_digests, self.home.tracker, self.place, self.remake)
        self.calls.figures = self._figures_wanted()
        self.past = Past(self.store, self.file_digests, self._definition_of, self.calls.version, self.home.resource)
        self.defined_in: dict[str, Cell] = {}
        self.ongoing: dict[int, OngoingRun] = {}
        self.services: dict[str, Service] = {}
        self._plans = threading.local()
        self._closed = False

    @property
    def as_host(self) -> Any:
        """The session, for handles: each says in a protocol what it asks of it."""
        return self

    def talk_through(self, front_end: FrontEnd) -> None:
        """Let a front end show what there is to say from now on."""
        self.front_end = self.place.voice = front_end

    def watching(self, plan: Plan) -> AbstractContextManager[object]:
        """Show a run while it is waited for."""
        return self.front_end.watching(self, plan)

    def notify(self, message: str) -> None:
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
        found, self.store.problems = self.store.problems, []
        return found

    @property
    def closed(self) -> bool:
        """Whether the session was closed."""
        return self._closed

    @property
    def is_elsewhere(self) -> bool:
        """Whether its store was moved or removed since it was opened."""
        return not self.store.is_where_it_was

    def refresh(self) -> None:
        """Take in what other notebooks have done."""
        self.store.refresh()

    def tick(self) -> int:
        """Give the time of the store's clock, which moves with every record of any notebook."""
        self.store.refresh()
        return self.store.known.facts.k

    def can_record(self, what: str) -> bool:
        """Whether something can be recorded now; if not, it is told."""
        try:
            self.store.begin()
        except CannotRecord as error:
            self.place.tell(f"{error.message}: {what} runs, and nothing is recorded", once=f"{what} {error.message}")
            return False
        return True

    def tidy(self) -> None:
        """Bring the database up to date and compress finished journals; also done at closing."""
        self.store.tidy()

    def close(self) -> None:
        """Finish the journal and let go of the store."""
        self._closed = True
        self.place.close()
        self.store.close()

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
        self.defined_in.setdefault(pipe.name, self.place.cell)

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
        ident = register_file(self.store, self.file_digests, os.path.abspath(path), force)
        resource: FileResource = self.home.resource(ident)
        return resource

    def file_from_path(self, path: str | os.PathLike[str]) -> FileResource:
        """Give the file on record at a path.

        Raises
        ------
        RmsError
            If none is on record there.
        """
        found = self.store.find_path(os.path.abspath(path))
        if found is None or self.store.status(found[0]) == "deleted":
            raise RmsError(f"no file on record at {path}", hint=f"put it there: s.register_file({os.fspath(path)!r})")
        resource: FileResource = self.home.resource(found[0])
        return resource

    def find_file(self, path: str | os.PathLike[str]) -> int | None:
        """Find the id of the file on record at a path; None if there is none."""
        found = self.store.find_path(os.path.abspath(path))
        return found[0] if found else None

    def latest_task(self, pipe_name: str) -> int:
        """Find the id of the latest task of a pipe; 0 if there is none."""
        return self.store.latest_id(pipe_name)

    def is_pipe(self, what: Any) -> bool:
        """Tell whether something is the name of a pipe that has tasks, and not a file on record."""
        return type(what) is str and self.find_file(what) is None and self.latest_task(what) > 0

    def ident(self, what: Any) -> int:
        """Return the id of a resource or task, of a pipe's or script's latest task, or of the file at a path."""
        if isinstance(what, Resource):
            return what._rms.id
        if isinstance(what, (str, os.PathLike)) and not self.find_file(what) and (run := self.task_of_script(what)):
            return run
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
        if isinstance(what, str) and is_short_id(what) and len(found := ids_called(self.store, what)) == 1:
            return found[0]
        if isinstance(what, (str, os.PathLike)) and len(os.fspath(what)) <= _LONGEST_PATH:
            return self.find_file(os.fspath(what)) or self.file_from_path(what)._rms.id
        raise RmsError(
            f"this {type(what).__name__} is not on record",
            hint="give the result of a call, a path or an id; what a cell computes goes on record with %%rms cell",
        )

    def task_of_script(self, what: str | os.PathLike[str]) -> int:
        """Return the last run of a tracked script, by its path or its pipe's name; 0 if it is none or never ran."""
        if not os.fspath(what).endswith(ENDINGS):
            return 0
        place = self.store.project.place(os.path.abspath(what))
        return self.latest_task(pipe_name_of(place)) or self.latest_task(os.fspath(what))

    def _waits_for(self, mark: int) -> str:
        ends_it = "%rms stop" if self.store.claims.is_held_here(mark) else "end that process"
        return f"waiting for {who_computes(self.store, mark)}; to go on at once, {ends_it}"

    def maker_of(self, value: Any) -> Called | None:
        """Return the recorded call that a value, or what it is a part of, came from, if it came from one."""
        origin = self.home.tracker.origin(value)
        return self.store.origins.maker(origin.ref.id, origin.ref.item) if origin else None

    def failed_task(self, planned: Planned) -> tuple[int, model.TaskRecord] | None:
        """Find the record of a planned call that did not succeed; its code may have changed since."""
        version = planned.definition.version(self.place.epoch)
        call = self.calls.identify(planned.definition, version, planned.values)
        found = self.store.find(call.key) or self.store.find_site(call.site)
        return found if found is not None and found[1].status != "done" else None

    def _ident_of_planned(self, what: VirtualResource) -> int:
        """Give the id of a placeholder's result, or of its task if that has failed."""
        planned = what._rms_plan.tasks[what._rms_number]
        failed = self.failed_task(planned) if planned.error is not None else None
        return failed[0] if failed else self.ident(what.replacement)

    def bind_asked(self, asked: Asked) -> tuple[Definition, tuple[Any, ...]]:
        """Bind the arguments of a call that a task asks for."""
        definition = self.pipe_named(asked.pipe)._definition
        return definition, definition.binder.bind(*asked.args, **asked.kwargs)

    def _definition_of(self, record: model.PipeRecord) -> Definition | None:
        pipe = self._pipes.get(record.name)
        if pipe is None or pipe._definition.version(self.place.epoch).digest.hex() != record.version:
            return None
        return pipe._definition

    def _recorded_state(self, path: str) -> model.FileState | None:
        found = self.store.find_path(path)
        return found[1].state if found else None

    def enter_plan(self, plan: Plan) -> None:
        """Collect calls of this thread in a plan."""
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

    def task_record(self, what: Any) -> tuple[int, model.TaskRecord]:
        """Find the task that something is, or was made by."""
        place, record = self.store.record(self.ident(what))
        if not isinstance(record, model.TaskRecord):
            raise RmsError("it was registered, not computed", hint="ask about results of calls")
        return place, record

    def definition_named(self, name: str) -> Definition | None:
        """Find the definition of a pipe; None if none of this name is defined here."""
        pipe = self._pipes.get(name)
        return pipe._definition if pipe else None

    def pipe_named(self, pipe: Pipe[Any] | str) -> Pipe[Any]:
        """Find a pipe by its name; one that is given is returned."""
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

    def remake(self, path: str) -> None:
        """Make a file that is missing again, by the call that made it."""
        remake(self.calls, self.past, path)

    def refuse_read_only(self) -> None:
        """Refuse what would write, where the session is read-only."""
        if self.read_only:
            raise RmsError(f"{self.path} is open read-only", hint="open it without --read-only")

    def refuse_closed(self) -> None:
        """Refuse what needs the store, where the session is closed."""
        if self._closed:
            raise RmsError(f"the session on {self.path} is closed", hint="open it again: rms.open(...) or %rms open")
