"""How is a notebook run: plainly, with ``%%rms`` on what defines functions, or with ``%%rms cell`` on everything?"""

from __future__ import annotations

import ast
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from tests.corpus.watched import KernelDied, Shown, WatchedKernel

_ROOT = str(Path(__file__).parents[2])
_HASH_SEEDS = {False: "1", True: "2"}


@dataclass
class Cell:
    """A code cell of a notebook."""

    ident: str
    code: str
    marks: dict[str, Any]


@dataclass
class Account:
    """All that a run of a notebook left to be seen."""

    cells: list[Shown] = field(default_factory=list)
    variables: dict[str, dict[str, Any]] = field(default_factory=dict)
    aliases: list[list[str]] = field(default_factory=list)
    died: str = ""


def plain(code: str) -> str:
    """Leave the cell as it is."""
    return code


def with_pipes(code: str) -> str:
    """Make pipes of the functions that a cell defines."""
    return f"%%rms\n{code}" if _defines_functions(code) else code


def as_cell(code: str) -> str:
    """Make a pipe of the cell itself."""
    return code if code.lstrip().startswith("%%") or not code.strip() else f"%%rms cell\n{code}"


WAYS: dict[str, Callable[[str], str]] = {"plain": plain, "%%rms": with_pipes, "%%rms cell": as_cell}


def code_cells(path: Path) -> list[Cell]:
    """Read the code cells of a notebook."""
    book = nbformat.read(path, as_version=4)
    return [
        Cell(cell.get("id") or f"cell-{i}", cell.source, cell.metadata.get("rms", {}))
        for i, cell in enumerate(book.cells)
        if cell.cell_type == "code"
    ]


class Bench:
    """Runs a notebook in its ways, each from the same path, so that paths do not differ.

    Parameters
    ----------
    notebook : Path
    data : list of Path
        Files and folders that lie beside it.
    """

    def __init__(self, notebook: Path, data: list[Path]) -> None:
        self.cells = code_cells(notebook)
        self._data = data

    def run_twice(self, way: str) -> tuple[Account, Account]:
        """Run in a fresh folder, and then again in it with a fresh kernel."""
        with self._folder() as folder:
            return self._run(folder, WAYS[way], again=False), self._run(folder, WAYS[way], again=True)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        folder = Path(tempfile.gettempdir()).resolve() / f"corpus-{os.getpid()}"
        folder.mkdir()
        try:
            for item in self._data:
                if item.is_dir():
                    shutil.copytree(item, folder / item.name)
                else:
                    shutil.copy(item, folder)
            yield folder
        finally:
            shutil.rmtree(folder)

    def _run(self, folder: Path, rewrite: Callable[[str], str], again: bool) -> Account:
        account = Account()
        seen = folder / ".kernel-seen.json"
        environment = {"PYTHONHASHSEED": _HASH_SEEDS[again], "JPY_SESSION_NAME": "", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            with WatchedKernel(folder, environment) as kernel:
                kernel.show(_observer("begin()"), counted=False)
                if rewrite is not plain:
                    kernel.show("%load_ext rms_jupyter", counted=False)
                account.cells += (kernel.show(rewrite(cell.code), cell.ident) for cell in self.cells)
                failed = kernel.show(_observer(f"write({str(seen)!r})"), counted=False)
            assert seen.exists(), failed.outputs
            account.variables, account.aliases = json.loads(seen.read_text())
            seen.unlink()
        except KernelDied as death:
            account.died = f"{death} in cell {len(account.cells) + 1}"
        return account


def _observer(call: str) -> str:
    """Word a cell that calls the observer and leaves no name behind."""
    path = f"import sys\nsys.path.insert(0, {_ROOT!r})"
    code = f"{path}\nfrom tests.corpus import observer\nsys.path.remove({_ROOT!r})\nobserver.{call}"
    return f"exec({code!r}, {{}})"


def _defines_functions(code: str) -> bool:
    if code.lstrip().startswith("%%"):
        return False
    try:
        tree = ast.parse(TransformerManager().transform_cell(code))
    except SyntaxError:
        return False
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in _outside_classes(tree))


def _outside_classes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, ast.ClassDef):
            yield from _outside_classes(child)
