"""How does an exported script look as a notebook?  One cell a function, input and call, a text in front."""

from __future__ import annotations

import json
import re

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

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
    cells = [new_markdown_cell(_markdown(script.head)), *map(new_code_cell, sources)]  # type: ignore[no-untyped-call]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # The same each time.
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "rms_jupyter": {"exported": mark}}
    return f"{nbformat.writes(new_notebook(cells=cells, metadata=metadata))}\n"  # type: ignore[no-untyped-call]


def sources_of(text: str) -> tuple[str, str]:
    """Give the mark of a notebook, and the text of its cells.

    Raises
    ------
    ValueError
        If it is none.
    """
    book = json.loads(text)  # The library fails in any way on what is no notebook.
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list):
        raise ValueError("not a notebook")
    mark = book.get("metadata", {}).get("rms_jupyter", {}).get("exported", "")
    return str(mark), "\n".join("".join(cell.get("source", "")) for cell in book["cells"])


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
