"""Where does an export go, in which format, and may it be written there?"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from xxhash import xxh3_128_hexdigest

from rms_jupyter.errors import OverwriteError, RmsError
from rms_jupyter.exports.dot import dot_of
from rms_jupyter.exports.notebook import notebook_text, sources_of
from rms_jupyter.exports.recipe import Recipe
from rms_jupyter.exports.script import script_of
from rms_jupyter.store.lineage import walk
from rms_jupyter.store.store import Store
from rms_jupyter.version import __version__

SUFFIXES = {".py": "script", ".ipynb": "notebook", ".dot": "dot", ".gv": "dot"}
FORMATS = ("script", "notebook", "dot")

_MARK = re.compile(r"(?:#|//) Exported by rms_jupyter \S+ ([0-9a-f]{32})\n")


def export(
    store: Store,
    ident: int,
    item: int | str | None,
    format: str | None,
    dest: str | os.PathLike[str] | None,
    overwrite: bool,
) -> str:
    """Export a result; see `Session.export`."""
    path = Path(os.path.abspath(dest)) if dest is not None else None
    format = _format(format, path)
    if path is not None and not overwrite:
        _refuse_foreign(path, format)
    if format == "dot":
        text, files = _marked("//", dot_of(walk(store, ident, up=True, down=False))), {}
    else:
        folder = f"{path.stem}_inputs" if path is not None else ""
        script = script_of(Recipe(store, ident, item), _beside(folder, format))
        text, files = _of_notebook(script) if format == "notebook" else _marked("#", script.text()), script.files
    if path is None:
        return text
    for name, data in files.items():
        _write(path.parent / folder / name, data)
    _write(path, text.encode())
    return str(path)


def _beside(folder: str, format: str) -> str:
    """Python for the folder with the inputs; braces are for the name of `Path`."""
    if not folder:
        return ""
    name = repr(folder).replace("{", "{{").replace("}", "}}")
    return f"{{Path}}({name}).resolve()" if format == "notebook" else f"{{Path}}(__file__).resolve().parent / {name}"


def _format(format: str | None, path: Path | None) -> str:
    found = format or SUFFIXES.get(path.suffix.lower() if path else "", "")
    if found not in FORMATS:
        said = repr(format) if format else f"of {path.name!r}" if path else "is missing"
        raise RmsError(f"the format {said} is not known" if path or format else "the format is missing",
                       hint=f"formats: {', '.join(FORMATS)}; or a file that ends in {', '.join(SUFFIXES)}")  # fmt: skip
    return found


def _of_notebook(script: Any) -> str:
    return notebook_text(script, _digest(sources_of(notebook_text(script, ""))[1]))


def _marked(comment: str, text: str) -> str:
    return f"{comment} Exported by rms_jupyter {__version__} {_digest(text)}\n{text}"


def _digest(text: str) -> str:
    return xxh3_128_hexdigest(text.encode())


def _refuse_foreign(path: Path, format: str) -> None:
    """Refuse to replace what is not an export, or was edited since.

    Raises
    ------
    OverwriteError
    """
    if path.is_dir():
        raise RmsError(f"{path} is a directory", hint="name a file in it")
    try:
        text = path.read_text(encoding="utf-8")
        is_ours = _is_unchanged_export(text, format)
    except FileNotFoundError:
        return
    except (ValueError, AttributeError, TypeError):
        is_ours = False
    if not is_ours:
        raise OverwriteError(
            f"{path} is there already, and is not an export as it was written",
            hint="choose another name, or allow it: overwrite=True, %rms export --overwrite",
        )


def _is_unchanged_export(text: str, format: str) -> bool:
    if format == "notebook":
        mark, sources = sources_of(text)
        return mark == _digest(sources)
    found = _MARK.match(text)
    return found is not None and found[1] == _digest(text[found.end() :])


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
