"""Which flows are there?  Their segments and versions as Pipelet's pages show them: code, products, logs, tags."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.harmless import cut, harmless, one_line
from rms_jupyter.panel.ids import ident, idents
from rms_jupyter.views.details import Pair, tokens
from rms_jupyter.views.preview import IMAGES, literal
from rms_jupyter.views.results import Report
from rms_jupyter.views.wording import duration, size
from rms_jupyter.working_folder import in_short

if TYPE_CHECKING:
    from rms_jupyter.flows.tree import SegmentVersion
    from rms_jupyter.session import Session

_MOST_VERSIONS, _MOST_PARAMETERS, _MOST_PRODUCTS, _MOST_LINES = 100, 20, 24, 200
_LARGEST_DOWNLOAD = 20_000_000
_LONGEST = 50_000


class VersionRow(Struct, frozen=True):
    """A version of a segment: how many of its tasks are in each status, and what its latest task was made with."""

    id: str
    version: str
    counts: dict[str, int]
    took: str
    when: int
    tags: list[str]
    parameters: list[Pair]


class SegmentRow(Struct, frozen=True):
    """A segment of a flow, below those that it follows."""

    name: str
    parents: list[str]
    depth: int
    pipe: str
    versions: list[VersionRow]


class FlowRow(Struct, frozen=True):
    """A flow; `when` it was run first as it is now, in milliseconds since 1970."""

    name: str
    when: int
    segments: list[SegmentRow]


class FlowRows(Struct, frozen=True):
    """All flows of a store, the one that was run last first."""

    flows: list[FlowRow]


def answer(session: Session, question: dict[str, Any]) -> FlowRows:
    """List the flows with the versions of their segments."""
    return FlowRows(
        [
            FlowRow(
                one_line(flow.name, 100),
                flow.when,
                [
                    SegmentRow(
                        one_line(segment.name, 100),
                        [one_line(parent, 100) for parent in segment.parents],
                        segment.depth,
                        one_line(segment.pipe, 100),
                        [_version_row(version) for version in segment.versions[:_MOST_VERSIONS]],
                    )
                    for segment in flow.segments
                ],
            )
            for flow in session.flows_on_record()
        ]
    )


def _version_row(version: SegmentVersion) -> VersionRow:
    parameters = [(one_line(n, 60), _word(value)) for n, value in list(version.parameters.items())[:_MOST_PARAMETERS]]
    tags = [one_line(tag, 60) for tag in version.tags]
    name = version.version[:8]
    return VersionRow(
        str(version.id), name, dict(version.counts), duration(version.seconds), version.when, tags, parameters
    )


def _word(value: Any) -> str:
    try:
        return literal(value)
    except (TypeError, msgspec.MsgspecError):
        return one_line(repr(value), 200)


class ProductRow(Struct, frozen=True):
    """A file that a task has made."""

    id: str
    name: str
    path: str
    size: str
    is_image: bool
    task: str


class VersionPage(Struct, frozen=True):
    """The code of a version, and the first of so many files that its tasks have made."""

    id: str
    folder: str
    code: list[Pair]
    products: list[ProductRow]
    total: int


def version(session: Session, question: dict[str, Any]) -> VersionPage:
    """Show the version with the id ``id``: its code, and its products from ``offset`` on."""
    asked = ident(question)
    total, products = session.products_on_record(asked, max(0, int(question.get("offset", 0))), _MOST_PRODUCTS)
    folders = {os.path.dirname(os.path.dirname(product.path)) for product in products}
    rows = [
        ProductRow(
            str(product.id),
            one_line(os.sep.join(product.path.split(os.sep)[-2:]), 120),
            one_line(product.path, 1000),
            size(product.size),
            os.path.splitext(product.path)[1].lower() in IMAGES,
            str(product.task),
        )
        for product in products
    ]
    code = tokens(harmless(session.code_on_record(asked)))
    return VersionPage(
        str(asked), one_line(in_short(folders.pop()), 1000) if len(folders) == 1 else "", code, rows, total
    )


class VersionLogs(Struct, frozen=True):
    """What the latest tasks of a version have printed."""

    text: str


def logs(session: Session, question: dict[str, Any]) -> VersionLogs:
    """Show what the latest tasks of the version with the id ``id`` have printed."""
    return VersionLogs(cut(harmless(session.logs_of_version(ident(question), _MOST_LINES).text), _LONGEST))


class Told(Struct, frozen=True):
    """What something came to: in one sentence, then line by line."""

    headline: str
    rows: list[str]
    lines: list[str]


def compare(session: Session, question: dict[str, Any]) -> Told:
    """Say what differs between the version with the id ``id`` and the one ``other`` before it."""
    after, before = (session.version_on_record(ident(question, name)) for name in ("id", "other"))
    report = after.compare(before)
    rows = [{"": f"{row['name']}: {_change(row['before'], row['after'])}"} for row in report]
    return _told(Report(report.headline, rows, report.notes))


def _change(before: Any, after: Any) -> str:
    old, new = ("nothing" if value in (None, "") else str(value) for value in (before, after))
    return f"{old} → {new}"


def tag(session: Session, question: dict[str, Any]) -> Told:
    """Give the tasks of the versions ``ids`` the tag ``tag``."""
    words = str(question.get("tag", "")).strip()[:60]
    if not words:
        raise RmsError("a tag is a word", hint="write one: paper")
    told = [session.version_on_record(own).tag(words) for own in idents(question, "ids", _MOST_VERSIONS)]
    return Told(f"tagged {words}", told, [])


def delete(session: Session, question: dict[str, Any]) -> Told:
    """Delete the tasks of the versions ``ids``, or one file, ``file``, with the tasks that made it.

    Without ``sure`` it is only said what would be deleted; with ``dependants``, what was made from it goes, too, and
    with ``files`` the files that were made. With ``undo``, what was deleted last comes back.
    """
    if question.get("undo"):
        return _told(session.undo_delete())
    dependants, dry_run, files = bool(question.get("dependants")), not question.get("sure"), bool(question.get("files"))
    if "file" in question:
        return _told(session.delete(ident(question, "file"), dependants, dry_run, files))
    versions = [session.version_on_record(own) for own in idents(question, "ids", _MOST_VERSIONS)]
    tasks = [task for own in versions for task in own.tasks]
    return _told(session.delete_tasks(tasks, dependants, dry_run, files))


def _told(report: Report) -> Told:
    rows = [" · ".join(one_line(str(cell), 200) for cell in row.values() if cell not in (None, "")) for row in report]
    lines = [harmless(note) for note in report.notes]
    return Told(one_line(report.headline, 300), rows[:_MOST_LINES], lines[:_MOST_LINES])


class Download(Struct, frozen=True):
    """A file: its name, and its bytes as base64; or why there are none."""

    name: str
    data: str
    why: str = ""


def download(session: Session, question: dict[str, Any]) -> Download:
    """Read the file with the id ``id``."""
    record = session.home.resource(ident(question))._rms.record
    name = os.path.basename(record.path)
    if not record.path:
        return Download("", "", "this is not a file")
    try:
        if os.path.getsize(record.path) > _LARGEST_DOWNLOAD:
            return Download(name, "", f"it is larger than {size(_LARGEST_DOWNLOAD)}: {one_line(record.path, 1000)}")
        with open(record.path, "rb") as file:
            return Download(name, base64.b64encode(file.read()).decode())
    except OSError as error:
        return Download(name, "", f"it cannot be read: {error.strerror}")
