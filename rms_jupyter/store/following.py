"""What do the journals of all writers say?  They are followed: by this process, and by the index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from rms_jupyter.fingerprint.project import Project
from rms_jupyter.store.index import Index
from rms_jupyter.store.journal import Journal
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.recent_index import Known
from rms_jupyter.store.register import Register
from rms_jupyter.store.table import DamagedIndex
from rms_jupyter.store.tail import Tail
from rms_jupyter.store.upkeep.recover import update_index
from rms_jupyter.store.upkeep.rejected import reject
from rms_jupyter.store.upkeep.rollcall import call_the_roll


class Following:
    """Knows what the journals say, of other writers and of its own.

    Parameters
    ----------
    layout : Layout
    project : Project
    register : Register
    own : Journal
        The one that this process writes.
    tell : callable
        Told of problems.
    is_trusted : callable
        Whether content may be read that could run anything.
    read_only : bool
        The index is not written.

    Attributes
    ----------
    known : Known
        What has been done already.
    changed : set of int
        Journals that are missing, or not what they were: the database must forget what it has from them.
    written : int
        The journal of ours that is left out, as we write it; 0 before there is one.
    lock : RLock
        Held while one of the journals, or what is known of them, is in use.
    """

    def __init__(
        self,
        layout: Layout,
        project: Project,
        register: Register,
        own: Journal,
        tell: Callable[[str], None],
        is_trusted: Callable[[], bool],
        read_only: bool,
    ) -> None:
        self._layout, self._project, self._register, self._own = layout, project, register, own
        self._tell, self._is_trusted, self._read_only = tell, is_trusted, read_only
        self.lock = threading.RLock()
        self.written = 0
        self._missed: Collection[int] = ()
        self.changed: set[int] = set()
        self._index = Index(layout.root)
        self.journals = self.reading(own)
        self.known = Known(self._index, project, self.mend)
        self._tail = self._new_tail()
        self._call_the_roll()

    def reading(self, own: Journal | None = None) -> Journals:
        """Open the journals for another reader."""
        return Journals(self._layout.journal, self._register, self._tell, own, self._is_trusted)

    def read(self) -> bool:
        """Take in what other processes have written; tells whether there was anything."""
        with self.lock:
            return self._tail.read()

    def record(self, ident: int) -> tuple[int, bytes]:
        """Read the JSON of the record that an id stands for, with its own id; see `Journals.record`."""
        with self.lock:
            return self.journals.record(ident)

    def leave_out(self, number: int) -> None:
        """Leave out a journal that this process has begun to write."""
        self.written = number
        self._tail.skip(number)

    def update_index(self) -> None:
        """Bring the index on disk up to date."""
        self._update(Index(self._layout.root))

    def mend(self, damage: str) -> None:
        """Make the index new that was found damaged."""
        self._tell(f"the index was damaged ({damage}); it was made again from the journals")
        self._make_index_new()

    def after_fork(self) -> None:
        """Go on in the child: what its parent writes is another's."""
        self._tail.follow(self.written)
        self.written = 0
        self.lock = threading.RLock()

    def close(self) -> None:
        """Let go of the files."""
        self.journals.close()

    def _new_tail(self) -> Tail:
        return Tail(self.journals, self.known, self._project, self._reject)

    def _update(self, index: Index, rebuild: bool = False) -> None:
        update_index(self.reading(), index, self._project, self._register, self._missed, rebuild)

    def _call_the_roll(self) -> None:
        """See whether journals and index are what they were."""
        facts = self.known.facts
        self._register.remember(facts.identities)
        folder = self._layout.journal
        self._missed, self.changed = call_the_roll(folder, self._register, facts, self.journals, self._tell)
        if self._index.damage:
            self.mend(self._index.damage)
        elif self.changed:
            self._make_index_new()

    def _make_index_new(self) -> None:
        """Make the index new, or do without one, and take in all journals."""
        with self.lock:
            is_made = not self._read_only
            try:
                if is_made:
                    self._update(self._index, rebuild=True)
            except (OSError, DamagedIndex):
                is_made = False
            self.known.begin_again(self._own.number, is_made)
            self._tail = self._new_tail()
            self._tail.read()
            if self.written:
                self._tail.skip(self.written)

    def _reject(self, number: int, offset: int, span: bytes) -> None:
        self._tell(reject(self._layout.rejected, number, offset, span))
