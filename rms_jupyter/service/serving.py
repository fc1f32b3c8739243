"""How does a rule go on?  A thread of its own: what has arrived settles, is released, runs, and is counted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rms_jupyter.errors import RmsError, words_of
from rms_jupyter.flows.rules.declaring import Declared
from rms_jupyter.flows.rules.joining import Joining, Match
from rms_jupyter.flows.rules.ledger import CompleteCall, Ledger, Stamp
from rms_jupyter.flows.rules.pattern import Pattern
from rms_jupyter.flows.rules.release import Released, in_groups, in_order
from rms_jupyter.service.arrivals import Arrivals, stamp_of
from rms_jupyter.service.batches import Batches, EndedCall
from rms_jupyter.service.status import Pace, Phase, RuleFailure, RuleStatus
from rms_jupyter.views.wording import exception_line

_BUSY, _ASK, _IDLE = 0.1, 0.5, 30.0  # Seconds from one look to the next.
_SURELY_STILL = 60.0  # Seconds since which a file that is found was not written: it need not settle.
_FIRST_FAILURES, _FIRST_PROBLEMS = 5, 20


class Serving:
    """Serves one rule until it is done or stopped.

    Parameters
    ----------
    rule : Rule
        What the user's functions are called with.
    declared : Declared
    batches : Batches
    given : sequence of (key, Match), optional
        Calls that the rule before it makes, instead of files.
    on_end : callable
        Called once everything is done.

    Attributes
    ----------
    is_complete : bool
        Whether all data is there.
    """

    def __init__(
        self,
        rule: Any,
        declared: Declared,
        batches: Batches,
        given: Sequence[tuple[tuple[Any, ...], Match]] | None,
        on_end: Callable[[], None],
    ) -> None:
        self._rule, self._declared, self._batches, self._on_end = rule, declared, batches, on_end
        options = declared.options
        self._joining = Joining(declared.files)
        self._settles = options.settle != "rename" and declared.marker is None
        self._ledger = Ledger(self._joining, float(options.settle) if self._settles else 0.0)
        self._released = Released(declared.index)
        self._given = given
        self._lock = threading.RLock()
        self._stop, self.ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"rms-rule-{rule.name}", daemon=True)
        watched = [*self._joining.patterns, *filter(None, [declared.marker]), *_files(declared.data_complete)]
        self._arrivals = Arrivals(watched, options.polling)
        self._made: set[str] = set()  # Files that this rule has written: they do not arrive.
        self._pace, self._last_arrival = Pace(), 0.0
        self._problems: dict[str, None] = {}
        self._failures: list[RuleFailure] = []
        self.is_complete = given is not None
        self._phase: Phase = "watching"
        self.error: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it; what has finished is kept."""
        self._stop.set()
        self._arrivals.wake()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def complete(self) -> None:
        """Take note that all data is there."""
        self.is_complete = True
        self._arrivals.wake()

    def retry(self) -> int:
        """Let the calls that have failed run again; return how many."""
        with self._lock:
            failed = [call for call in self._ledger.calls.values() if call.state == "failed"]
            for call in failed:
                call.outcome = None
                self._ledger.end(call, "waiting", time.monotonic())
            self._failures.clear()
        self._batches.forgive(failed)
        self._arrivals.wake()
        return len(failed)

    def done(self) -> list[CompleteCall]:
        """The calls that are done, in order."""
        with self._lock:
            return in_order(call for call in self._ledger.calls.values() if call.state == "done")

    def status(self) -> RuleStatus:
        """How it stands."""
        with self._lock:
            counts = self._ledger.counts()
            pace = self._pace.note(time.monotonic(), counts.done + counts.failed)
            return RuleStatus(
                self._rule.name,
                self._phase,
                counts,
                self._last_arrival,
                pace,
                self._batches.elsewhere,
                tuple(self._problems),
                tuple(self._failures),
                exception_line(self.error) if self.error else "",
            )

    def problem(self, words: str) -> None:
        """Note something that keeps nothing from going on."""
        with self._lock:
            if len(self._problems) < _FIRST_PROBLEMS:
                self._problems[words] = None

    def _run(self) -> None:
        try:
            with self._arrivals:
                self._serve()
            self._phase = "stopped" if self._stop.is_set() else "done"
        except BaseException as error:
            self.error, self._phase = error, "failed"
        finally:
            self._put_away()
        if self._phase == "done":
            self._tell(self._on_end, "on_completion")
        self.ended.set()

    def _put_away(self) -> None:
        try:
            self._take(self._batches.stop())
        except BaseException as error:
            self.error = self.error or error

    def _serve(self) -> None:
        for key, match in self._given or ():
            self._ledger.add(key, match)
        self._see(self._arrivals.everything(), at_start=True)
        while not self._stop.is_set():
            self._settle()
            self._take(self._batches.collect())
            self._note_complete()
            self._begin()
            if self._is_over():
                return
            self._see(self._arrivals.wait(self._patience()))

    def _patience(self) -> float:
        """For how long nothing happens unless something arrives."""
        if self._batches.are_running:
            return _BUSY
        declared, now = self._declared, time.monotonic()
        asks = callable(declared.options.release) or callable(declared.data_complete) or self._batches.elsewhere
        longest = _ASK if asks or (self._ledger.waiting and declared.options.release is None) else _IDLE
        due = self._ledger.next_due
        return longest if due is None else min(longest, max(0.0, due - now))

    # Arriving ------------------------------------------------------------------------------------------------------

    def _see(self, found: Iterable[tuple[str, Stamp | None]], at_start: bool = False) -> None:
        now, clock = time.monotonic(), time.time()
        fitting = [(path, stamp) for path, stamp in found if self._joining.means(path) and self._is_not_ours(path)]
        with self._lock:
            for path, stamp in fitting:
                written = stamp.time / 1e9 if stamp else 0.0
                self._last_arrival = max(self._last_arrival, written)
                is_still = at_start and clock - written > _SURELY_STILL
                self._ledger.see(path, stamp, now, settles=not is_still)

    def _is_not_ours(self, path: str) -> bool:
        if self._ledger.knows(path):
            return True
        if path not in self._made and not self._batches.have_written(path):
            return True
        self.problem(f"{path} fits a pattern of {self._rule.name}, which has written it: it is left out")
        return False

    def _note_made(self, files: Iterable[str]) -> None:
        """Note what a call has written: it has not arrived."""
        for path in files:
            self._made.add(path)
            if self._joining.means(path) and not self._ledger.leave_out(path):
                raise RmsError(
                    f"the rule {self._rule.name} takes in what it writes, for ever: {path}",
                    hint="write to another folder, or with another ending",
                )

    def _settle(self) -> None:
        with self._lock:
            self._ledger.settle(time.monotonic(), stamp_of, self._has_marker)

    def _has_marker(self, path: str) -> bool:
        marker = self._declared.marker
        if marker is None:
            return True
        values = next(values for pattern in self._joining.patterns if (values := pattern.parse(path)) is not None)
        return os.path.exists(marker.fill(self._declared.output_values(values, {"": path})))

    # Running -------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._ledger.waiting or not self._batches.have_room:
            return
        calls = self._without_gone(self._batches.choose(self._release()))
        if not calls:
            return
        with self._lock:
            for call in calls:
                self._ledger.begin(call)
        begun, ended = self._batches.begin(calls)
        self._take(ended)
        settled = {*begun, *(one.call for one in ended)}
        self._take(EndedCall(call, has_run=False) for call in calls if call not in settled)

    def _release(self) -> Iterable[CompleteCall]:
        """The calls that may begin."""
        release = self._declared.options.release
        if release is None:
            return list(self._ledger.waiting)
        waiting = in_order(self._ledger.waiting)
        if isinstance(release, int):
            return in_groups(waiting, release, self.is_complete)
        return waiting if self.is_complete else [call for call in waiting if self._released.covers(call)]

    def _ask_for_release(self) -> None:
        """Ask the user's function which numbers may begin now; without files, they are the calls."""
        release = self._declared.options.release
        if not callable(release):
            return
        new = self._tell(lambda: self._released.extend(release(self._rule)), "release")
        if new is not None and not self._declared.files:
            with self._lock:
                for number in range(*new):
                    self._ledger.add((number,), Match({}, {self._declared.index: number}))

    def _without_gone(self, calls: Sequence[CompleteCall]) -> list[CompleteCall]:
        """Leave out the calls whose files were deleted meanwhile, and those that must settle again."""
        left = []
        for call in calls:
            stamps = {path: stamp_of(path) for path in call.match.key}
            gone = [path for path, stamp in stamps.items() if stamp is None]
            with self._lock:
                if gone:
                    self._lose(gone)
                    continue
                now = time.monotonic()
                for path, stamp in stamps.items():
                    self._ledger.see(path, stamp, now)
                if call.state == "waiting" and call in self._ledger.waiting:
                    left.append(call)
        return left

    def _lose(self, gone: Sequence[str]) -> None:
        self._ledger.drop(gone)
        for path in gone:
            self.problem(f"{path} was deleted before its call began")

    def _take(self, ended: Iterable[EndedCall]) -> None:
        """Take in what has become of calls."""
        for one in ended:
            gone = [path for path in one.call.match.key if one.why and stamp_of(path) is None]
            stamps = {path: stamp_of(path) for path in one.call.match.key}
            with self._lock:
                now = time.monotonic()
                for path, stamp in stamps.items():
                    if stamp is not None:
                        self._ledger.see(path, stamp, now)
                self._note_made(one.files)
                state: Any = "failed" if one.why else "done" if one.has_run else "waiting"
                self._ledger.end(one.call, state, now, one.why, one)
                if gone:
                    self._lose(gone)
                elif one.why and len(self._failures) < _FIRST_FAILURES:
                    self._failures.append(RuleFailure(one.call.match.shown, one.why, *one.tasks[:1]))

    # Ending --------------------------------------------------------------------------------------------------------

    def _note_complete(self) -> None:
        self._ask_for_release()
        if self._phase == "finishing" or not self._says_complete():
            return
        self.is_complete = True
        self._see(self._arrivals.everything())
        self._phase = "finishing"
        if (hook := self._declared.options.on_data_complete) is not None:
            self._tell(lambda: hook(self._rule), "on_data_complete")

    def _says_complete(self) -> bool:
        """Whether all data is there."""
        says = self._declared.data_complete
        if self.is_complete or says is None or isinstance(says, bool):
            return self.is_complete or bool(says)
        if isinstance(says, int):
            return len(self._ledger.calls) >= says
        if isinstance(says, Pattern):
            return os.path.exists(says.fill({}))
        return bool(self._tell(lambda: says(self._rule), "data_complete"))

    def _is_over(self) -> bool:
        with self._lock:
            is_at_rest = self._ledger.counts().is_at_rest
        return self._phase == "finishing" and is_at_rest and not self._batches.are_running

    def _tell(self, function: Callable[[], Any], name: str) -> Any:
        """Call a function of the user's; if it fails, that is said, and the rule goes on."""
        try:
            return function()
        except Exception as error:
            words = error.message if isinstance(error, RmsError) else f"{type(error).__name__}: {words_of(error)}"
            self.problem(f"{name}: {words}")
            return None


def _files(complete: Any) -> Iterator[Pattern]:
    if isinstance(complete, Pattern):
        yield complete
