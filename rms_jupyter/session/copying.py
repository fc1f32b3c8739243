"""How does what is on record come to others, and what others have done come here?  And how is it kept safe?"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.model import TaskRecord
from rms_jupyter.session.core import Core
from rms_jupyter.store.copies.backup import Part, back_up
from rms_jupyter.store.copies.backup import verify as verify_copy
from rms_jupyter.store.copies.content import fetch_all
from rms_jupyter.store.copies.known_places import addresses_of, remember
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.restore import restore as restore_store
from rms_jupyter.store.copies.restore import source_of
from rms_jupyter.store.copies.send import SentCounts, send, texts_at
from rms_jupyter.store.copies.state import Balance, balance, counted
from rms_jupyter.store.copies.take import take
from rms_jupyter.store.copies.trusting import sign
from rms_jupyter.store.full import reason
from rms_jupyter.store.layout import DEFAULT_NAME, Layout
from rms_jupyter.store.upkeep.holdings import Held
from rms_jupyter.views.results import Report
from rms_jupyter.views.wording import size

NOTHING_THERE = (
    "nobody has pushed there yet: begin it with %rms push ADDRESS, or name the place that you meant: %rms pull ADDRESS"
)


class Copying:
    """Copies of the store, and what they have that it has not."""

    def __init__(self, core: Core) -> None:
        self._core, self._store, self._files = core, core.store, core.file_digests

    def push(self, address: str | os.PathLike[str] = "") -> Report:
        """Bring a copy up to date with what is here: the record, the results, and the files that calls made.

        Interrupted, it is taken up where it was when it is called again. Several people may push to one address at
        once, and nothing of anyone is lost.

        Parameters
        ----------
        address : str
            A folder, ``ssh://host/folder``, ``s3://bucket/folder``, or what else fsspec understands; the one that was
            used last, if none is given.

        Raises
        ------
        StoreError
            If the address cannot be used.
        """
        self._core.refuse_closed()
        place = self._copy_place(address)
        self._sign_if_new(place)
        sent = send(self._store, self._files, place, self._files_made())
        problems = [*sent.problems, *self._left_out()]
        if not self._core.read_only:
            try:
                remember(self._store.layout.root, place.address)
            except OSError as error:
                problems.append(f"the address is not remembered: {reason(error)}")
        return Report(f"pushed to {place.address}: {_told(sent)}", [], problems)

    def pull(self, address: str | os.PathLike[str] = "", content: bool = False) -> Report:
        """Take in what others have pushed to an address: their results are hits here.

        Content is fetched when it is used.

        Parameters
        ----------
        address : str
            See `push`.
        content : bool
            Fetch all content at once.

        Raises
        ------
        StoreError
            If the address cannot be used.
        """
        self._core.refuse_closed()
        self._core.refuse_read_only()
        place = self._copy_place(address)
        taken = take(self._store, place)
        notes, unread = list(taken.problems), list[str]()
        if content:
            fetched = fetch_all(self._store, place, self._files_made(), goes_on=True)
            unread = fetched.problems
            notes += [f"{fetched.parts:,} results and files fetched ({size(fetched.bytes)})", *unread]
        if not taken.is_begun:
            return Report(f"there is no copy of a store at {place.address}", [], [NOTHING_THERE], is_sound=False)
        told = counted(taken.tasks) if taken.journals else "nothing new"
        return Report(f"pulled from {place.address}: {told}", [], notes, is_sound=not unread)

    def backup(self, dest: str | os.PathLike[str], part: Part = "all", *, verify: bool = False) -> Report:
        """Keep the store, and the files of its project, in another place; what is there already is not sent again.

        Parameters
        ----------
        dest : path-like or str
            An address, see `push`.
        part : str
            ``all``; ``key`` for raw and key results without what lies between: what no call has made, what nothing else
            was made from, and what was tagged or noted; ``record`` for what was done, without any content.
        verify : bool
            Read all that the backup holds again.

        Returns
        -------
        Report
            What was left out, a row each, and whether it can be computed again.
        """
        self._core.refuse_closed()
        place = self._copy_place(dest)
        self._sign_if_new(place)
        kept = back_up(self._store, self._files, place, part, self._files_in_project(), self._can_run)
        rows = [
            {
                "left out": what,
                "": "computed again when asked for" if again else "cannot be computed again",
            }
            for what, again in kept.left_out
        ]
        notes = [*kept.sent.problems, *self._left_out()]
        damaged: list[str] = []
        if verify:
            count, damaged = verify_copy(place)
            state = f"damaged: {', '.join(damaged)}" if damaged else "all sound"
            notes.append(f"{count:,} parts read again, {state}")
        return Report(f"backed up to {place.address}: {_told(kept.sent)}", rows, notes, is_sound=not damaged)

    def _left_out(self) -> list[str]:
        """Say what is not sent, as it is not on the disk yet."""
        waiting = self._store.waiting
        return [f"{_counted(waiting, 'record')} that could not be written down yet: not sent"] * (waiting > 0)

    def _can_run(self, ident: int) -> bool:
        """Whether a task can be computed again from what is on record, as far as that can be told without doing it."""
        record = self._store.record(ident)[1]
        if (
            not isinstance(record, TaskRecord)
            or record.uncached
            or any("lost" in packed for packed in record.exact.values())
        ):
            return False
        pipe = self._store.pipe_of(record)
        return pipe is not None and pipe.contract.get("deterministic", True)

    def _sign_if_new(self, place: CopyPlace) -> None:
        if self._store.is_trusted and not texts_at(place):
            sign(place)

    def ahead_and_behind(self) -> Balance | None:
        """Compare the store with the copy that was used last; None if there is none, or it cannot be reached."""
        return balance(self._store)

    def _copy_place(self, address: str | os.PathLike[str]) -> CopyPlace:
        last = addresses_of(self._store.layout.root)
        if not address and not last:
            raise RmsError("no address was given, and none was used before", hint="a folder, ssh://… or s3://…")
        place = CopyPlace(address or last[0])
        place.refuse_store()
        return place

    def _files_made(self) -> list[Held]:
        """List the files of the project that calls have made, and that are as they were made."""
        return [held for held in self._files_in_project() if self._is_made(held.id)]

    def _files_in_project(self) -> list[Held]:
        project = self._store.project
        held = [*self._store.holdings().files.values()]
        current = [one for one in held if not self._store.status(one.id) and one.resource.path]
        return [one for one in current if project.place(one.resource.path) != one.resource.path]

    def _is_made(self, ident: int) -> bool:
        place, record = self._store.record(ident)
        return isinstance(record, TaskRecord) and ident - place <= len(record.out)


def restore(source: str | os.PathLike[str], store: str | os.PathLike[str] | None = None) -> Report:
    """Make a store from a backup, with the files of its project beside it. Nothing that is there is written over.

    Parameters
    ----------
    source : path-like or str
        The address of a backup, see `Session.push`; or a tar archive of one.
    store : path-like, optional
        Where the store will be; ``.rms`` in the working directory if there is none, else ``restored.rms``.

    Raises
    ------
    StoreError
        If something is there already, or a file of the backup would lie outside of the project.
    """
    is_free = not os.path.exists(DEFAULT_NAME) or Layout(Path(DEFAULT_NAME)).is_being_restored
    default = DEFAULT_NAME if is_free else "restored.rms"
    root = Path(os.path.abspath(store if store is not None else default))
    with source_of(source) as place:
        found = restore_store(place, root)
    told = f"{counted(found.tasks)}, {found.content:,} results and files ({size(found.bytes)})"
    return Report(f"restored to {root}: {told}", [], found.problems, is_sound=found.is_whole)


def _told(sent: SentCounts) -> str:
    parts: list[Any] = [
        counted(sent.tasks),
        _counted(sent.objects, "result"),
        _counted(sent.files, "file"),
    ]
    told = ", ".join(filter(None, parts))
    return f"{told} ({size(sent.bytes)})" if sent.bytes else told if sent.tasks else "nothing new"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number > 1)}" * (number > 0)
