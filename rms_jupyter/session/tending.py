"""How are results set right: accepted, marked, made again, checked, deleted?"""

from __future__ import annotations

import contextlib
import datetime
import os
import threading
import time
from typing import Any

from rms_jupyter import model
from rms_jupyter.errors import RmsError, StoreError
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.resource import Resource
from rms_jupyter.session.core import Core
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.copies.known_places import addresses_of
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.trusting import sign
from rms_jupyter.tend.accept import accept, take_back
from rms_jupyter.tend.check import check
from rms_jupyter.tend.delete import Deleter, label
from rms_jupyter.tend.gc import Limits, amount, clear_out, span
from rms_jupyter.tend.mark import annotate, deprecate, restore
from rms_jupyter.tend.remake import mend_results, repair_files
from rms_jupyter.tend.rerun import Rerun
from rms_jupyter.tend.verify import verify as run_sample
from rms_jupyter.views.checking import check_report, deletion_report, undo_report
from rms_jupyter.views.housekeeping import clearing_report
from rms_jupyter.views.results import Report, Results
from rms_jupyter.views.wording import duration

_SELDOM = 60.0  # Seconds from one look at the size of a store to the next.


class Tending:
    """Changes of what counts."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._files, self._calls = core, core.store, core.file_digests, core.calls
        self._looked, self._clearing = time.monotonic(), threading.Thread()

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
        definition = self._core.pipe_named(pipe)._definition
        if undo:
            take_back(self._store, definition, self._core.place.epoch)
            return f"{definition.name}: results of older code no longer count"
        older = accept(self._store, definition, self._core.place.epoch)
        if older is None and missing_ok:
            return ""
        if older is None:
            raise RmsError(
                f"{definition.name} has no results of older code to accept", hint="nothing needs to be done: call it"
            )
        saved = f"{older.tasks:,} results of the code before ({older.changed}) count again, {duration(older.seconds)}"
        return f"{definition.name}: {saved} saved; to take it back: %rms accept {definition.name} --undo"

    def accepted(self) -> Results[dict[str, Any]]:
        """List the code changes that were accepted: ``pipe, version, older, at``."""
        rows = self._store.fetch(sql_text("queries/accepts.sql"))
        return Results([dict(zip(("pipe", "version", "older", "at"), row, strict=True)) for row in rows], dict)

    def mark(
        self, what: Any, deprecated: bool | None = None, tag: str = "", note: str = "", pinned: bool | None = None
    ) -> str:
        """Mark something as wrong, or as right again; give it a tag or a note.

        What is deprecated is no hit any more, nor is anything that was made from it, and using it is refused.

        Parameters
        ----------
        what : result of a call, Resource, Task, int, path-like, or list of them
        deprecated : bool, optional
            True marks it and all that was made from it; False takes that back.
        tag, note : str
            Found by searches; what has one is not evicted by `gc`.
        pinned : bool, optional
            True keeps it from being evicted, False takes that back.

        Returns
        -------
        str
            What it came to.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def load(n):
        ...     return list(range(n))
        >>> s.mark(load(3), tag="figure 2", note="for the paper")
        '1 noted'
        >>> len(s.find("figure 2"))
        1
        >>> s.close()
        """
        is_many = type(what) in (list, tuple) and self._core.home.tracker.lookup(what) is None
        roots = [self._core.ident(item) for item in (what if is_many else [what])]
        told = []
        if pinned is not None:
            annotate(self._store, roots, "pinned" if pinned else "unpinned", "")
            told.append(f"{len(roots)} {'pinned' if pinned else 'no longer pinned'}")
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

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> @s.pipe
        ... def load(n):
        ...     return list(range(n))
        >>> s.rerun(load(3)).content
        [0, 1, 2]
        >>> s.close()
        """
        __tracebackhide__ = True
        again = Rerun(self._calls, self._core.definition_named, self._core.home.resource)
        if replace:
            pairs = {self._core.ident(old): self._ident_or_file(new) for old, new in replace.items()}
            ident = self._core.ident(what)
            place, record = self._store.record(ident)
            first = place + 1 if ident == place and isinstance(record, model.TaskRecord) else ident
            return self._core.home.resource(again.replacing(first, pairs))
        ident, task = self._core.task_record(what)
        if debug:
            return again.plainly(ident, task)
        answer = again.once(ident, task)
        self._core.place.note(self._store.pipe_name(task.pipe), answer)
        return self._core.home.result_of(answer)

    def check(self, full: bool = False, repair: bool = False, verify: float = 0.0, seed: int | None = None) -> Report:
        """Look at every file on record and every kept result: is it there, and as it was recorded?

        Parameters
        ----------
        full : bool
            Read all content again, also where size and time are as before.
        repair : bool
            Make missing files again, by the recorded calls that made them, and compute damaged results again.
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
        self._core.refuse_closed()
        found, remade, mended = check(self._store, self._files, full, results=repair), {}, {}
        if repair:
            self._core.refuse_read_only()
            remade, mended = repair_files(found, self._core.remake), mend_results(found, self._compute_again)
            found = check(self._store, self._files, results=True) if remade or mended else found
        sample = run_sample(self._store, self._files, self._core.past, verify, seed) if verify else None
        return check_report(found, remade, mended, sample)

    def _compute_again(self, ident: int) -> None:
        """Run the call again that made a result, if all is as it was then."""
        place, task = self._core.task_record(ident)
        self._core.past.call(place, task)
        Rerun(self._calls, self._core.definition_named, self._core.home.resource).once(place, task)

    def trust(self) -> str:
        """Let everything in the store be read, whoever has written it: pickles too, and to read one can run anything.

        A store that you have made is trusted by itself. The store is signed with a key of yours; of one that is open
        read-only it holds for this session.

        Returns
        -------
        str
            What it came to.
        """
        self._core.refuse_closed()
        self._store.trust()
        with contextlib.suppress(StoreError):  # What is pulled from there is trusted, too.
            for address in addresses_of(self._store.layout.root):
                sign(CopyPlace(address))
        return f"{self._core.path} is trusted: what others have put there, or will, can run anything when it is read"

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

    def _ident_or_file(self, what: Any) -> int:
        """Find the id of something; a file that is not on record is registered."""
        is_path = isinstance(what, (str, os.PathLike)) and not isinstance(what, Resource)
        if is_path and self._core.find_file(what) is None:
            what = self._core.register_file(what)
        return self._core.ident(what)
