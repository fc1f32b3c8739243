"""Which content goes when the store has grown, in which order, and how does it go while others work?

First goes what saves the fewest seconds a byte. A record names what goes; then each file is set aside, looked at once
more, and removed: one that another process has put there meanwhile is put back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rms_jupyter import model
from rms_jupyter.errors import StoreError
from rms_jupyter.store.full import writing_to
from rms_jupyter.store.modes import open_file
from rms_jupyter.store.store import Store
from rms_jupyter.store.upkeep.contents import NAME, Content, OnDisk, Survey

_ASIDE = ".evicted"
_BATCH = 500


def choose(
    found: Survey,
    comes_back: Callable[[Content], bool],
    budget: int | None = None,
    made_before: float | None = None,
    pipe: str = "",
    items: int | None = None,
) -> list[Content]:
    """Choose what goes: what has expired, all of an age or a pipe, and then the cheapest until the rest fits.

    Parameters
    ----------
    found : Survey
    comes_back : callable
        Tells whether content can be computed again, where that takes a closer look.
    budget, items : int, optional
        Bytes that the store may take, and how many results it may keep.
    made_before : float, optional
        Seconds since 1970.
    pipe : str
        Only results of this one; all of them if nothing else is said.
    """
    mine = [content for content in found.contents if pipe in ("", content.pipe)]
    is_all = bool(pipe) and budget is None and made_before is None and items is None
    chosen: list[Content] = []
    going = found.trash + sum(file.size for file in (*found.unnamed, *found.leftovers))
    room, count = found.bytes - going, len(mine)
    late: list[Content] = []
    for content in mine:
        goes = content.is_expired or is_all or (made_before is not None and content.made < made_before)
        (chosen if goes and comes_back(content) else late).append(content)
    room, count = room - sum(content.file.size for content in chosen), count - len(chosen)
    for content in late:
        if (budget is None or room <= budget) and (items is None or count <= items):
            break
        if comes_back(content):
            chosen.append(content)
            room, count = room - content.file.size, count - 1
    return chosen


@contextmanager
def alone(store: Store) -> Iterator[None]:
    """Let no other process clear the store out meanwhile.

    Raises
    ------
    StoreError
    """
    with writing_to(store.layout.root):
        fd = open_file(store.layout.root / "gc.lock", os.O_RDWR)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError("another kernel is clearing the store out", hint="wait a little, then try again") from None
        yield
    finally:
        os.close(fd)


def evict(store: Store, files: Sequence[OnDisk], why: str) -> list[OnDisk]:
    """Remove content; returns what was there and has gone. What a record says of it stays."""
    gone = []
    for start in range(0, len(files), _BATCH):
        batch = files[start : start + _BATCH]
        names = tuple(file.name for file in batch)
        store.append(model.Eviction(names, why, changed=time.time_ns() // 1000, k=store.next_k()))
        gone += [file for file in batch if _remove(store.layout.objects, file)]
    return gone


def _remove(objects: Path, file: OnDisk) -> bool:
    """Remove a file, unless another one is under its name by now."""
    path = objects / _place(file.name)
    aside = path.with_name(f".{file.name}.{os.getpid()}{_ASIDE}")
    try:
        path.rename(aside)
    except OSError:
        return False
    return _let_go(aside, path, file)


def _let_go(aside: Path, path: Path, file: OnDisk) -> bool:
    try:
        is_it = aside.stat().st_ino == file.inode
        if not is_it:
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()
    except OSError:
        return False
    return is_it


def _place(name: str) -> str:
    return f"{name[:2]}/{name}" if NAME.fullmatch(name) else f"{name.lstrip('.')[:2]}/{name}"


def remove_leftovers(store: Store, files: Iterable[OnDisk]) -> int:
    """Remove what processes left that died while they wrote or removed content; returns the bytes."""
    removed = 0
    for file in files:
        path = store.layout.objects / _place(file.name)
        if file.name.endswith(_ASIDE):  # Was it to go, or to come back?  It can stay.
            with contextlib.suppress(OSError):
                os.link(path, path.with_name(file.name[1:].removesuffix(_ASIDE).rpartition(".")[0]))
        with contextlib.suppress(OSError):
            path.unlink()
            removed += file.size
    return removed
