"""How are flows made, and versions of their segments looked at?"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.flows.flow import Flow
from rms_jupyter.flows.graph import parse
from rms_jupyter.flows.segments import Finder
from rms_jupyter.flows.tree import FlowOnRecord, Product, flows_on_record, printed_of, products_of
from rms_jupyter.flows.version import Version, Versions
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.resource import FileResource
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.session.core import Core
from rms_jupyter.tend.delete import Deleter, label
from rms_jupyter.tend.versions import (
    Change,
    RecordedVersion,
    code_versions,
    compare_versions,
    pipe_record,
    tags_of,
    version_of,
)
from rms_jupyter.views.checking import deletion_report
from rms_jupyter.views.logs import Logs, logs_of
from rms_jupyter.views.results import Report, Results


class Flowing:
    """Flows."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._files, self._calls = core, core.store, core.file_digests, core.calls

    def flow(
        self,
        dot: str,
        code_dir: str | os.PathLike[str] | types.ModuleType | None = None,
        *,
        name: str = "",
        multiplex: Mapping[str, str] | None = None,
        segments: Mapping[str, Any] | None = None,
        namespace: Mapping[str, Any] | None = None,
    ) -> Flow:
        """Make a flow of segments, each of which runs once for each of its inputs.

        A segment is a pipe, a function of the notebook or of a module, or a script ``segment.py``; found by its name,
        or by the longest beginning of it (``fit_a`` and ``fit_b`` share ``fit``). What it returns is the list of its
        outputs, or the only one. Its inputs are the Cartesian product of the outputs of its parents: a function gets
        them by parameters named like the parents (an only one by its first parameter), a script by `get_input`.

        Parameters
        ----------
        dot : str
            The graph in DOT: ``"knights -> melt; quality -> melt"``.
        code_dir : path-like or module, optional
            Where the scripts, or the functions, are.
        name : str
            What its outputs and its picture are called; by default as the digraph, or ``flow``.
        multiplex : mapping of str to str, optional
            Other inputs than the product, by segment: ``cross_prod``, ``union`` or ``zip``, then
            ``where "condition"`` and ``group_by "class"``; counts before ``#multiplex`` comments in the segment's code.
            With ``zip`` the first outputs of the parents go together, then the second, and so on: a task waits for its
            own inputs and for what makes the outputs before these; with ``group_by`` it waits for all.
        segments : mapping of str to callable, optional
            What runs for some segments.
        namespace : mapping, optional
            Where functions are looked up; by default where this is called.

        Raises
        ------
        RmsError
            If the graph cannot be read, or there is nothing to run for a segment.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> square = lambda pushed: pushed ** 2
        >>> total = lambda square: sum(square)
        >>> flow = s.flow("square -> total", multiplex={"total": "group_by"}).push(square=[1, 2, 3])
        >>> print(flow.run(n_jobs=1), flow["total"])
        4 done [14]
        >>> s.close()
        """
        self._core.refuse_closed()
        graph = parse(dot)
        _refuse_misplaced(name, multiplex, segments)
        caller = sys._getframe(2)  # Past the method of the session.
        seen = namespace if namespace is not None else {**caller.f_globals, **caller.f_locals}
        place = code_dir if isinstance(code_dir, types.ModuleType | None) else Path(os.path.abspath(code_dir))
        finder = Finder(self._core.pipes, seen, segments or {}, place)
        return Flow(self._core.as_host, graph, name or graph.name or "flow", finder, multiplex or {})

    def pipe_of(self, definition: Definition) -> Pipe[Any]:
        """Make a pipe that this session answers."""
        return Pipe(definition, lambda: self._core.as_host)

    def keep_flow(self, name: str, text: str, pipes: Mapping[str, str]) -> None:
        """Note in the store what a flow is, under its name."""
        if not self._core.read_only:
            changed = time.time_ns() // 1000
            self._store.append(model.FlowRecord(name, text, dict(pipes), changed=changed, k=self._store.next_k()))

    def flows_on_record(self) -> list[FlowOnRecord]:
        """List the flows that were run in this store, the latest first, with the versions of their segments."""
        self._core.refuse_closed()
        return flows_on_record(self._store, self._latest_file)

    def version_on_record(self, ident: int) -> Version:
        """Return the version of a pipe, by the id of its record."""
        self._core.refuse_closed()
        return Version(self._core.as_host, version_of(self._store, ident))

    def code_on_record(self, ident: int) -> str:
        """Return the code of a version of a pipe, by the id of its record."""
        return "\n\n".join(pipe_record(self._store, ident).sources.values())

    def products_on_record(self, ident: int, offset: int, limit: int) -> tuple[int, list[Product]]:
        """List files that the tasks of a version of a pipe have written, the latest first, and how many there are."""
        return products_of(self._store, ident, offset, limit)

    def logs_of_version(self, ident: int, most: int) -> Logs:
        """Show what the latest tasks of a version of a pipe have printed, those of them that have."""
        return logs_of(self._store, self._core.home.status, printed_of(self._store, ident, most))

    def _latest_file(self, task: int, suffix: str) -> str:
        """The path of a file with an ending that a task has made; '' if there is none."""
        return next((file.path for file in self.files_of_tasks([task]) if file.path.endswith(suffix)), "")

    def version_now(self, definition: Definition) -> bytes:
        """Return the code version of a pipe as it would run now."""
        return self._calls.version(definition).digest

    def flow_folder(self, flow: str) -> Path:
        """Return where the files of a flow go."""
        return Path(self._store.project.folder, "outputs", flow)

    def is_trusted(self) -> bool:
        """Whether pickles on record may be read."""
        return self._store.is_trusted

    def files_of(self, answer: Answer) -> list[FileResource]:
        """Make handles on the files that a task wrote."""
        return self._core.home.files_of(answer.id, answer.task)

    def files_of_tasks(self, tasks: list[int]) -> list[FileResource]:
        """Make handles on the files that tasks wrote."""
        records = ((ident, self._store.record(ident)[1]) for ident in tasks)
        files_of = self._core.home.files_of
        return [f for ident, task in records if isinstance(task, model.TaskRecord) for f in files_of(ident, task)]

    def versions_of(self, pipe: str) -> Versions:
        """List the code versions of a pipe that have tasks, the latest first."""
        host = self._core.as_host
        return Results([Version(host, version) for version in code_versions(self._store, pipe)], Version.row)

    def tags_of(self, tasks: list[int]) -> list[str]:
        """List the tags that tasks have."""
        return tags_of(self._store, tasks)

    def compare_versions(self, before: RecordedVersion, after: RecordedVersion) -> list[Change]:
        """Find what differs between two code versions."""
        return list(compare_versions(self._store, before, after))

    def delete_tasks(self, tasks: list[int], dependants: bool, dry_run: bool, files: bool = False) -> Report:
        """Delete tasks with what they made, and the folders that are empty then."""
        self._core.refuse_closed()
        if not dry_run:
            self._core.refuse_read_only()
        folders = {os.path.dirname(file.path) for file in self.files_of_tasks(tasks)}
        deletion = Deleter(self._store, self._files).nodes(tasks, dependants, dry_run, files)
        folders |= {os.path.dirname(path) for path in deletion.files}
        if not dry_run:
            _remove_empty(folders, self.flow_folder("."))
        return deletion_report(deletion, {ident: label(self._store, ident) for ident in deletion.ids}, dry_run)


def _remove_empty(folders: set[str], top: Path) -> None:
    """Remove folders in which nothing is left, and those above, up to a folder that stays."""
    for folder in folders:
        with contextlib.suppress(OSError):
            while Path(folder).is_relative_to(top) and Path(folder) != top:
                os.rmdir(folder)
                folder = os.path.dirname(folder)


def _refuse_misplaced(name: Any, multiplex: Any, segments: Any) -> None:
    """Refuse what says nothing of any segment, and what cannot be a name."""
    for option, own in (("multiplex", multiplex), ("segments", segments)):
        if own is not None and not isinstance(own, Mapping):
            raise RmsError(f"{option} is a {type(own).__name__}: of which segment?", hint=f"{option}={{'melt': ...}}")
    if not isinstance(name, str):
        raise RmsError(f"a flow cannot be called {name!r}", hint="name='melting'")
