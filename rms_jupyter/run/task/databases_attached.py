"""Which databases does SQL attach to an SQLite connection that a task opens?

Python tells only which one is opened first. SQLite asks an authorizer about each statement when it is prepared, and we
let it do everything. Where the name is an expression (``ATTACH ? AS other``) it is not told.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from rms_jupyter.run.task import noting
from rms_jupyter.run.task.file_events import connecting
from rms_jupyter.run.task.noting import noted_here, untouched
from rms_jupyter.upon_import import UponImport

_ATTACH, _ALLOWED = 24, 0


def listen() -> None:
    """Hear what is attached to the connections that are made from now on."""
    _upon_import.listen()


def _stand_before(module: Any) -> None:
    opens = module.connect

    @functools.wraps(opens)
    def connect(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        connection = opens(*args, **kwargs)
        if noting.running and noted_here():
            with contextlib.suppress(Exception):
                module.Connection.set_authorizer(connection, _is_allowed)
        return connection

    if opens.__module__ == "_sqlite3":
        module.connect = connect


def _is_allowed(action: int, name: str | None, *_: Any) -> int:
    if action == _ATTACH and noting.running and (here := noted_here()):
        with untouched():
            told = _BY_EXPRESSION if name is None else connecting(name)
        for notes in here if told else ():
            notes.note(*told)  # type: ignore[misc]
    return _ALLOWED


_BY_EXPRESSION = ("must_be_done", "it attaches a database by its name in a variable")
_upon_import = UponImport(("sqlite3.dbapi2", "sqlite3"), _stand_before)
