"""What can be asked of a task that was done or attempted?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rms_jupyter import model
from rms_jupyter.harmless import fits_console, harmless
from rms_jupyter.naming import Called, call_name, source_name


class PipeVersion:
    """A pipe as a task used it: its name and the code version on record.

    Attributes
    ----------
    name, version : str
    parts : dict of str to str
        Named parts of the code version and their digests or versions.
    source : str
        Text of the function.
    """

    def __init__(self, record: model.PipeRecord | None) -> None:
        self.name = record.name if record else "?"
        self.version = record.version if record else ""
        self.parts = record.parts if record else {}
        self.sources = record.sources if record else {}
        self.source = next(iter(self.sources.values()), "")

    @fits_console
    def __repr__(self) -> str:
        return f"<pipe {harmless(self.name)} #{self.version[:8]}>"


class Task:
    """A task on record.

    Attributes
    ----------
    id : int
    pipe : PipeVersion
    status : str
        ``done``, ``failed``, ``timed_out``, ``cancelled``, ``cut_off``, ``obsolete`` or ``deprecated``.
    seconds : float
        How long it ran.
    hit : bool
        Whether this call was answered from the store.
    reason : str
        Why it ran.
    args : dict
        Arguments, as shown.
    error : str
        Type and message of the exception of a failed task.
    called : Called
        The call as it is known, with the calls that its arguments came from.
    printed : str
        What it wrote to stdout and stderr, its warnings and what it logged.
    cpu : float
        Seconds of processor time; 0 where they were not measured.
    memory : int
        Peak memory of the worker in bytes; 0 where it was not measured.
    """

    def __init__(
        self,
        ident: int,
        record: model.TaskRecord,
        pipe: PipeVersion,
        called: Called,
        status: Callable[[], str],
        hit: bool,
        reason: str,
    ) -> None:
        self.id, self.pipe, self.called, self._status, self.hit = ident, pipe, called, status, hit
        self.reason = reason or record.reason
        self.seconds = record.seconds
        self.printed = record.printed
        self.cpu, self.memory = record.cpu, record.memory
        self.error = f"{record.error.type}: {record.error.message}" if record.error else ""
        self.started_at = record.started / 1e6

    @property
    def status(self) -> str:
        """As it is now."""
        return self._status()

    @property
    def args(self) -> dict[str, Any]:
        """Arguments by name, as shown."""
        args: dict[str, Any] = msgspec.json.decode(self.called.args)
        return args

    @property
    def call(self) -> str:
        """The call as the user would write it: ``clean(load("raw/07.csv"))``."""
        return call_name(self.called)

    @property
    def origin(self) -> str:
        """The first call of the chain that its arguments came from; '' where they came from none."""
        return source_name(self.called)

    @fits_console
    def __repr__(self) -> str:
        return f"<{self.call}: {self.status}>"
