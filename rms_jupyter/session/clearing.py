"""How is a store kept small: what is deleted, cleared out, and kept to a budget?"""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from typing import Any

from rms_jupyter.errors import RmsError, StoreError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.session.core import Core
from rms_jupyter.tend.delete import Deleter, label
from rms_jupyter.tend.gc import Limits, amount, clear_out, span
from rms_jupyter.views.checking import deletion_report, undo_report
from rms_jupyter.views.housekeeping import clearing_report
from rms_jupyter.views.results import Report

_SELDOM = 60.0  # Seconds from one look at the size of a store to the next.


class Clearing:
    """What is kept, and what is not."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._files = core, core.store, core.file_digests
        self._looked, self._clearing = time.monotonic(), threading.Thread()

    def delete(self, what: Any, dependants: bool = False, dry_run: bool = False, files: bool = False) -> Report:
        """Delete a task or resource with its content; of a pipe, all its tasks. Lineages still show what it was.

        What goes is in the store's trash until `gc` empties it, and `undo_delete` brings it back. Files stay in place.

        Parameters
        ----------
        what : Resource, Task, Pipe, int, path-like or name of a pipe
        dependants : bool
            Delete what was made from it, too.
        dry_run : bool
            Only say what would be deleted.
        files : bool
            Move the files that calls have made to the trash, too; but for those that have been changed since.

        Raises
        ------
        RmsError
            If something that is current was made from it, and `dependants` is not given.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> double = s.register_pipe(lambda n: [2 * n], name="double")
        >>> s.delete(double(4)).headline
        'deleted 1 task, 0 B to the trash'
        >>> s.undo_delete().headline, double(4).task.hit
        ('brought back 1 task', True)
        >>> s.close()
        """
        self._core.refuse_closed()
        if not dry_run:
            self._core.refuse_read_only()
        deleter = Deleter(self._store, self._files)
        if isinstance(what, Pipe) or self._core.is_pipe(what):
            deletion = deleter.pipe(what.name if isinstance(what, Pipe) else what, dependants, dry_run, files)
        else:
            deletion = deleter.nodes([self._core.ident(what)], dependants, dry_run, files)
        return deletion_report(deletion, {ident: label(self._store, ident) for ident in deletion.ids}, dry_run)

    def undo_delete(self) -> Report:
        """Bring back what was deleted last, with its content and files; what is in their place by now stays there.

        Raises
        ------
        RmsError
            If nothing is in the trash: nothing was deleted, or `gc` has emptied it.
        UntrustedContent
            If the store was made elsewhere, and is not trusted.
        """
        self._core.refuse_closed()
        self._core.refuse_read_only()
        return undo_report(*Deleter(self._store, self._files).undo())

    def gc(
        self,
        budget: int | str | None = None,
        *,
        older: float | str | datetime.timedelta | None = None,
        pipe: Pipe[Any] | str = "",
        items: int | None = None,
        compact: bool = False,
        dry_run: bool = False,
    ) -> Report:
        """Make the store smaller: results that can be computed again go first that save the fewest seconds a byte.

        What goes stays on record, and is computed again when it is asked for. Arguments, displays, and what is pinned,
        tagged or noted stays, and so does what cannot be computed again. Content that nothing names goes, too, and
        what was deleted, and results that have expired (``@rms.pipe(expires_after=...)``). Other kernels may work
        meanwhile.

        Parameters
        ----------
        budget : int or str, optional
            Bytes that the store may take, ``"20 GB"``; by default that of the session, if it was opened with one.
        older : float, str or timedelta, optional
            All results that were computed longer ago than that, ``"30 days"``.
        pipe : Pipe or str
            Only results of this pipe; all of them, if neither `budget`, `older` nor `items` is given.
        items : int, optional
            How many results may stay.
        compact : bool
            Make the database again, even if little of it is unused.
        dry_run : bool
            Only say what would go, and how long it takes to get it back.

        Returns
        -------
        Report
            A row a pipe: ``pipe, results, bytes, to get back``.

        Raises
        ------
        RmsError
            If an amount cannot be read, or no pipe has that name.
        StoreError
            If another kernel is clearing the store out.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> s.gc("20 GB")
        nothing to evict
        the store takes ... of 20 GB
        >>> s.close()
        """
        return self._clear_out(budget, older, pipe, items, compact, dry_run, empty_trash=True)

    def _clear_out(
        self,
        budget: int | str | None = None,
        older: float | str | datetime.timedelta | None = None,
        pipe: Pipe[Any] | str = "",
        items: int | None = None,
        compact: bool = False,
        dry_run: bool = False,
        empty_trash: bool = False,
    ) -> Report:
        self._core.refuse_closed()
        if not dry_run:
            self._core.refuse_read_only()
        name = pipe.name if isinstance(pipe, Pipe) else pipe
        if name and not self._core.latest_task(name):
            raise RmsError(f"{name} has no tasks on record", hint="see the pipes: %rms pipes")
        is_all = name and older is None and items is None
        limit = amount(budget) if budget is not None or is_all else self._core.budget
        limits = Limits(limit, span(older), name, items)
        contracts = {name: pipe.contract for name, pipe in self._core.pipes.items()}
        cleared = clear_out(self._store, limits, contracts, dry_run, compact, empty_trash)
        return clearing_report(cleared, limit, dry_run)

    def set_budget(self, budget: int | str) -> None:
        """Set how many bytes the store may take while this session is open."""
        self._core.budget = amount(budget)

    def mind_budget(self) -> None:
        """Clear the store out in the background if it takes more than the session's budget; looks once a minute."""
        is_time = time.monotonic() - self._looked > _SELDOM and not self._clearing.is_alive()
        if self._core.budget is not None and is_time:
            self._looked = time.monotonic()
            self._clearing = threading.Thread(target=self._keep_to_budget, args=(True,), name="rms-gc", daemon=True)
            self._clearing.start()

    def _keep_to_budget(self, tell: bool) -> None:
        if self._core.budget is None or self._core.read_only:
            return
        with contextlib.suppress(StoreError):  # Another kernel is at it.
            report = self._clear_out()
            if report and tell:
                self._core.place.tell(f"the store has outgrown its budget: {report.headline}")

    def end(self) -> None:
        """Clear a store that has a budget out, before it is closed."""
        if self._clearing.is_alive():
            self._clearing.join()
        if self._core.budget is not None:
            self._core.tidy()
            self._keep_to_budget(tell=False)

    def reduce_size(
        self,
        bytes_limit: int | str | None = None,
        items_limit: int | None = None,
        age_limit: datetime.timedelta | None = None,
    ) -> Report:
        """Make the store smaller, in the words of `joblib.Memory.reduce_size`; see `gc`."""
        return self.gc(bytes_limit, items=items_limit, older=age_limit)

    def clear(self, pipe: Pipe[Any], dependants: bool = False) -> Report:
        """Delete all results of a pipe; see `Pipe.clear`."""
        self._core.refuse_closed()
        self._core.refuse_read_only()
        deletion = Deleter(self._store, self._files).results(pipe.name, dependants)
        return deletion_report(deletion, {ident: label(self._store, ident) for ident in deletion.ids}, False)
