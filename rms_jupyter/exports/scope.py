"""What of the record is exported: what made one result, or everything?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

import msgspec
from msgspec import Raw

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.naming import Called, call_name
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.ask.lineage import LineageGraph, Node, everything, walk
from rms_jupyter.store.store import Store

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class TaskContext(NamedTuple):
    """Where and when a task was run, and with which code: ids and texts, '' for what is not on record."""

    task: int
    pipe: int
    kernel: int
    host: str
    python: str
    environment: str
    commit: str
    dirty: bool
    error: str
    began: float | None
    ended: float | None

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When it began and ended; in 1970 where the record does not say."""
        return datetime.fromtimestamp(self.began or 0.0, UTC), datetime.fromtimestamp(self.ended or 0.0, UTC)


class CodeText(NamedTuple):
    """A code version: the name of its pipe, and the text."""

    name: str
    version: str
    text: str


@dataclass(frozen=True)
class Scope:
    """What is to be exported.

    Attributes
    ----------
    store, files
    ident : int or None
        Id of a result or task; None for everything.
    item : int or str or None
        The item of the result that is meant.
    with_files : bool
        Whether the files themselves are to be copied, where a format holds files.
    is_older : callable
        Tells whether a pipe, by its name, has other code now than a version, by its digest.
    """

    store: Store
    files: FileDigests
    ident: int | None
    item: int | str | None = None
    with_files: bool = True
    is_older: Callable[[str, str], bool] = lambda pipe, version: False

    @property
    def one(self) -> int:
        """The id of the result.

        Raises
        ------
        RmsError
            If everything is to be exported.
        """
        if self.ident is None:
            hint = "everything goes to parquet, prov, provn, rocrate or dot"
            raise RmsError("this format is of one result, not of everything", hint=hint)
        return self.ident

    @cached_property
    def graph(self) -> LineageGraph:
        """Nodes and edges."""
        if self.ident is None:
            return everything(self.store)
        return walk(self.store, self.ident, up=True, down=False)

    @property
    def tasks(self) -> list[Node]:
        """The tasks, in the order in which they were run."""
        return [node for node in self.nodes if node.kind == "task"]

    @property
    def nodes(self) -> list[Node]:
        """All nodes by their ids."""
        return [self.graph.nodes[ident] for ident in sorted(self.graph.nodes)]

    @cached_property
    def circumstances(self) -> dict[int, TaskContext]:
        """Where the tasks were run, by their ids."""
        rows = self.store.fetch(sql_text("queries/circumstances.sql"), [[node.id for node in self.tasks]])
        return {row[0]: TaskContext(*row) for row in rows}

    @cached_property
    def codes(self) -> dict[int, CodeText]:
        """The code of the tasks, by the ids of their pipes."""
        return {ident: self._code(ident) for ident in sorted({where.pipe for where in self.circumstances.values()})}

    @property
    def title(self) -> str:
        """What it is, in a line."""
        if self.ident is None:
            return f"Everything on record in {self.store.layout.root.parent.name}"
        place, record = self.store.record(self.ident)
        if isinstance(record, model.TaskRecord):
            return self.store.call_text(record)
        return record.path if isinstance(record, model.ResourceRecord) else str(place)

    def _code(self, pipe: int) -> CodeText:
        try:
            record = self.store.record(pipe)[1]
        except LookupError:
            record = None
        if not isinstance(record, model.PipeRecord):
            return CodeText("lost", str(pipe), "")
        return CodeText(record.name, record.version, "\n\n\n".join(record.sources.values()))


def call_of(node: Node) -> str:
    """Write the call of a task as the user would."""
    return call_name(Called(node.pipe, Raw(msgspec.json.encode(node.args))))


def missing(package: str, purpose: str) -> RmsError:
    """Word that a package is not installed that is needed for one format only."""
    return RmsError(f"{purpose} needs the package {package}", hint="pip install 'rms-jupyter[export]'")


def tidy(text: str) -> str:
    r"""Replace what no encoding holds, as the odd bytes of file names, and characters that are none.

    Examples
    --------
    >>> tidy("a\udcff\x00b")
    'a\\udcff\\x00b'
    """
    text = text.encode("utf-8", "backslashreplace").decode()
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
