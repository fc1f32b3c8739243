"""Where are templates kept?  Each as the text of its function in the store's folder ``templates``."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.templates.template import definition_in
from rms_jupyter.store.modes import make_folder, share


def keep(folder: Path, name: str, text: str) -> None:
    """Write a template down, unless it is there as it is."""
    path = folder / f"{name}.py"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    make_folder(folder)
    unfinished = folder / f".{name}.{os.getpid()}"
    unfinished.write_text(text, encoding="utf-8")
    share(unfinished)
    unfinished.replace(path)


def read(folder: Path, name: str) -> str:
    """Return the text of a template.

    Raises
    ------
    RmsError
        If there is none of this name.
    """
    path = folder / f"{name}.py"
    if not name.isidentifier() or not path.is_file():
        there = ", ".join(names(folder))
        raise RmsError(
            f"there is no template {name!r}", hint=f"there are: {there}" if there else "@rms.template makes one"
        )
    return path.read_text(encoding="utf-8")


def names(folder: Path) -> Iterator[str]:
    """The names of the templates that are kept, in order."""
    if folder.is_dir():
        yield from sorted(p.stem for p in folder.glob("*.py") if p.stem.isidentifier())


def row_of(folder: Path, name: str) -> dict[str, str]:
    """Return a table row of a template, of which nothing runs: its signature and its documentation's first line."""
    try:
        definition = definition_in(read(folder, name))
    except RmsError as error:
        return {"template": name, "signature": "", "what it does": error.message}
    first = (ast.get_docstring(definition) or "").partition("\n")[0]
    return {"template": name, "signature": f"{name}({ast.unparse(definition.args)})", "what it does": first}
