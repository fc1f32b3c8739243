"""How are results set right: accepted, marked, made again, checked, trusted?"""

from __future__ import annotations

import contextlib
import os
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
from rms_jupyter.tend.mark import annotate, deprecate, restore
from rms_jupyter.tend.remake import mend_results, repair_files
from rms_jupyter.tend.rerun import Rerun
from rms_jupyter.tend.verify import verify as run_sample
from rms_jupyter.views.checking import check_report
from rms_jupyter.views.results import Report, Results
from rms_jupyter.views.wording import duration


class Tending:
    """Changes of what counts."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._files, self._calls = core, core.store, core.file_digests, core.calls

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

    def _ident_or_file(self, what: Any) -> int:
        """Find the id of something; a file that is not on record is registered."""
        is_path = isinstance(what, (str, os.PathLike)) and not isinstance(what, Resource)
        if is_path and self._core.find_file(what) is None:
            what = self._core.register_file(what)
        return self._core.ident(what)
