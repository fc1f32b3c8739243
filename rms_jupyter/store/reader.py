"""How is a journal read, live or sealed, at a place or from a place on?"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

from rms_jupyter.store.journal import LIVE, SEALED, journal_numbers, writer_of
from rms_jupyter.store.lines import json_of, lines_of
from rms_jupyter.store.sealed import SealedJournal

_OPEN_AT_MOST = 64
_GUESS = 1024
_SPAN = 8 * 1024 * 1024


class _LiveJournal:
    _fd = -1

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY)

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


class Journals:
    """All journals of a store, read-only.

    Parameters
    ----------
    folder : Path
        The store's ``journal`` directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder_fd = os.open(folder, os.O_RDONLY)
        self._open: OrderedDict[int, _LiveJournal | SealedJournal] = OrderedDict()
        self._changed = -1
        self._live: set[int] = set()
        self._sealed: set[int] = set()

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
            return os.path.samestat(os.stat(self._folder), os.fstat(self._folder_fd))
        except OSError:
            return False

    def have_changed(self) -> bool:
        """Tell whether journals have come or gone since they were last listed."""
        return os.fstat(self._folder_fd).st_mtime_ns != self._changed

    def _list(self) -> None:
        if self.have_changed():
            self._changed = os.fstat(self._folder_fd).st_mtime_ns
            self._live, self._sealed = journal_numbers(self._folder)

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
        try:
            journal = self._journal(number)
        except (OSError, ValueError):
            raise LookupError(f"no journal {number}") from None
        start, block = offset, journal.read(offset, offset + _GUESS)
        json = self._line_at(journal, start, block)
        while json is None and start > 0 and offset - start < 4096:
            back = max(0, start - 256)
            before = journal.read(back, offset)
            cut = before.rfind(b"\n")
            start = back + cut + 1 if cut >= 0 else back
            if cut >= 0 or back == 0:
                json = self._line_at(journal, start, journal.read(start, start + _GUESS))
                break
        if json is None:
            raise LookupError(f"no record {ident}")
        return number << 32 | start, json

    def lines(self, number: int, start: int) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Read a journal from an offset to its last newline, as (offset, line, JSON or None)."""
        try:
            journal = self._journal(number)
        except OSError:
            return
        while block := journal.read(start, start + _SPAN):
            cut = block.rfind(b"\n") + 1
            if not cut:
                longer = journal.read(start, start + 64 * _SPAN)
                if longer.rfind(b"\n") < 0:
                    return
                block, cut = longer, longer.rfind(b"\n") + 1
            yield from lines_of(block[:cut], start)
            start += cut

    def size(self, number: int) -> int:
        """Size of a journal's text in bytes."""
        return self._journal(number).size

    def close(self) -> None:
        """Release the files."""
        while self._open:
            self._open.popitem()[1].close()
        if self._folder_fd >= 0:
            os.close(self._folder_fd)
        self._folder_fd = -1

    def __del__(self) -> None:
        self.close()

    def _journal(self, number: int) -> _LiveJournal | SealedJournal:
        journal = self._open.get(number)
        if journal is None:
            try:
                journal = _LiveJournal(self._folder / f"{number}{LIVE}")
            except FileNotFoundError:
                journal = SealedJournal(self._folder / f"{number}{SEALED}")
            self._open[number] = journal
            if len(self._open) > _OPEN_AT_MOST:
                self._open.popitem(last=False)[1].close()
        return journal

    @staticmethod
    def _line_at(journal: _LiveJournal | SealedJournal, start: int, block: bytes) -> bytes | None:
        end = block.find(b"\n")
        size = _GUESS
        while end < 0 and len(block) == size:
            size *= 8
            block = journal.read(start, start + size)
            end = block.find(b"\n")
        return json_of(block[:end]) if end >= 0 else None
