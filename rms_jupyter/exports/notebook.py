"""How does an exported script look as a notebook?  One cell a function, input and call, a text in front."""

from __future__ import annotations

import json
import re
from typing import Any

from rms_jupyter.exports.script import ExportedScript


def notebook_text(script: ExportedScript, mark: str) -> str:
    """Write a script as a notebook (nbformat 4.5).

    Parameters
    ----------
    script : Script
    mark : str
        Kept in the metadata, to know the notebook by.
    """
    sources = [script.setup, *script.parts, f"{script.last}\nresult"]
    cells = [_cell("markdown", 0, _markdown(script.head))]
    cells += [_cell("code", i, source) for i, source in enumerate(sources, 1)]
    return _as_json(cells, mark)


def sources_of(text: str) -> tuple[str, str]:
    """Give the mark of a notebook, and the text of its cells.

    Raises
    ------
    ValueError
        If it is none.
    """
    book = json.loads(text)
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list):
        raise ValueError("not a notebook")
    mark = book.get("metadata", {}).get("rms_jupyter", {}).get("exported", "")
    return str(mark), "\n".join("".join(cell.get("source", "")) for cell in book["cells"])


def _as_json(cells: list[dict[str, Any]], mark: str) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "rms_jupyter": {"exported": mark}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _cell(kind: str, number: int, source: str) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source.splitlines(keepends=True)}
    return cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []}


def _markdown(text: str) -> str:
    r"""Show a text as it is, whatever it holds.

    Examples
    --------
    >>> _markdown("late(<b>*x*)")
    'late(\\<b\\>\\*x\\*)'
    """
    return (
        re.sub(r"([\\`*_{}\[\]()<>#+\-!|~$&])", r"\\\1", text)
        .replace("\n", "\n\n")
        .replace("\\(", "(")
        .replace("\\)", ")")
    )
