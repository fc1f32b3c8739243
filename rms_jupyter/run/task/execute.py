"""What happens when a task runs?  The same in the kernel and in a worker; nothing is recorded here."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from rms_jupyter.errors import ContractError, users_frames, words_of
from rms_jupyter.figures.saving import Saving
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.model import Failure, Unheard
from rms_jupyter.run.task import usage
from rms_jupyter.run.task.capture import capturing
from rms_jupyter.run.task.coroutines import awaited, call_to_end
from rms_jupyter.run.task.further import as_later
from rms_jupyter.run.task.live_output import Place
from rms_jupyter.run.task.messages import Message
from rms_jupyter.run.task.open_figures import FiguresBefore
from rms_jupyter.run.task.touched import Touched
from rms_jupyter.run.task.turns import Turns
from rms_jupyter.run.task.written import changes_since, move_aside, seen


class Outcome(Struct):
    """What a task did.

    Attributes
    ----------
    value : object
        What the function returned.
    error : BaseException or None
        What it raised, or a `ContractError`.
    written, read : sequence of str
        Absolute paths it created or changed, and the watched ones that it left as they were.
    shared : sequence of str
        Folders that were there before, and in which it has changed something.
    listed : sequence of str
        Folders whose names it has asked for.
    asked : dict of str to str
        What it has asked of paths without opening them, and the answers; see `fingerprint.questions`.
    added_to : dict of str to bool
        Files that it has added to or changed by what they held; whether it only wrote on at their end.
    rewritten : sequence of str
        Files, and those of `written`, that it has written from their beginning.
    done_each_time : str
        What it does to files that is not done by having what it has written.
    started : int
        Microseconds since 1970.
    seconds : float
    figures : list of Figure
        Those that it has left open with pyplot, unless its value holds them.
    drew_into_open : bool
        Whether it has drawn into a figure that was open before.
    printed : str
    displays : sequence of list
        What was shown, in order, as messages (see `shown`); none where it was but printed.
    cpu : float
        Seconds of processor time; 0 for a task too short to measure.
    memory : int
        Peak memory in bytes; 0 where it is not known (see `usage`).
    unheard : Unheard or None
        What it has logged and warned and nobody heard.
    drawn : dict of str to Mark
        The generators of random numbers that it drew from, and their states before.
    assigned : dict of str to object
        The globals that it has assigned, by label.
    changed_process : str
        What it changed of how the process stands (see `process`), if that was looked at.
    had_turns : bool
        Whether others ran while it was awaited.
    had_company : bool
        Whether other calls ran at the same time, in other threads.
    unsaved : str
        Why a figure that it has made could not be saved, if so.
    """

    value: Any = None
    error: BaseException | None = None
    written: Sequence[str] = ()
    read: Sequence[str] = ()
    shared: Sequence[str] = ()
    listed: Sequence[str] = ()
    asked: dict[str, str] = {}
    added_to: dict[str, bool] = {}
    rewritten: Sequence[str] = ()
    done_each_time: str = ""
    started: int = 0
    seconds: float = 0.0
    figures: Sequence[Any] = ()
    drew_into_open: bool = False
    printed: str = ""
    displays: Sequence[Message] = ()
    cpu: float = 0.0
    memory: int = 0
    unheard: Unheard | None = None
    drawn: dict[str, Any] = {}
    assigned: dict[str, Any] = {}
    changed_process: str = ""
    had_turns: bool = False
    had_company: bool = False
    unsaved: str = ""

    @property
    def touches_files(self) -> bool:
        """Whether it has read, written, asked for or changed any file."""
        return bool(self.read or self.written or self.listed or self.asked or self.added_to or self.done_each_time)

    def failure(self) -> Failure | None:
        """Put the error into words, without our own frames."""
        if self.error is None:
            return None
        kind = type(self.error)
        frames = traceback.format_exception(kind, self.error, self.error.__traceback__)
        return Failure(type=kind.__name__, message=words_of(self.error)[:10_000], traceback="".join(frames)[-20_000:])


def execute(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    watched: Sequence[str] = (),
    declared: Sequence[str] = (),
    allow_empty: bool = False,
    echo: bool = True,
    place: Place | None = None,
    known: Sequence[str] = (),
    saving: Saving | None = None,
) -> Outcome:
    """Run a function once and see what it does to files.

    Parameters
    ----------
    function : callable
    args, kwargs
        Plain values.
    watched : sequence of str
        Absolute paths that the function may read or write.
    declared : sequence of str
        Absolute paths that it must write.
    allow_empty : bool
        Whether a declared file may be empty.
    echo : bool
        Whether what it prints is shown at once.
    place : Place, optional
        Where others may read what it prints while it runs.
    known : sequence of str
        Absolute paths of files that are inputs by their content already.
    saving : Saving, optional
        How figures are saved, if they are.

    Returns
    -------
    Outcome
        Also when the function raises, `SystemExit` and `KeyboardInterrupt` included.
    """
    with capturing(echo, place) as captured:
        outcome = execute_captured(captured, function, args, kwargs, watched, declared, allow_empty, known, saving)
    outcome.printed = captured.take_printed()
    return outcome


def execute_captured(
    captured: capturing,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    watched: Sequence[str] = (),
    declared: Sequence[str] = (),
    allow_empty: bool = False,
    known: Sequence[str] = (),
    saving: Saving | None = None,
) -> Outcome:
    """Run a function as `execute` does, where what it prints is captured already, and is asked of `captured`."""
    with executing(captured, watched, declared, allow_empty, known, saving) as outcome:
        outcome.value = as_later(call_to_end(function, args, kwargs))
    return outcome


async def execute_awaited(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    watched: Sequence[str],
    declared: Sequence[str],
    allow_empty: bool,
    place: Place,
    known: Sequence[str],
    saving: Saving | None,
) -> Outcome:
    """Run an async function as `execute` does, in the event loop of whoever awaits this: others have their turns."""
    with (
        capturing(place=place) as captured,
        executing(captured, watched, declared, allow_empty, known, saving) as outcome,
        Turns() as turns,
    ):
        outcome.value = as_later(await awaited(function, *args, **kwargs))
    outcome.printed = captured.take_printed()
    outcome.had_turns = turns.had_any
    return outcome


class executing:
    """See what a block does that runs a function, and gives the outcome its value; what it raises is the outcome's."""

    def __init__(
        self,
        captured: capturing,
        watched: Sequence[str],
        declared: Sequence[str],
        allow_empty: bool,
        known: Sequence[str],
        saving: Saving | None,
    ) -> None:
        self._saving = saving
        self._captured, self._declared, self._allow_empty, self._known = captured, declared, allow_empty, known
        self._before = marks_of_files((*watched, *declared))
        self._figures = FiguresBefore()

    def __enter__(self) -> Outcome:
        self._outcome = Outcome(started=time.time_ns() // 1000)
        if self._saving is not None:
            self._captured.catch_figures(self._saving, self._outcome.started)
        self._began = time.perf_counter()
        self._costs = usage.mark(self._began)
        self._touched = Touched().__enter__()
        return self._outcome

    def __exit__(self, kind: Any, error: BaseException | None, place: Any) -> bool:
        self._touched.__exit__()
        outcome = self._outcome
        outcome.seconds = time.perf_counter() - self._began
        outcome.cpu, outcome.memory = usage.since(self._costs, outcome.seconds)
        if error is not None:
            outcome.error = error.with_traceback(users_frames(error))
        self._captured.draw_figures(outcome.value)
        outcome.drew_into_open, outcome.figures = self._figures.drawn_into(), self._figures.left_open(outcome.value)
        if self._saving is not None:
            outcome.unsaved = self._captured.save_figures(outcome.value)
        outcome.displays, outcome.unheard = self._captured.take_messages(), self._captured.take_unheard()
        self._see_files(outcome)
        if self._declared:
            self._check_declared(outcome)
        return True

    def _see_files(self, outcome: Outcome) -> None:
        if self._before:
            changes = changes_since(self._before, self._declared)
            outcome.written, outcome.read, outcome.shared = changes.written, changes.read, changes.shared
        if self._touched:
            _add_touched(outcome, self._touched, self._before, self._known, self._declared)

    def _check_declared(self, outcome: Outcome) -> None:
        if outcome.error is None:
            outcome.error = _broken_contract(self._declared, self._allow_empty)
        if outcome.error is not None:
            for path in move_aside(self._before, self._declared):
                outcome.error.add_note(f"rms: what it had written is now {path}")


def _add_touched(
    outcome: Outcome, touched: Touched, before: Mapping[str, Any], known: Sequence[str], declared: Sequence[str]
) -> None:
    """Add the files that no argument and no text of the code names."""
    from_beginning = [path for path in outcome.written if path in touched.rewritten]
    outcome.rewritten = list(dict.fromkeys([*from_beginning, *touched.files_written(())]))
    named = {*before, *outcome.written, *known}
    outcome.read = [*outcome.read, *touched.files_read(named)]
    outcome.written = [*outcome.written, *touched.files_written(named)]
    outcome.listed, outcome.asked = touched.folders_listed(named), touched.answers({*before, *known})
    outcome.added_to, outcome.done_each_time = touched.added_to(declared), touched.done_each_time(named, declared)


def marks_of_files(paths: Sequence[str]) -> dict[str, Any]:
    """Note how files are now, to see afterwards which were written; None for those that are missing."""
    return {path: seen(path) for path in paths}


def _broken_contract(declared: Sequence[str], allow_empty: bool) -> ContractError | None:
    for path in declared:
        found = existing(path)
        if found is None:
            return ContractError(f"the declared output {path} was not made", hint="check where the function writes")
        is_empty = not os.listdir(path) if os.path.isdir(path) else found.st_size == 0
        if is_empty and not allow_empty:
            return ContractError(
                f"the declared output {path} is empty", hint="if that is right: allow_empty=True, --allow-empty"
            )
    return None
