"""How is one task or result shown, with what it printed, and written down to leave the notebook?"""

from __future__ import annotations

import os
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.resource import Resource
from rms_jupyter.handles.task import Task
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.session.core import Core
from rms_jupyter.session.explaining import Explaining
from rms_jupyter.store.ask.overview import latest_failures
from rms_jupyter.views.logs import Log, Logs, logs_of, running
from rms_jupyter.views.show import Shown


class Showing:
    """One thing, as it is on record."""

    def __init__(self, core: Core, explaining: Explaining) -> None:
        self._core, self._store, self._files, self._explaining = core, core.store, core.file_digests, explaining

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
        is_handle = isinstance(what, (Resource, VirtualResource, Task, Pipe))
        ref = None if is_handle else self._core.home.tracker.lookup(what)
        item, is_older = ref.item if ref else None, self._explaining.is_older
        scope = Scope(self._store, self._files, self._core.ident(what), item, files, is_older)
        return export(scope, format, dest, overwrite)
