"""What takes room in a store, and what of it can go?

What was computed can be computed again. Arguments, what calls have shown, what is marked, and what cannot come back
stay; so does what nothing names yet, while it is new or calls run that may name it.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rms_jupyter import model
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.recover import at_work

GRACE = 3600.0  # Seconds that what nothing names stays.
NAME = re.compile(r"[0-9a-f]{32}\.[a-z.]+")
_UNDER_WAY = re.compile(r"\.[0-9a-f]{32}\..*")
_DAY = 86_400.0


class OnDisk(NamedTuple):
    """A file with content: its name, size, and how to know it again."""

    name: str
    size: int
    inode: int
    modified: float


@dataclass(frozen=True, slots=True)
class Content:
    """Content that can be computed again.

    Attributes
    ----------
    seconds : float
        That it takes to compute it.
    worth : float
        Of these, what it saves: nothing where it answers no call any more.
    made : float
        When, in seconds since 1970; the latest of several times.
    """

    file: OnDisk
    task: int
    pipe: str
    seconds: float
    worth: float
    made: float
    is_expired: bool

    @property
    def worth_a_byte(self) -> float:
        """Seconds that each byte saves."""
        return self.worth / max(self.file.size, 1)


@dataclass
class Survey:
    """What takes room in a store.

    Attributes
    ----------
    bytes : int
        All of it.
    contents : list of Content
        What can go, the cheapest first.
    staying : Counter of str
        Bytes of what stays, by the reason.
    unnamed : list of OnDisk
        What nothing names, and is so old that nothing will.
    leftovers : list of OnDisk
        What processes left that died while they wrote or removed content.
    trash : int
        Bytes of what was deleted, and goes for good.
    """

    bytes: int = 0
    contents: list[Content] = field(default_factory=list)
    staying: Counter[str] = field(default_factory=Counter)
    unnamed: list[OnDisk] = field(default_factory=list)
    leftovers: list[OnDisk] = field(default_factory=list)
    trash: int = 0


def survey(store: Store, contracts: Mapping[str, model.Contract]) -> Survey:
    """Look at everything that takes room.

    Parameters
    ----------
    store : Store
    contracts : mapping of str to Contract
        What pipes declare now, by name; for others it counts what they declared when they ran.
    """
    began = time.time()
    disk, leftovers = _files(store.layout.objects)
    digests = sorted({file.name.partition(".")[0] for file in disk.values()})
    rows = store.fetch(sql_text("queries/contents.sql"), {"digests": digests, "now": int(began * 1e6)})
    found, nameless = Survey(bytes=_bytes_below(store.layout.root), leftovers=leftovers), dict(disk)
    for name, is_marked, is_given, comes_back, is_expired, worth, seconds, made, task, pipe in rows:
        if (file := disk.get(name)) is None:
            continue
        nameless.pop(name, None)
        if (contract := contracts.get(pipe)) is not None:
            comes_back = comes_back and contract.deterministic
            age = began - (made or 0.0) - seconds
            is_expired = 0 < contract.expires_after < age
        why = _why_it_stays(is_marked, is_given, comes_back, pipe)
        if why:
            found.staying[why] += file.size
        else:
            found.contents.append(Content(file, task, pipe, seconds, worth, made or 0.0, is_expired))
    limit = _named_by_then(store, began)
    for file in nameless.values():
        if file.modified < limit:
            found.unnamed.append(file)
        else:
            found.staying["not named yet"] += file.size
    found.contents.sort(key=lambda content: content.worth_a_byte)
    return found


def _why_it_stays(is_marked: bool, is_given: bool, comes_back: bool, pipe: str | None) -> str:
    if pipe is None and not is_given:
        return "what calls have shown"
    if is_marked:
        return "pinned, tagged or noted"
    if is_given:
        return "arguments"
    return "" if comes_back else "cannot be computed again"


def _files(objects: Path) -> tuple[dict[str, OnDisk], list[OnDisk]]:
    """List the content on disk by name, and what dead processes have left beside it."""
    disk: dict[str, OnDisk] = {}
    leftovers = []
    long_ago = time.time() - _DAY
    for folder in _folders(objects):
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    found = entry.stat(follow_symlinks=False)
                    file = OnDisk(entry.name, found.st_size, found.st_ino, found.st_mtime)
                    if NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        disk[entry.name] = file
                    elif _UNDER_WAY.fullmatch(entry.name) and found.st_ctime < long_ago:
                        leftovers.append(file)
    return disk, leftovers


def _folders(objects: Path) -> Iterator[str]:
    with os.scandir(objects) as entries:
        yield from (entry.path for entry in entries if entry.is_dir(follow_symlinks=False) and len(entry.name) == 2)


def _named_by_then(store: Store, now: float) -> float:
    """When all content that is named at all was named: what running calls have put is named when they end."""
    begun = [now - GRACE]
    for number, notes in at_work(store.layout).items():
        if notes:
            with contextlib.suppress(LookupError):
                writer = store.record(number << 32)[1]
                assert isinstance(writer, model.Writer)
                begun.append(writer.started / 1e6)
    return min(begun)


def _bytes_below(root: Path) -> int:
    total = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total
