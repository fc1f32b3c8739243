"""What is on record?  SQL, searches and tables over all of it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from rms_jupyter.errors import RmsError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.resource import FileResource, Resource
from rms_jupyter.handles.task import Task
from rms_jupyter.naming import is_short_id
from rms_jupyter.search import Condition, Search, Where, where
from rms_jupyter.session.core import Core
from rms_jupyter.session.explaining import Explaining
from rms_jupyter.store.ask.find import compile_condition, compile_search, files_holding, ids_called
from rms_jupyter.store.ask.overview import (
    figure_ids,
    names_on_record,
    pipe_versions,
    running_elsewhere,
    runs,
    store_status,
    tables,
)
from rms_jupyter.store.ask.pages import PageQuery, PageRows
from rms_jupyter.store.ask.results import Wanted, results
from rms_jupyter.tend.check import edited_files
from rms_jupyter.views.gallery import Figures, figure_row
from rms_jupyter.views.results import Results, Table
from rms_jupyter.working_folder import in_short

if TYPE_CHECKING:
    import duckdb

_MOST_MATCHES, _MOST_LOOKED_AT = 200_000, 10_000


class Asking:
    """Questions; nothing is changed by them."""

    def __init__(self, core: Core, explaining: Explaining) -> None:
        self._core, self._store, self._files, self._explaining = core, core.store, core.file_digests, explaining

    def sql(self, query: str, params: Any = None, frames: Mapping[str, Any] | None = None) -> duckdb.DuckDBPyRelation:
        """Ask the provenance in SQL.

        Parameters
        ----------
        query : str
            One SELECT, or EXPLAIN of one without ANALYZE, over the views ``tasks, resources, files, params, edges,
            pipes, runs, marks, logs, figures`` and the macros ``ancestors(id)`` and ``descendants(id)``.
        params : sequence or mapping, optional
            Values for ``?`` or ``$name``; a mapping may hold more than is asked for.
        frames : mapping, optional
            Data frames that the query may name as tables; one that has the name of a view is not seen.

        Returns
        -------
        duckdb.DuckDBPyRelation
            Already computed: ``.df()``, ``.pl()``, ``.arrow()``, ``.fetchall()``.

        Raises
        ------
        RmsError
            If DuckDB refuses the query, or it would write.
        """
        values = _Values(params) if isinstance(params, Mapping) else params and [_plain_inside(one) for one in params]
        return self._store.ask(query, values, {name: plain(frame) for name, frame in (frames or {}).items()})

    def tables(self) -> dict[str, list[str]]:
        """List the views and macros that SQL may ask, with their columns."""
        return tables(self._store)

    def names_on_record(self) -> dict[str, list[str]]:
        """List the names of ``pipes`` and ``params`` on record."""
        return names_on_record(self._store)

    def find(self, words: str = "", overwritten: bool = False, limit: int = 1000) -> Results[Any]:
        """Search tasks, files and values by words; each must occur in an id, name, path, note, argument or error.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def greet(name):
        ...     return f"hello {name}"
        >>> greeted = greet("Ada"), greet("Grace")
        >>> sorted(type(found).__name__ for found in s.find("greet ada"))
        ['Resource', 'Task']
        >>> s.close()
        """
        search = Search("any", tuple(words.split()), status="any" if overwritten else "", limit=limit)
        return Results(self._search(search), _row)

    def tasks(
        self,
        /,
        words: str = "",
        *,
        pipe: str = "",
        status: str = "",
        made_from: Condition | None = None,
        limit: int = 1000,
        **params: Any,
    ) -> Results[Task]:
        """Search tasks: by words, pipe, status, parameters, and what they were made from (see `where`).

        Deleted ones are left out unless asked for: ``status="deleted"``, or ``"any"``. ``status="failing"`` are those
        that failed, timed out or were cut off, and were not tried again since.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def double(x):
        ...     return 2 * x
        >>> results = double(1), double(2)
        >>> [task.status for task in s.tasks(pipe="double", x=2)]
        ['done']
        >>> s.close()
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

    def results(
        self,
        /,
        words: str = "",
        *,
        pipe: str = "",
        made_from: Any = None,
        status: Literal["", "current", "outdated"] = "",
        sort: str = "",
        descending: bool = False,
        **params: Any,
    ) -> Table:
        """Show what calls gave as a table: a row a call that succeeded, parameters and results as columns.

        Parameters
        ----------
        words : str
            Each must occur in an id, name, argument, tag or note, or in a path or preview of what was made.
        pipe : str
            Only calls of this pipe.
        made_from : path, result of a call, Resource, Task, int, Pipe or Condition, optional
            What they were made from, at any distance. In a path, ``*`` stands for anything.
        status : str
            ``current`` or ``outdated``: made from a file that has other content now, by code that was changed since,
            or overwritten. Files are looked at where no more than 10,000 are on record; else `check` does that.
        sort : str
            A column; without it, the latest comes first.
        descending : bool
        **params
            Arguments, globals, and what results hold by name, with their values.

        Returns
        -------
        Table
            Columns ``pipe``, the parameters, what results hold by name (scalars in a dict, dataclass, named tuple or
            series), ``value`` (a scalar, else a preview or path) unless those say it, ``status``, ``seconds`` and
            ``id``; a parameter that is named as one of these has ``args.`` before it. Of calls of one pipe there are
            also the parameters of the calls that they were made from, ``fit.alpha``, where they vary, unless there are
            very many. ``.df()`` gives a frame.

        Raises
        ------
        RmsError
            If nothing on record is called so, or there is no such column.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def half(x):
        ...     return x / 2
        >>> r = half(1), half(3)
        >>> s.results(sort="value", descending=True).df()[["pipe", "x", "value", "status"]]
           pipe  x  value   status
        0  half  3    1.5  current
        1  half  1    0.5  current
        >>> s.close()
        """
        own = where(pipe, **params) if pipe or params else None
        source = None if made_from is None else self._source(made_from)
        wanted = Wanted(tuple(words.split()), own, source, status, sort, descending)
        edited = edited_files(self._store, self._files, _MOST_LOOKED_AT)
        return Table(*results(self._store, wanted, self._outdated_versions(), edited), self._explaining.call_name)

    def _source(self, what: Any) -> Condition:
        """Turn what something was made from into a condition."""
        if isinstance(what, Condition):
            return what
        if isinstance(what, Pipe) or self._core.is_pipe(what):
            return where(what.name if isinstance(what, Pipe) else what)
        if isinstance(what, (str, os.PathLike)) and not isinstance(what, Resource):
            path = os.path.normpath(os.fspath(what)).replace("[", "[[]")
            if not self._search(Search("file", own=where(path=path), status="any", limit=1)):
                raise RmsError(f"no file on record is called {os.fspath(what)!r}", hint="search: %rms files WORDS")
            return where(path=path)
        return Where(id=self._core.ident(what))

    def _outdated_versions(self) -> list[str]:
        """List the code versions on record that do not count for the code as it is now."""
        return [
            version
            for name, version in self._store.fetch("SELECT DISTINCT name, version FROM pipes")
            if self._explaining.is_older(name, version)
        ]

    def figures_where(self, condition: str) -> list[int]:
        """Find ids of figures by a condition in SQL on the view ``figures``.

        Raises
        ------
        RmsError
            If DuckDB refuses the condition.
        """
        return [row[0] for row in self._store.ask(compile_condition(condition, _MOST_MATCHES, "figures")).fetchall()]

    def matches(self, search: Search | str) -> list[int]:
        """Find ids of nodes, the latest first: by a search, or by a condition in SQL on the view ``nodes``.

        Raises
        ------
        RmsError
            If DuckDB refuses the condition.
        """
        if isinstance(search, str):
            return [row[0] for row in self._store.ask(compile_condition(search, _MOST_MATCHES)).fetchall()]
        query, parameters = compile_search(dataclasses.replace(search, limit=_MOST_MATCHES))
        return [row[0] for row in self._store.fetch(query, parameters)]

    def runs(self, words: str = "", limit: int = 1000) -> Results[dict[str, Any]]:
        """List runs, the latest first; each word must occur in the id, name, kind, notebook, time or code of the cell.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def double(x):
        ...     return 2 * x
        >>> results = double(1), double(2)
        >>> s.runs()[0]["tasks"]
        2
        >>> s.close()
        """
        rows = runs(self._store, words.split(), limit)
        return Results([row | {"notebook": in_short(row["notebook"] or "")} for row in rows], dict)

    def figures(self, words: str = "", limit: int = 1000) -> Figures:
        """List figures that calls gave or wrote, the latest first, but for those overwritten or deleted.

        Each word must occur in an id, path, pipe or argument; a short id stands for what is called so.
        """
        ids = figure_ids(self._store, [self._long_id(word) for word in words.split()], limit)
        return Figures([self._core.home.resource(ident) for ident in ids], figure_row)

    def _long_id(self, word: str) -> str:
        found = ids_called(self._store, word) if is_short_id(word) else []
        return str(found[0]) if len(found) == 1 else word

    def status(self) -> dict[str, Any]:
        """Count what is in the store: ``tasks, failed, pipes, files, seconds, bytes``."""
        return store_status(self._store)

    def elsewhere(self) -> Results[dict[str, Any]]:
        """List what other kernels on this store are doing: notebook, cell, process, calls that run, tasks ended."""
        return Results(running_elsewhere(self._store), dict)

    def page(self, look: PageQuery, offset: int = 0, limit: int = 100) -> PageRows:
        """Read a page of a long table; see `PageQuery`."""
        return self._store.use(lambda engine: self._core.pages.page(engine, look, offset, limit))

    def ids_called(self, short: str) -> list[int]:
        """Find the tasks and resources on record that a short id, or the beginning of one, may stand for."""
        return ids_called(self._store, short)

    def find_copied(self, path: str | os.PathLike[str]) -> int:
        """Find the id of the file on record that another file is a copy of; 0 if there is none."""
        state = self._files.state(os.path.abspath(path))
        return next(iter(files_holding(self._store, state.digest)), 0) if state.size else 0

    def pipe_versions(self, words: str = "") -> list[dict[str, Any]]:
        """List the code versions on record, with the number of their tasks; each word must occur in name or module."""
        return pipe_versions(self._store, words.split())

    def _search(self, search: Search) -> list[Any]:
        query, parameters = compile_search(search)
        rows = self._store.fetch(query, parameters)
        return [self._core.home.task(row[0]) if row[1] == "task" else self._core.home.resource(row[0]) for row in rows]


def plain(value: Any) -> Any:
    """Return what a resource stands for, and anything else as it is."""
    return value._rms_value() if isinstance(value, Resource) else value


def _plain_inside(value: Any) -> Any:
    """Return a value, or a list of values, without what stands for them."""
    return [plain(one) for one in value] if isinstance(value, (list, tuple, set, frozenset)) else plain(value)


class _Values(Mapping[str, Any]):
    """Values by name, without what stands for them; only those that are asked for are read back."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given

    def __getitem__(self, name: str) -> Any:
        return _plain_inside(self._given[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)

    def __contains__(self, name: object) -> bool:
        return name in self._given


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
