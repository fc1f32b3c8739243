"""What is on a page of a long table?  Rows as the panel shows them; all text is short and harmless."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw, Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.preview import as_python
from rms_jupyter.harmless import harmless, one_line
from rms_jupyter.naming import arguments_text
from rms_jupyter.panel.search import condition_in
from rms_jupyter.store.ask.pages import SORTS, PageQuery
from rms_jupyter.views.wording import duration, size

if TYPE_CHECKING:
    from rms_jupyter.session import Session


class TaskRow(Struct, frozen=True):
    """A task; `made` is the id of its first result, `when` is in milliseconds since 1970."""

    id: str
    pipe: str
    args: str
    call: str
    status: str
    took: str
    when: int
    result: str
    error: str
    reason: str
    notebook: str
    cell: int | None
    made: str | None


class FileRow(Struct, frozen=True):
    """A file, and the task that wrote it, if one did."""

    id: str
    path: str
    name: str
    pipe: str | None
    args: str
    call: str
    status: str
    size: str
    when: int | None
    digest: str
    task: str | None


class RunRow(Struct, frozen=True):
    """A run: a plan, or the calls of a cell."""

    id: str
    kind: str
    notebook: str
    cell: int | None
    when: int | None
    tasks: int
    failed: int
    took: str
    code: str


class FigureRow(Struct, frozen=True):
    """A figure that a task gave or wrote; `path` is '' for one that was not written."""

    id: str
    path: str
    name: str
    type: str
    pipe: str
    args: str
    call: str
    params: list[tuple[str, str]]
    status: str
    when: int
    task: str


class Page(Struct, frozen=True):
    """Rows of a table (see `ROWS`), the number of those that fit, and of all without the words."""

    rows: list[Any]
    count: int
    total: int


ROWS: dict[str, type[Struct]] = {
    "tasks": TaskRow,
    "failures": TaskRow,
    "files": FileRow,
    "runs": RunRow,
    "figures": FigureRow,
}
_MOST_ROWS = 500
_MOST_WORDS = 20
_MOST_PARAMS = 30
_LONGEST = {"args": 200, "path": 1000, "notebook": 300}


def answer(session: Session, question: dict[str, Any]) -> Page:
    """Return a page of a table.

    Asked are ``table`` (tasks, failures, files, runs or figures), ``words``, ``sort``, ``descending``, ``offset`` and
    ``limit``; of tasks and failures ``run``, for those of one run. Of figures, the words may be ``WHERE`` and a
    condition in SQL on the view ``figures``.
    """
    table, sort = str(question.get("table")), str(question.get("sort", "when"))
    if sort not in SORTS.get(table, ()):
        raise RmsError(f"there is no table {table[:40]!r} by {sort[:40]!r}", hint="reload the page")
    text = str(question.get("words", ""))[:1000]
    condition = condition_in(text) if table == "figures" else ""
    look = PageQuery(
        table,
        () if condition else tuple(text.split()[:_MOST_WORDS]),
        sort,
        bool(question.get("descending", True)),
        int(question.get("run") or 0),
        tuple(session.figures_where(condition)) if condition else None,
    )
    offset, limit = max(0, int(question.get("offset", 0))), int(question.get("limit", 100))
    page = session.page(look, offset, max(1, min(limit, _MOST_ROWS)))
    return Page([_row(session, table, row) for row in page.rows], page.count, page.total)


def _row(session: Session, table: str, row: dict[str, Any]) -> Struct:
    return figure_row(session, row) if table == "figures" else ROWS[table](**_shown(session, row))


def figure_row(session: Session, row: dict[str, Any]) -> FigureRow:
    """Make the row of a figure, of what is on record."""
    return FigureRow(**_shown(session, row), params=_params(row["args"] or "{}"))


def _params(args: str) -> list[tuple[str, str]]:
    """The arguments that are one number, text or truth value, in words."""
    found = msgspec.json.decode(args)
    plain = [(name, value) for name, value in found.items() if isinstance(value, (str, int, float))]
    return [(one_line(name, 60), one_line(str(value), 100)) for name, value in plain[:_MOST_PARAMS]]


def _shown(session: Session, row: dict[str, Any]) -> dict[str, Any]:
    shown = {name: _text(name, value) for name, value in row.items() if name != "seconds"}
    if "seconds" in row:
        shown["took"] = took(row["seconds"])
    if "args" in row:
        shown["call"] = session.call_name(int(row["task" if "task" in row else "id"] or 0))
        shown["args"] = arguments_text(Raw((row["args"] or "{}").encode()))
    if "result" in row:
        shown["result"] = as_python(shown["result"])
    if "path" in row:
        shown["name"] = one_line(os.path.basename(row["path"]) or row.get("type") or "")
    if "notebook" in row:
        shown["notebook"] = one_line(os.path.basename(row["notebook"]))
    if "code" in row:
        shown["code"] = harmless(row["code"])
    if "size" in row:
        shown["size"] = size(row["size"] or 0)
    return shown


def took(seconds: float | None) -> str:
    """Word how long something took; '' where that is not known."""
    return "" if seconds is None else duration(seconds)


def _text(name: str, value: Any) -> Any:
    return one_line(value, _LONGEST.get(name, 300)) if isinstance(value, str) else value
