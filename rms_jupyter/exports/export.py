"""Which formats are there, where does an export go, and may it be written there?"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xxhash import xxh3_128_hexdigest

from rms_jupyter.errors import OverwriteError, RmsError
from rms_jupyter.exports import crate, parquet, prov
from rms_jupyter.exports.dot import dot_of
from rms_jupyter.exports.folders import write_folder
from rms_jupyter.exports.notebook import notebook_text, sources_of
from rms_jupyter.exports.page import page_of
from rms_jupyter.exports.recipe import Recipe
from rms_jupyter.exports.scope import Scope
from rms_jupyter.exports.script import script_of
from rms_jupyter.version import __version__

_MARK = re.compile(r"(?:#|//|<!--) Exported by rms_jupyter \S+ ([0-9a-f]{32})\n")

Product = tuple[str, dict[str, bytes]]


@dataclass(frozen=True)
class TextFormat:
    """A format of one file, perhaps with others in a folder beside it.

    Attributes
    ----------
    make : callable
        Gives the text and the files beside it, for a scope and the name of the folder beside it.
    is_unchanged : callable
        Tells whether a text is an export as it was written.
    suffixes : tuple of str
        How names of such files end.
    """

    make: Callable[[Scope, str], Product]
    is_unchanged: Callable[[str], bool]
    suffixes: tuple[str, ...]


@dataclass(frozen=True)
class FolderFormat:
    """A format of many files: `fill` writes them into an empty folder."""

    fill: Callable[[Scope, Path], None]
    suffixes: tuple[str, ...] = ()


def export(scope: Scope, format: str | None, dest: str | os.PathLike[str] | None, overwrite: bool) -> str:
    """Export a result or everything; see `Session.export`."""
    path = Path(os.path.abspath(dest)) if dest is not None else None
    name = _format(format, path)
    chosen = _TABLE[name]
    if isinstance(chosen, FolderFormat):
        if path is None:
            raise RmsError(
                f"{name} is a folder of files", hint="say where to write it: a folder, or a file that ends in .zip"
            )
        return write_folder(path, lambda folder: chosen.fill(scope, folder), overwrite)
    if path is not None and not overwrite:
        _refuse_foreign(path, chosen)
    text, files = chosen.make(scope, f"{path.stem}_inputs" if path is not None else "")
    if path is None:
        return text
    for beside, data in files.items():
        _write(path.parent / f"{path.stem}_inputs" / beside, data)
    _write(path, text.encode())
    return str(path)


def _script(scope: Scope, folder: str) -> Product:
    beside = f"{{Path}}(__file__).resolve().parent / {_quoted(folder)}" if folder else ""
    script = script_of(Recipe(scope.store, scope.one, scope.item), beside)
    return _marked("#", script.text()), script.files


def _notebook(scope: Scope, folder: str) -> Product:
    beside = f"{{Path}}({_quoted(folder)}).resolve()" if folder else ""
    script = script_of(Recipe(scope.store, scope.one, scope.item), beside)
    return _of_notebook(script), script.files


def _quoted(folder: str) -> str:
    """Python for a name; braces are for the name of `Path`."""
    return repr(folder).replace("{", "{{").replace("}", "}}")


def _html(scope: Scope, folder: str) -> Product:
    return _marked("<!--", f"-->\n{page_of(scope)}"), {}


def _dot(scope: Scope, folder: str) -> Product:
    return _marked("//", dot_of(scope.graph)), {}


def _prov_json(scope: Scope, folder: str) -> Product:
    return prov.prov_json(scope), {}


def _prov_n(scope: Scope, folder: str) -> Product:
    return _marked("//", prov.prov_n(scope)), {}


def _format(format: str | None, path: Path | None) -> str:
    found = format or _BY_SUFFIX.get(path.suffix.lower() if path else "", "")
    if found not in FORMATS:
        said = repr(format) if format else f"of {path.name!r}" if path else ""
        problem = f"the format {said} is not known" if said else "the format is missing"
        suffixes = ", ".join(_BY_SUFFIX)
        raise RmsError(problem, hint=f"formats: {', '.join(FORMATS)}; or a file that ends in {suffixes}")
    return found


def _of_notebook(script: Any) -> str:
    return notebook_text(script, _digest(sources_of(notebook_text(script, ""))[1]))


def _marked(comment: str, text: str) -> str:
    return f"{comment} Exported by rms_jupyter {__version__} {_digest(text)}\n{text}"


def _digest(text: str) -> str:
    return xxh3_128_hexdigest(text.encode())


def _refuse_foreign(path: Path, format: TextFormat) -> None:
    """Refuse to replace what is not an export, or was edited since.

    Raises
    ------
    OverwriteError
    """
    if path.is_dir():
        raise RmsError(f"{path} is a directory", hint="name a file in it")
    try:
        is_ours = format.is_unchanged(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (ValueError, LookupError, AttributeError, TypeError):
        is_ours = False
    if not is_ours:
        raise OverwriteError(
            f"{path} is there already, and is not an export as it was written",
            hint="choose another name, or allow it: overwrite=True, %rms export --overwrite",
        )


def _is_unchanged(text: str) -> bool:
    found = _MARK.match(text)
    return found is not None and found[1] == _digest(text[found.end() :])


def _is_unchanged_notebook(text: str) -> bool:
    mark, sources = sources_of(text)
    return mark == _digest(sources)


def _write(path: Path, data: bytes) -> None:
    """Write a file in one piece."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:50]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise RmsError(f"cannot write {path}: {error.strerror}", hint="choose another place") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_TABLE: dict[str, TextFormat | FolderFormat] = {
    "script": TextFormat(_script, _is_unchanged, (".py",)),
    "notebook": TextFormat(_notebook, _is_unchanged_notebook, (".ipynb",)),
    "dot": TextFormat(_dot, _is_unchanged, (".dot", ".gv")),
    "html": TextFormat(_html, _is_unchanged, (".html", ".htm")),
    "prov": TextFormat(_prov_json, prov.is_unchanged, (".json",)),
    "provn": TextFormat(_prov_n, _is_unchanged, (".provn",)),
    "rocrate": FolderFormat(crate.write_crate),
    "parquet": FolderFormat(parquet.write_tables),
}
FORMATS = tuple(_TABLE)
_BY_SUFFIX = {suffix: name for name, format in _TABLE.items() for suffix in format.suffixes}
