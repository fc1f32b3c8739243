"""What has become of each file of a rule?  Pure: it is told what was seen and when, and does not look itself.

::

    a file    settling → settled;  gone, if it was deleted before its call began
    a call    waiting → running → done | failed;  a file of it that is written again settles again, and makes it new

A file has settled when its size and time have not changed for a while.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from rms_jupyter.flows.rules.joining import Joining, Match

State = Literal["waiting", "running", "done", "failed"]
_LOOK_AGAIN = 0.2  # Seconds, for a file that is still but not complete.


class Stamp(NamedTuple):
    """What tells one state of a file from another: its size, time in ns and inode."""

    size: int
    time: int
    inode: int


Look = Callable[[str], Stamp | None]


@dataclass(eq=False, slots=True)
class CompleteCall:
    """A call that files have made complete.

    `stamps` are those of its files when it began, `why` says why it failed, and `outcome` is what it has made.
    """

    match: Match
    state: State = "waiting"
    stamps: dict[str, Stamp] = field(default_factory=dict)
    why: str = ""
    outcome: object = None


@dataclass(slots=True)
class _File:
    stamp: Stamp
    due: float
    is_settled: bool = False
    calls: list[CompleteCall] = field(default_factory=list)


class RuleCounts(NamedTuple):
    """How many files and calls are in which state, at one moment.

    Of the files that have `arrived`, `settling` ones are not complete yet, `unpaired` ones wait for those that belong
    to them, `gone` ones were deleted before their call began; the others are those of calls.
    """

    arrived: int = 0
    settling: int = 0
    unpaired: int = 0
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    gone: int = 0

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way."""
        return not (self.settling or self.waiting or self.running)


class Ledger:
    """The files and calls of one rule.

    Parameters
    ----------
    joining : Joining
        Puts files together.
    patience : float
        Seconds for which a file must have been still.

    Attributes
    ----------
    waiting : dict of Call
        Those that may begin, in order.
    """

    def __init__(self, joining: Joining, patience: float) -> None:
        self._joining, self._patience = joining, patience
        self._files: dict[str, _File] = {}
        self._due: list[tuple[float, str]] = []
        self._settling = self._gone = 0
        self._states: Counter[State] = Counter()
        self.calls: dict[tuple[str, ...], CompleteCall] = {}
        self.waiting: dict[CompleteCall, None] = {}

    def see(self, path: str, stamp: Stamp | None, now: float, settles: bool = True) -> None:
        """Note a file as it is now: None if it is not there; not `settles` if it need not be still for a while."""
        file = self._files.get(path)
        if stamp is None:
            if file is not None and all(call.state == "waiting" for call in file.calls):
                self._lose(path, file)
        elif file is None:
            self._files[path] = file = _File(stamp, now)
            self._settling += 1
            self._wait(path, file, now + self._patience * settles)
        elif file.stamp != stamp:
            file.stamp = stamp
            if any(call.state == "running" for call in file.calls):
                return  # Seen to when it has ended.
            if file.is_settled:
                self._unsettle(path, file)
            self._wait(path, file, now + self._patience)

    @property
    def next_due(self) -> float | None:
        """When the next file may have settled."""
        return self._due[0][0] if self._due else None

    def settle(self, now: float, look: Look, is_complete: Callable[[str], bool]) -> None:
        """Look again at the files that should have settled by now; what is complete makes calls."""
        while self._due and self._due[0][0] <= now:
            due, path = heapq.heappop(self._due)
            file = self._files.get(path)
            if file is None or file.is_settled or file.due != due:
                continue
            stamp = look(path)
            if stamp != file.stamp:
                self.see(path, stamp, now)
            elif is_complete(path):
                file.is_settled = True
                self._settling -= 1
                self._make_calls(path)
            else:
                self._wait(path, file, now + max(self._patience, _LOOK_AGAIN))

    def add(self, key: tuple[Any, ...], match: Match) -> None:
        """Add a call that no file of a pattern has made."""
        if key not in self.calls:
            call = self.calls[key] = CompleteCall(match)
            self._states["waiting"] += 1
            self.waiting[call] = None

    def begin(self, call: CompleteCall) -> None:
        """A call begins."""
        call.stamps = {path: self._files[path].stamp for path in call.match.key if path in self._files}
        self._move(call, "running")

    def end(self, call: CompleteCall, state: State, now: float, why: str = "", outcome: object = None) -> None:
        """A call has ended, or did not begin after all; files of it that were written again meanwhile settle again."""
        call.why, call.outcome = why, outcome
        self._move(call, state)
        for path, stamp in call.stamps.items():
            if (file := self._files.get(path)) is not None and file.is_settled and file.stamp != stamp:
                self._unsettle(path, file)
                self._wait(path, file, now + self._patience)

    def drop(self, gone: Iterable[str]) -> None:
        """Files are gone, and with them the calls that they would have made."""
        for path in gone:
            if (file := self._files.get(path)) is not None:
                self._lose(path, file)

    def leave_out(self, path: str) -> bool:
        """Forget a file that should not have been taken in; return whether no call of it has begun."""
        file = self._files.get(path)
        if file is not None and all(call.state == "waiting" for call in file.calls):
            self._lose(path, file)
            self._gone -= 1
        return path not in self._files

    def knows(self, path: str) -> bool:
        """Whether a file has arrived."""
        return path in self._files

    def counts(self) -> RuleCounts:
        """Count what is in which state."""
        states, files = self._states, self._files
        unpaired = sum(file.is_settled and not file.calls for file in files.values()) if self._joining.joins else 0
        running, done, failed = states["running"], states["done"], states["failed"]
        arrived = len(files) + self._gone
        return RuleCounts(arrived, self._settling, unpaired, states["waiting"], running, done, failed, self._gone)

    def _wait(self, path: str, file: _File, due: float) -> None:
        file.due = due
        heapq.heappush(self._due, (due, path))

    def _make_calls(self, path: str) -> None:
        for match in self._joining.add(path):
            if match.key not in self.calls:
                call = self.calls[match.key] = CompleteCall(match)
                self._states["waiting"] += 1
                self.waiting[call] = None
                for part in set(match.key):
                    self._files[part].calls.append(call)

    def _unsettle(self, path: str, file: _File) -> None:
        file.is_settled = False
        self._settling += 1
        self._take_calls_back(path, file)

    def _lose(self, path: str, file: _File) -> None:
        if not file.is_settled:
            self._settling -= 1
        self._take_calls_back(path, file)
        del self._files[path]
        self._gone += 1

    def _take_calls_back(self, path: str, file: _File) -> None:
        self._joining.remove(path)
        for call in list(file.calls):
            self._states[call.state] -= 1
            self.waiting.pop(call, None)
            del self.calls[call.match.key]
            for part in set(call.match.key):
                self._files[part].calls.remove(call)

    def _move(self, call: CompleteCall, state: State) -> None:
        self._states[call.state] -= 1
        self._states[state] += 1
        call.state = state
        if state == "waiting":
            self.waiting[call] = None
        else:
            self.waiting.pop(call, None)
