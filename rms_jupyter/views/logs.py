"""What did tasks print, and where did they fail?  As one reads it afterwards, and while they run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rms_jupyter import model
from rms_jupyter.harmless import fits_console, readable
from rms_jupyter.naming import arguments_text
from rms_jupyter.store.computing import under_way
from rms_jupyter.store.store import Store
from rms_jupyter.views.wording import duration

_LONGEST = 100_000


class Log(NamedTuple):
    """What is left of one task: a line that says which it was, and its text, ready to be shown."""

    head: str
    text: str


class Logs:
    r"""What tasks printed, and the tracebacks of those that failed.

    Shown as plain text, with its colours: front ends escape it.

    Parameters
    ----------
    entries : sequence of Log
    none : str
        What to say where there are none.

    Attributes
    ----------
    text : str
        All text; of several tasks each under its head.

    Examples
    --------
    >>> Logs([Log("qc(1) · done · 2 s", "trimmed\n")])
    qc(1) · done · 2 s
    trimmed
    """

    def __init__(self, entries: Sequence[Log], none: str = "(no task has failed in the latest run)") -> None:
        self.entries, self._none = list(entries), none

    @property
    def text(self) -> str:
        """What the tasks printed."""
        return self.entries[0].text if len(self.entries) == 1 else self._joined(lambda text: text)

    def __len__(self) -> int:
        return len(self.entries)

    @fits_console
    def __str__(self) -> str:
        return self._joined(_shortened) or self._none

    __repr__ = __str__

    def _joined(self, shortened: Callable[[str], str]) -> str:
        return "\n\n".join(f"{log.head}\n{shortened(log.text).rstrip() or '(nothing printed)'}" for log in self.entries)


class RunningCall(NamedTuple):
    """A call that runs: its pipe, the call as the user would write it, in short and in full, its key and log so far."""

    pipe: str
    call: str
    spelled_out: str
    key: str
    log: Log

    def is_called(self, what: str) -> bool:
        """Tell whether a text names it: its pipe, the call itself (however it is spaced and quoted), or its key."""
        key = what.removeprefix("#")
        is_call = _bare(what) in (_bare(self.call), _bare(self.spelled_out))
        return what == self.pipe or is_call or (len(key) >= 4 and self.key.startswith(key))


def running(store: Store) -> list[RunningCall]:
    """List what runs in this and other kernels, and has done so for a while; the longest first."""
    found = []
    for note, so_far in under_way(store):
        pipe, call = store.pipe_name(note.pipe), store.noted_call(note)
        took = duration(max(0.0, time.time() - so_far.started))
        head = " · ".join((call, "running", took, f"#{note.key[:8]}"))
        spelled_out = f"{pipe}({arguments_text(note.args)})"
        found.append(RunningCall(pipe, call, spelled_out, note.key, Log(readable(head), readable(so_far.text))))
    return found


def _bare(call: str) -> str:
    return re.sub(r"[\s'\"]", "", call)


def logs_of(store: Store, status_of: Callable[[int], str], ids: Sequence[int]) -> Logs:
    """Put together what is left of tasks."""
    return Logs([_log(store, status_of, ident) for ident in ids])


def _log(store: Store, status_of: Callable[[int], str], ident: int) -> Log:
    place, task = store.record(ident)
    assert isinstance(task, model.TaskRecord)
    text = task.printed
    if task.error is not None:
        text += "\n" * (text[-1:] not in ("", "\n"))
        text += task.error.traceback or f"{task.error.type}: {task.error.message}"
    head = " · ".join((store.call_text(task), status_of(place) or task.status, duration(task.seconds)))
    return Log(readable(head), readable(text))


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    left_out = f"\n… {len(text) - _LONGEST:,} characters are not shown here; all of them: s.logs(…).text …\n"
    return text[: _LONGEST // 2] + left_out + text[-_LONGEST // 2 :]
