"""How is a journal read, live or sealed, at a place or from a place on?"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from rms_jupyter.model import Record
from rms_jupyter.store.full import reason
from rms_jupyter.store.journal import LIVE, SEALED, Journal, first_json, names_in, writer_of
from rms_jupyter.store.lines import json_of, lines_of
from rms_jupyter.store.register import Register, identity_of
from rms_jupyter.store.sealed import SealedJournal
from rms_jupyter.store.upkeep.forged import ForgedRecord, read_record

_OPEN_AT_MOST = 64
_GUESS = 1024
_REACHES = 256, 4096  # How far an id of something in a record may lie behind the record's beginning.
_AHEAD = 64 * 1024  # What is read at once of records that are asked for one after the other.
_SPAN = 8 * 1024 * 1024
_LONGEST_FIRST = 1 << 20
_SETTLED_NS = 50_000_000


class Unreadable(LookupError):
    """A journal cannot be read; the message says why."""


class _LiveJournal:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def read(self, start: int, end: int) -> bytes:
        return os.pread(self._fd, end - start, start)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def __del__(self) -> None:
        self.close()


def _open_live(path: Path) -> _LiveJournal:
    return _LiveJournal(os.open(path, os.O_RDONLY))  # One that is not there leaves nothing to be disposed of.


AnyJournal = _LiveJournal | SealedJournal | Journal


class Journals:
    """All journals of a store, read-only.

    Parameters
    ----------
    folder : Path
        The store's ``journal`` directory.
    register : Register, optional
        Knows which journal each number belongs to; those that are others' are left out.
    tell : callable, optional
        Told once of each journal that cannot be read, and why.
    own : Journal, optional
        The one that this process writes.
    is_trusted : callable, optional
        Whether only those have written to the store whom the user trusts.
    """

    _folder_fd = -1  # Of one that an interrupt has kept from being made.

    def __init__(
        self,
        folder: Path,
        register: Register | None = None,
        tell: Callable[[str], None] = lambda problem: None,
        own: Journal | None = None,
        is_trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self.folder, self._tell, self._own, self._is_trusted = folder, tell, own, is_trusted
        self._register = register or Register(folder)
        self._open: OrderedDict[int, AnyJournal] = OrderedDict()
        self._folder_fd = os.open(folder, os.O_RDONLY)
        opened = os.fstat(self._folder_fd)
        self._folder_id = opened.st_ino, opened.st_dev
        self._changed = -1
        self._live: set[int] = set()
        self._sealed: set[int] = set()
        self._ahead: tuple[int, int, bytes] = (0, 0, b"")  # Of a journal, from an offset: lines do not change.

    def numbers(self) -> set[int]:
        """Numbers of all journals; the directory is listed again only when it has changed."""
        self._list()
        return self._live | self._sealed

    def sealed(self) -> set[int]:
        """Numbers of the journals that will not grow."""
        self._list()
        return self._sealed - self._live

    def are_where_they_were(self) -> bool:
        """Whether the directory that was opened is still found under its name."""
        try:
            found = os.stat(self.folder)
        except OSError:
            return False
        return (found.st_ino, found.st_dev) == self._folder_id

    def have_changed(self) -> bool:
        """Whether journals have come or gone since they were last listed."""
        return os.fstat(self._folder_fd).st_mtime_ns != self._changed

    def _list(self) -> None:
        if self.have_changed():
            changed = os.fstat(self._folder_fd).st_mtime_ns
            self._live, self._sealed, _ = names_in(self.folder)
            # Within a tick of the disk's clock there may be another change that does not show.
            self._changed = changed if time.time_ns() - changed > _SETTLED_NS else -1

    def record(self, ident: int) -> tuple[int, bytes]:
        """Find the record that an id stands for.

        Parameters
        ----------
        ident : int
            Id of a record, or of a resource inside one.

        Returns
        -------
        (int, bytes)
            The id of the record itself, and its JSON.

        Raises
        ------
        LookupError
            If there is no such record, or its line is damaged.
        """
        number, offset = writer_of(ident)
        journal = self._journal(number)
        try:
            json = self._next(journal, number, offset)
            return (ident, json) if json is not None else self._record_around(journal, ident, offset)
        except OSError as error:
            raise Unreadable(f"journal {number} cannot be read: {reason(error)}") from None

    def _next(self, journal: AnyJournal, number: int, offset: int) -> bytes | None:
        """Read the line at an offset, and those behind it where the last ones were asked for in their order."""
        read, start, ahead = self._ahead
        end = -1
        is_near = read == number and start <= offset <= start + len(ahead)
        if is_near:
            end = ahead.find(b"\n", offset - start)
        if end < 0:
            start, ahead = offset, journal.read(offset, offset + (_AHEAD if is_near else _GUESS))
            self._ahead = number, start, ahead
            end = ahead.find(b"\n")
        return json_of(ahead[offset - start : end]) if end >= 0 else None

    def _record_around(self, journal: AnyJournal, ident: int, offset: int) -> tuple[int, bytes]:
        for reach in _REACHES:
            back = max(0, offset - reach)
            block = journal.read(back, offset + _GUESS)
            for start in (offset, back + block.rfind(b"\n", 0, offset - back) + 1):
                json = self._line_at(journal, start, block[start - back : start - back + _GUESS])
                if json is not None:
                    return ident - offset + start, json
        raise LookupError(f"no record {ident}")

    def lines(self, number: int, start: int) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Read a journal from an offset to its last newline, as (offset, line, JSON or None)."""
        try:
            journal = self._journal(number)
            while block := journal.read(start, start + _SPAN):
                cut = block.rfind(b"\n") + 1
                if not cut:
                    longer = journal.read(start, start + 64 * _SPAN)
                    if longer.rfind(b"\n") < 0:
                        if isinstance(journal, SealedJournal):  # There will be no more of it.
                            yield start, longer, None
                        return
                    block, cut = longer, longer.rfind(b"\n") + 1
                yield from lines_of(block[:cut], start)
                start += cut
        except Unreadable:
            return
        except OSError as error:
            self._tell(f"journal {number} cannot be read: {reason(error)}")

    def read(self, json: bytes) -> Record | None:
        """Read the record of a line; None if it is none, or of a kind that only later versions know."""
        try:
            return read_record(json, self._is_trusted())
        except ForgedRecord:
            return None

    def refuses(self, json: bytes) -> bool:
        """Whether a line that others may have written holds no record; those of the user's own are not looked at."""
        return not self._is_trusted() and self.read(json) is None

    def size(self, number: int) -> int:
        """Size of a journal's text in bytes.

        Raises
        ------
        Unreadable
        """
        return self._journal(number).size

    def is_live(self, number: int) -> bool:
        """Whether a journal may still grow, or is still to be sealed.

        Raises
        ------
        Unreadable
        """
        return not isinstance(self._journal(number), SealedJournal)

    def is_finished(self, number: int, read: int) -> bool:
        """Whether a journal will not grow, and was read to its end."""
        try:
            return number in self.sealed() and self.size(number) <= read
        except Unreadable:
            return False

    def reaches(self, number: int, offset: int) -> bool:
        """Whether a journal begins as one, and has a line that ends at an offset: what was read is still there."""
        try:
            journal = self._journal(number)
            ends = not offset or journal.read(offset - 1, offset) == b"\n"
            return ends and first_json(journal.read(0, _LONGEST_FIRST)) is not None
        except (Unreadable, OSError):
            return False

    def is_whole(self, number: int) -> bool:
        """Whether each line of a journal can be read; if not, what cannot be is told."""
        try:
            if getattr(self._journal(number), "flaw", ""):
                return False
        except Unreadable:
            return False
        bad = [offset for offset, _, json in self.lines(number, 0) if json is None]
        if bad:
            self._tell(
                f"journal {number} is damaged: {len(bad):,} of its lines cannot be read, the first at {bad[0]:,}"
            )
        return not bad

    def close(self) -> None:
        """Release the files."""
        if self._folder_fd >= 0:
            os.close(self._folder_fd)
            self._folder_fd = -1
            while self._open:
                self._open.popitem()[1].close()

    def __del__(self) -> None:
        self.close()

    def _journal(self, number: int) -> AnyJournal:
        journal = self._open.get(number)
        if journal is None:
            if self._own is not None and number == self._own.number and self._own.is_open:
                return self._own
            journal = self._open[number] = self._opened(number)
            if len(self._open) > _OPEN_AT_MOST:
                self._open.popitem(last=False)  # Whoever still reads it holds it.
        return journal

    def _opened(self, number: int) -> AnyJournal:
        """Open a journal, live if it is, that is the one of this number."""
        why = "it is gone"
        for make, suffix in ((_open_live, LIVE), (SealedJournal, SEALED)):
            name = f"{number}{suffix}"
            try:
                journal = make(self.folder / name)
                other = self._other(number, journal)
            except FileNotFoundError:
                continue
            except OSError as error:
                why = reason(error)
                self._tell(f"journal/{name} cannot be read: {why}")
                continue
            if not other:
                if flaw := getattr(journal, "flaw", ""):
                    self._tell(f"journal/{name} is damaged: {flaw}")
                return journal
            why = f"it is {other}"
            self._tell(f"journal/{name} is {other}: it is left out")
        raise Unreadable(f"no journal {number}: {why}")

    def _other(self, number: int, journal: _LiveJournal | SealedJournal) -> str:
        """Say what a file is if it is not the journal of its number; '' if it is, or is too damaged to tell."""
        if not journal.size:
            return "empty"
        first = first_json(journal.read(0, _GUESS)) or first_json(journal.read(0, _LONGEST_FIRST))
        if first is None or self._register.admits(number, identity := identity_of(first)):
            return ""
        rightful = self._register.number_of(identity)
        return "not the journal that had this number" if rightful is None else f"journal {rightful} under another name"

    @staticmethod
    def _line_at(journal: AnyJournal, start: int, block: bytes) -> bytes | None:
        end = block.find(b"\n")
        size = _GUESS
        while end < 0 and len(block) == size:
            size *= 8
            block = journal.read(start, start + size)
            end = block.find(b"\n")
        return json_of(block[:end]) if end >= 0 else None
