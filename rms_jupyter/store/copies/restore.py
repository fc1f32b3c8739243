"""How does a store come back from a copy?  Where nothing is, or beside what is there; nothing is written over."""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rms_jupyter.errors import StoreError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.store.copies.content import fetch_all
from rms_jupyter.store.copies.elsewhere import lies_in
from rms_jupyter.store.copies.place import CopyPlace
from rms_jupyter.store.copies.send import texts_at
from rms_jupyter.store.copies.take import take
from rms_jupyter.store.layout import Layout
from rms_jupyter.store.modes import make_folder
from rms_jupyter.store.store import Store

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.xz", ".tar.bz2")


TAKEN_OVER = "what a restore that was killed had left there was taken over"


class Restored(NamedTuple):
    """What came back, and whether all that the copy holds did."""

    tasks: int
    content: int
    bytes: int
    problems: list[str]
    is_whole: bool


@contextmanager
def source_of(address: str | os.PathLike[str]) -> Iterator[CopyPlace]:
    """Give the copy at an address; an archive of one is unpacked for the time of a block.

    Raises
    ------
    StoreError
        If there is no copy, or an archive holds what would lead out of it.
    """
    text = os.fspath(address)
    if "://" in text or not text.endswith(_ARCHIVES):
        yield _checked(CopyPlace(address), text)
        return
    with tempfile.TemporaryDirectory(prefix="rms-") as folder:
        _unpack(text, folder)
        yield _checked(CopyPlace(folder), text)


def restore(place: CopyPlace, root: Path) -> Restored:
    """Make a store from a copy, with all that the copy holds, and the files of its project beside it.

    Raises
    ------
    StoreError
        If something is at `root`, a file of the copy would lie outside of the project, or a journal is damaged. Nothing
        is at `root` then, so that it can be done again. What a restore that was killed has left there is taken over.
    """
    is_left = Layout(root).is_being_restored
    if not is_left and (root.is_symlink() or (root.exists() and (not root.is_dir() or any(root.iterdir())))):
        raise StoreError(
            f"{root} is there already, and nothing is written over",
            hint="name a place where nothing is; to bring what a copy has into a store: %rms pull",
        )
    with _begun(root):
        try:
            done = _restored(place, root)
        except BaseException:
            if not is_left:
                shutil.rmtree(root, ignore_errors=True)
            raise
    return done._replace(problems=[TAKEN_OVER, *done.problems]) if is_left else done


@contextmanager
def _begun(root: Path) -> Iterator[None]:
    """Mark a store as one that is being restored for the time of a block; where that is killed, the mark stays.

    Raises
    ------
    StoreError
        If another process is at it.
    """
    layout = Layout(root)
    mark = layout.restoring
    make_folder(root)
    with mark.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{root} is being restored by another process", hint="wait for its end") from None
        make_folder(layout.journal)
        yield
        mark.unlink()


def _restored(place: CopyPlace, root: Path) -> Restored:
    store = Store(root)
    try:
        taken = take(store, place)
        project = store.project
        files = [held for held in store.holdings().files.values() if not store.status(held.id)]
        inside = [held for held in files if project.place(held.resource.path) != held.resource.path]
        for held in inside:
            if not lies_in(held.resource.path, project.folder):
                raise StoreError(
                    f"the copy has a file that would lie outside of {project.folder}: {held.resource.path}",
                    hint="it was not made by this package, or damaged on purpose: do not trust it",
                )
        before = [held.resource.path for held in inside if os.path.lexists(held.resource.path)]
        fetched = fetch_all(store, place, inside, goes_on=True)
        others = [path for path in before if not _is_same(store, path)]
        kept = [f"{path} is there already with other content, and stays as it is" for path in others]
    finally:
        store.close()
    problems = [*taken.problems, *fetched.problems, *kept]
    return Restored(taken.tasks, fetched.parts, fetched.bytes, problems, is_whole=not fetched.problems)


def _is_same(store: Store, path: str) -> bool:
    found = store.find_path(path)
    return found is None or not FileDigests().flaw(path, found[1].digest, None)


def _checked(place: CopyPlace, text: str) -> CopyPlace:
    place.refuse_store()
    if not texts_at(place):
        raise StoreError(
            f"there is no copy of a store at {text}", hint="name the folder that %rms backup or %rms push has filled"
        )
    return place


def _unpack(archive: str, folder: str) -> None:
    try:
        with tarfile.open(archive) as packed:
            for member in packed:
                if not (member.isreg() or member.isdir()):
                    raise StoreError(
                        f"{archive} holds a link or a device: {member.name}", hint="a backup has files and folders only"
                    )
                if member.name.startswith("/") or ".." in Path(member.name).parts:
                    raise StoreError(
                        f"{archive} would write outside of its folder: {member.name}", hint="do not trust it"
                    )
                packed.extract(member, folder, filter="data")
    except tarfile.FilterError as error:
        raise _leads_out(archive, str(error)) from None
    except (OSError, tarfile.TarError) as error:
        raise StoreError(f"{archive} cannot be read: {error}", hint="name a backup") from None


def _leads_out(archive: str, what: str) -> StoreError:
    return StoreError(f"{archive} would write outside of its folder: {what}", hint="do not trust it")
