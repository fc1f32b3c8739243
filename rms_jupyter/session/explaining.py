"""Where is something from, why did it run, and what differs?  Questions about one task or result."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.resource import Resource
from rms_jupyter.handles.task import Task
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.session.cells import Cells, Standing
from rms_jupyter.session.core import Core
from rms_jupyter.store.ask.neighbourhood import LineageView
from rms_jupyter.store.ask.notebook import notebook_graph
from rms_jupyter.store.ask.overview import latest_failures
from rms_jupyter.store.ask.params import params_of
from rms_jupyter.tend.recompute import recorded_arguments
from rms_jupyter.tend.why import Account, compare_tasks, why_ran, why_would_run
from rms_jupyter.views.details import Details, Witness, details
from rms_jupyter.views.frames_behind import frames_behind
from rms_jupyter.views.lineage import Lineage
from rms_jupyter.views.logs import Log, Logs, logs_of, running
from rms_jupyter.views.notebook import NotebookView
from rms_jupyter.views.results import Results
from rms_jupyter.views.show import Shown
from rms_jupyter.views.why import Comparison, Why, digest_lines, value_lines, ways_to_differ

_MOST_COMPARED, _MOST_READ = 3, 100_000_000  # contents, bytes


class Explaining:
    """Questions about one thing; nothing is changed by them."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._files, self._calls = core, core.store, core.file_digests, core.calls
        self._standings = Cells(
            self._store, self._core.place, self._again, self._core.home.status, self._core.home.tracker.lookup
        )

    def lineage(self, what: Any, up: bool = True, down: bool = True, depth: int | None = None) -> Lineage:
        """Show what something was made from (`up`) and what was made from it (`down`).

        Parameters
        ----------
        what : Resource, Task, int or path-like
        up, down : bool
        depth : int, optional
            At most so many calls away.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def load(n):
        ...     return list(range(n))
        >>> @s.pipe
        ... def total(numbers):
        ...     return sum(numbers)
        >>> print(s.lineage(total(load(1000))))  # doctest: +ELLIPSIS
        int 499500 #...
        └─ total(numbers=<list of 1,000>) ...
           └─ list list of 1,000 #...
              └─ load(n=1000) ...
        >>> s.close()
        """
        self._core.refresh()
        return Lineage(self._store, LineageView(self._core.ident(what), up, down, depth), self.is_older)

    def notebook_graph(self) -> NotebookView:
        """Show the pipes and cells of this notebook, and what went from one to the other; stale ones are marked.

        Where no notebook is known, as in a script, those of everything on record.
        """
        self._core.refresh()
        return NotebookView(notebook_graph(self._store, self._core.notebook), self._core.notebook, self.is_older)

    def params(self, what: Any, *, down: bool = False, depth: int | None = None) -> Results[dict[str, Any]]:
        """List the parameters that something was made with: a row a distinct value, what varies first.

        Parameters
        ----------
        what : result of a call, Resource, Task, int or path-like
        down : bool
            Those of the calls that were made from it, too.
        depth : int, optional
            At most so many calls away.

        Returns
        -------
        Results
            Rows of ``parameter, value, pipe, calls``: the arguments and globals that are one number, text, date or
            truth value, and no inputs. A global is one parameter, whoever reads it.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def scaled(x, factor=2):
        ...     return [x * factor]
        >>> @s.pipe
        ... def total(parts):
        ...     return sum(part[0] for part in parts)
        >>> s.params(total([scaled(1), scaled(3)]))
        parameter  value  pipe    calls
        x              1  scaled      1
        x              3  scaled      1
        factor         2  scaled      2
        >>> s.close()
        """
        return Results(params_of(self._store, self._core.ident(what), down, depth), dict)

    def frames_behind(self, what: Any) -> dict[str, Any]:
        """Return the frames that something was made from: those its call was given, or else the nearest before it.

        Parameters
        ----------
        what : result of a call, Resource, Task, int or path-like

        Returns
        -------
        dict of str to object
            By what the call names them.

        Raises
        ------
        RmsError
            If there is none on the way.

        Examples
        --------
        >>> import pandas as pd, rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def longest(flights):
        ...     return float(flights.distance.max())
        >>> s.frames_behind(longest(pd.DataFrame({"distance": [229, 4983]})))["flights"].shape
        (2, 1)
        >>> s.close()
        """
        ident = self._core.ident(what)
        found = frames_behind(self._store, ident)
        if not found:
            raise RmsError(
                f"{self.call_name(ident)} was made from no frame",
                hint="%rms lineage names what it was made from; %rms show, what that call was given",
            )
        return {name: self._core.home.resource(frame).content for name, frame in found.items()}

    def details(self, ident: int) -> Details:
        """Put together what the lineage view says of a task or resource.

        Raises
        ------
        RmsError
            If there is none.
        """
        try:
            return details(Witness(self._store, self._core.home.status, self._code_now), ident)
        except LookupError:
            raise RmsError(f"nothing is on record as {ident}", hint="search: %rms tasks WORDS") from None

    def why(self, what: Any, /, *args: Any, **kwargs: Any) -> Why:
        """Say why a task ran, what it was compared with, and whether the same call would run again.

        Parameters
        ----------
        what : result of a call, Resource, Task, int, path-like or Pipe
            With a pipe and arguments: whether that call would run, and why.
        *args, **kwargs
            Arguments of the call that is asked about.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def load(n):
        ...     return list(range(n))
        >>> loaded = load(10)
        >>> print(s.why(loaded))  # doctest: +ELLIPSIS
        load(10) ran ...: never_run
        called again now: a hit
        >>> s.close()
        """
        if isinstance(what, Pipe) and (args or kwargs or not what._definition.binder.names):
            values = what._definition.binder.bind(*args, **kwargs)
            would = why_would_run(self._calls, what._definition, values, thoroughly=True)
            return Why(would, how_differs=self._how_differs(would))
        ident, task = self._core.task_record(what)
        origin = self._core.home.tracker.origin(what)
        hit = origin.hit if origin else isinstance(what, Resource) and what._rms.hit
        ran = why_ran(self._store, ident, task)
        return Why(ran, self._again(ident, task), hit, self._how_differs(ran))

    def diff(self, a: Any, b: Any) -> Comparison:
        """Say what differs between two results: code, arguments, globals, inputs, and the values.

        Parameters
        ----------
        a, b : Resource, Task, int or path-like
            Compared is `b` with `a`.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def load(n):
        ...     return list(range(n))
        >>> print(s.diff(load(3), load(4)))  # doctest: +ELLIPSIS
        load(3) → load(4)
        what  kind      before  after
        n     argument  3       4
        ...
          3 items → 4 items
        >>> s.close()
        """
        (first, old), (second, new) = (self._core.task_record(x) for x in (a, b))
        values = value_lines(old.out, new.out, lambda at: self._values_of(first + 1 + at, second + 1 + at))
        return Comparison(compare_tasks(self._store, first, second), values, digest_lines(old.out, new.out))

    def _how_differs(self, account: Account) -> dict[str, str]:
        """Say how the contents differ that a call was made from, where few do, by the names of its arguments."""
        pairs = dict(account.contents)
        pairs |= {cause.difference.name: cause.contents for cause in account.causes if all(cause.contents)}
        if len(pairs) > _MOST_COMPARED:
            return {}
        values = {name: self._values_of(before, now) for name, (now, before) in pairs.items()}
        return {name: "; ".join(ways_to_differ(*both)) for name, both in values.items() if both}

    def _values_of(self, *idents: int) -> list[Any] | None:
        """Read values that are kept; None where one is not, or all together are large."""
        try:
            resources = [self._store.resource(ident) for ident in idents]
            if not all(map(self._store.has, resources)) or sum(one.size for one in resources) > _MOST_READ:
                return None
            return [self._core.home.resource(ident).content for ident in idents]
        except (RmsError, OSError, LookupError):
            return None

    def show(self, what: Any) -> Shown:
        """Show all that is known of a task or resource: status, inputs, outputs, code, what it printed, its error.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def load(n):
        ...     return list(range(n))
        >>> s.show(load(3)).title
        'load(3)'
        >>> s.close()
        """
        return self._core.home.show(self._core.ident(what))

    def logs(self, what: Any = None, *, failed: bool = False, running: bool = False) -> Logs:
        """Show what a task printed, with its warnings and log records, and the traceback if it failed.

        Of a task that runs, in this or another kernel, that is what it has printed up to half a second ago.

        Parameters
        ----------
        what : Resource, VirtualResource, Task, Pipe, int, path-like or str
            A result, file or task; of a pipe or its name all its tasks that have run for a second or longer, if there
            are such, else its latest one; or a running task as it is shown: its call, or its ``#`` and digits.
        failed : bool
            Instead, all tasks of the latest run that failed.
        running : bool
            Instead, all tasks that have run for a second or longer.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> hello_ = s.register_pipe(lambda name: print("hello", name), name="hello")
        >>> greeted = hello_("you")
        hello you
        >>> print(s.logs(greeted).text.strip())
        hello you
        >>> s.close()
        """
        if failed + running + (what is not None) != 1:
            raise RmsError("whose logs?", hint="s.logs(result), s.logs(failed=True) or s.logs(running=True)")
        if failed:
            return logs_of(self._store, self._core.home.status, latest_failures(self._store))
        if logs := self.logs_of_running(what):
            return logs
        if running:
            return Logs([], "(no task has run for a second yet)")
        ident, _ = self._core.task_record(self._core.latest_task(what) if self._core.is_pipe(what) else what)
        return logs_of(self._store, self._core.home.status, [ident])

    def logs_of_running(self, what: Any = None) -> Logs:
        """Show what those tasks have printed that run and are meant by something; see `logs`. There may be none.

        Parameters
        ----------
        what : object
            None for all tasks.
        """
        if isinstance(what, VirtualResource) and what._rms_plan.awaits(what._rms_number):
            plan, number = what._rms_plan, what._rms_number
            found = [one.log for one in running(self._store) if one.key == plan.in_progress.key_of(number)]
            return Logs(found or [Log(f"{plan.tasks[number].label} · waits, or has just begun", "")])
        name = what.name if isinstance(what, Pipe) else what
        if name is None or type(name) is str:
            return Logs([one.log for one in running(self._store) if name is None or one.is_called(name)])
        return Logs([])

    def made_in(self, what: Any) -> model.Run:
        """Give the run, and with it the notebook's cell, in which something was made."""
        run = self._store.run_of(self._core.task_record(what)[1])
        if run is None:
            raise RmsError("the run in which this was made is not on record", hint="%rms runs lists those that are")
        return run

    def cells(self, codes: Mapping[str, str]) -> dict[str, Standing]:
        """Tell how cells of the notebook stand, at little cost and without running anything.

        Parameters
        ----------
        codes : mapping of str to str
            The text of each cell as it is now, by the cell's id.
        """
        going_on = {going.cell.ident for going in list(self._core.ongoing.values())}
        return self._standings.standings(self._core.notebook, codes, going_on)

    def export(
        self,
        what: Any,
        format: str | None = None,
        dest: str | os.PathLike[str] | None = None,
        *,
        overwrite: bool = False,
        files: bool = True,
    ) -> str:
        """Write down what made a result, to be run or read without this package or the store.

        Parameters
        ----------
        what : Resource, Task, int, path-like, or a value that a call gave; or None
            None stands for everything on record.
        format : str, optional
            ``script`` or ``notebook``, which make the result again; ``html`` (a page for a browser); ``dot`` (a graph
            for Graphviz); ``prov`` and ``provn`` (W3C PROV as JSON and as text); ``rocrate`` (a Workflow Run RO-Crate,
            with the files) and ``parquet`` (the tables that SQL asks), which are folders. By the suffix of `dest` if
            not given.
        dest : path-like, optional
            Where to write it; values too large for a line go into a folder beside it. A folder format whose `dest`
            ends in ``.zip`` is packed.
        overwrite : bool
            Replace a file that is there, even if it is no export or was edited since.
        files : bool
            Whether an RO-Crate holds the files themselves.

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
        from rms_jupyter.exports.scope import Scope

        if what is None:
            return export(Scope(self._store, self._files, None, None, files), format, dest, overwrite)
        ref = (
            None if isinstance(what, (Resource, VirtualResource, Task, Pipe)) else self._core.home.tracker.lookup(what)
        )
        scope = Scope(self._store, self._files, self._core.ident(what), ref.item if ref else None, files, self.is_older)
        return export(scope, format, dest, overwrite)

    def call_name(self, ident: int) -> str:
        """Name the call of a task on record; '' where there is none."""
        try:
            record = self._store.record(ident)[1] if ident else None
        except LookupError:
            record = None
        return self._store.call_text(record) if isinstance(record, model.TaskRecord) else ""

    def is_older(self, pipe_name: str, version: str) -> bool:
        """Tell whether a pipe has other code now than a version on record, whose results do not count for it."""
        return self._code_now(pipe_name, version) is not None

    def _code_now(self, pipe_name: str, version: str) -> dict[str, str] | None:
        """Give the code of a pipe as it would run now; None where that version on record still counts."""
        pipe = self._core.pipes.get(pipe_name)
        if pipe is None:
            return None
        now = pipe._definition.version(self._core.place.epoch)
        still_counts = version == now.digest.hex() or version in self._store.accepted(now.digest.hex())
        return None if still_counts else now.sources

    def _again(self, ident: int, task: model.TaskRecord) -> Account | None:
        """Say what the call of a task would do now; None where its pipe is not defined here."""
        pipe = self._core.pipes.get(self._store.pipe_name(task.pipe))
        if pipe is None:
            return None
        try:
            values = recorded_arguments(pipe._definition, ident, task, self._core.home.resource, self._store.is_trusted)
            return why_would_run(self._calls, pipe._definition, values)
        except (RmsError, LookupError):
            return None
