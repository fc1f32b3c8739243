"""Where is something from, why did it run, and what differs?  Questions about one task or result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.resource import Resource
from rms_jupyter.session.cells import Cells, Standing
from rms_jupyter.session.core import Core
from rms_jupyter.store.ask.neighbourhood import LineageView
from rms_jupyter.store.ask.notebook import notebook_graph
from rms_jupyter.store.ask.params import params_of
from rms_jupyter.tend.recompute import recorded_arguments
from rms_jupyter.tend.why import Account, compare_tasks, why_ran, why_would_run
from rms_jupyter.views.details import Details, Witness, details
from rms_jupyter.views.frames_behind import frames_behind
from rms_jupyter.views.lineage import Lineage
from rms_jupyter.views.notebook import NotebookView
from rms_jupyter.views.results import Results
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

    def cells(self, codes: Mapping[str, str]) -> dict[str, Standing]:
        """Tell how cells of the notebook stand, at little cost and without running anything.

        Parameters
        ----------
        codes : mapping of str to str
            The text of each cell as it is now, by the cell's id.
        """
        going_on = {going.cell.ident for going in list(self._core.ongoing.values())}
        return self._standings.standings(self._core.notebook, codes, going_on)

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
