"""What has a store that its copy has not, and what has the copy?"""

from __future__ import annotations

from typing import NamedTuple

from rms_jupyter.errors import StoreError
from rms_jupyter.store.copies.known_places import addresses_of
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.send import texts_to_send
from rms_jupyter.store.copies.take import texts_to_take
from rms_jupyter.store.copies.texts import described, text_of
from rms_jupyter.store.reader import Journals
from rms_jupyter.store.store import Store


class Balance(NamedTuple):
    """How many tasks the store has that a copy has not, and the other way round; `problem` if that is unknown."""

    address: str
    ahead: int = 0
    behind: int = 0
    problem: str = ""

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        words = [
            f"{counted(self.ahead)} to push" * (self.ahead > 0),
            f"{counted(self.behind)} to pull" * (self.behind > 0),
        ]
        return f"{', '.join(filter(None, words)) or 'up to date'} ({self.address})"


def counted(tasks: int) -> str:
    """Word a number of tasks.

    Examples
    --------
    >>> counted(1), counted(5_000)
    ('1 task', '5,000 tasks')
    """
    return "1 task" if tasks == 1 else f"{tasks:,} tasks"


def balance(store: Store) -> Balance | None:
    """Compare a store with the copy that was used last; None if there is none."""
    addresses = addresses_of(store.layout.root)
    if not addresses:
        return None
    journals = Journals(store.layout.journal)
    try:
        place = CopyPlace(addresses[0])
        ahead = 0
        for number, there in texts_to_send(journals, place):
            here = described(number, text_of(journals, number), False)
            ahead += here.tasks - (there.tasks if there else 0)
        behind = 0
        for text, size in texts_to_take(journals, place):
            behind += text.tasks - (described(text.number, text_of(journals, text.number), False).tasks if size else 0)
    except StoreError as error:
        return Balance(addresses[0], problem=error.message)
    finally:
        journals.close()
    return Balance(place.address, max(0, ahead), max(0, behind))
