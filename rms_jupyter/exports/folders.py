"""How is a folder of exported files put in its place, whole or not at all?

A list of what was written lies in it, so that another export may take its place and nothing else is ever removed.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from rms_jupyter.errors import OverwriteError, RmsError

_LIST = ".exported_by_rms_jupyter.json"


def write_folder(path: Path, fill: Callable[[Path], None], overwrite: bool) -> str:
    """Write a folder, or a zip file of it if its name ends so.

    Parameters
    ----------
    path : Path
    fill : callable
        Writes the files into an empty folder.
    overwrite : bool
        Replace a zip file that is there, and an earlier export in a folder.

    Raises
    ------
    OverwriteError
        If something else is there.
    RmsError
        If it cannot be written.
    """
    is_zip = path.suffix.lower() == ".zip"
    _refuse_foreign(path, overwrite, is_zip)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rms-export-", dir=path.parent) as made:
            folder = Path(made, "made")
            folder.mkdir()
            fill(folder)
            if is_zip:
                _pack(folder, Path(made, "made.zip")).replace(path)
            else:
                names = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir())
                (folder / _LIST).write_text(json.dumps(names))
                _remove_earlier(path)
                _move(folder, path)
    except OSError as error:
        raise RmsError(f"cannot write {path}: {error.strerror}", hint="choose another place") from error
    return str(path)


def _refuse_foreign(path: Path, overwrite: bool, is_zip: bool) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if is_zip or not path.is_dir():
        if overwrite and is_zip and path.is_file():
            return
        raise OverwriteError(f"{path} is there already", hint="choose another name, or allow it: overwrite=True")
    if any(path.iterdir()) and not (overwrite and (path / _LIST).is_file()):
        hint = "name another folder" if not (path / _LIST).is_file() else "allow it: overwrite=True, --overwrite"
        raise OverwriteError(f"{path} is there already, with other files in it", hint=hint)


def _remove_earlier(path: Path) -> None:
    """Remove the files of an earlier export, by its own list."""
    try:
        names = json.loads((path / _LIST).read_text())
    except (OSError, ValueError):
        return
    root = path.resolve()
    for name in [*names, _LIST]:
        target = path / str(name)
        if target.parent.resolve().is_relative_to(root) and not target.is_dir():
            target.unlink(missing_ok=True)


def _move(folder: Path, path: Path) -> None:
    if not path.exists():
        folder.rename(path)
        return
    for file in folder.rglob("*"):
        if not file.is_dir():
            target = path / file.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(file, target)


def _pack(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in sorted(folder.rglob("*")):
            packed.write(file, file.relative_to(folder))
    return target
