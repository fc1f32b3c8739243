"""Where is the database of a store that cannot have it in its own folder?

What others have written into a database would be believed, and DuckDB writes even where one only looks. So it is made
from the journals in a folder of the user's own, which nobody else can write to, and is there for the next session.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
import weakref
from hashlib import blake2b
from pathlib import Path

from rms_jupyter.store.layout import Layout

_UNUSED = 90 * 24 * 3600.0


def keep_database_elsewhere(layout: Layout, is_trusted: bool, holder: object) -> weakref.finalize[..., object] | None:
    """Let a store's database be elsewhere; what removes it with its holder, where it cannot be there for longer.

    Parameters
    ----------
    layout : Layout
    is_trusted : bool
        It decides what of the journals is believed.
    holder : object
    """
    with contextlib.suppress(OSError):
        layout.build_database_in(_made(_folder(layout, is_trusted)))
        return None
    folder = tempfile.mkdtemp(prefix="rms-")
    layout.build_database_in(Path(folder))
    return weakref.finalize(holder, shutil.rmtree, folder, ignore_errors=True)


def is_on_another_disk(layout: Layout, is_trusted: bool) -> bool:
    """Whether the database of a store would be on another disk than the store, if it were elsewhere."""
    with contextlib.suppress(OSError):
        return _made(_folder(layout, is_trusted)).stat().st_dev != layout.root.stat().st_dev
    return False


def forget_databases_elsewhere(layout: Layout) -> None:
    """Have the databases of a store made new that are elsewhere."""
    for is_trusted in (False, True):
        shutil.rmtree(_folder(layout, is_trusted), ignore_errors=True)


def _folder(layout: Layout, is_trusted: bool) -> Path:
    from platformdirs import user_cache_path

    ident = f"{layout.read_marker().id}\0{os.path.realpath(layout.root)}\0{is_trusted}"
    name = blake2b(ident.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return user_cache_path("rms_jupyter", appauthor=False) / "databases" / name


def _made(folder: Path) -> Path:
    """Make a folder if it is not there, and remove those beside it that were not used for long.

    Raises
    ------
    OSError
        If it is not for the user alone.
    """
    is_new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for own in (folder.parent, folder):
        found = own.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or not os.access(own, os.W_OK | os.X_OK):
            raise PermissionError(13, f"{own} is not the user's own")
        if found.st_mode & 0o077:
            own.chmod(0o700)
    os.utime(folder)
    if is_new:
        _remove_unused(folder.parent)
    return folder


def _remove_unused(databases: Path) -> None:
    for folder in databases.iterdir():
        if time.time() - folder.lstat().st_mtime > _UNUSED:
            shutil.rmtree(folder, ignore_errors=True)
