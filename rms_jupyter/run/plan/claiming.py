"""Who computes a call that several tasks of a plan make, or another kernel at this moment?  The first; others wait."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.run.plan.planned import Missed
from rms_jupyter.store.claims import LONG_WAIT
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.store.store import Store

_POLL = 0.05
_WORTH_A_LOCK = 8


class Claiming:
    """The claims of one run, and its tasks that wait for what is computed elsewhere."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, bool] = {}
        self._waiting: list[int] = []
        self._waited: dict[int, float] = {}  # Since when each mark is waited for.
        self._said: set[int] = set()
        self._polled = 0.0

    def take(self, batch: Sequence[Missed]) -> list[Missed]:
        """Claim calls before they run; gives them without those computed elsewhere, to be looked up again when `due`.

        What other kernels have done until now is known then. Tasks so short that many go into a batch are not locked
        against them: computing one twice costs less than the lock.
        """
        is_locked, taken = len(batch) <= _WORTH_A_LOCK, []
        for missed in batch:
            key, needs_lock = missed.call.key, is_locked and not missed.call.obstacle
            if key in self._held:  # By this run.
                self._waiting.append(missed.number)
            elif needs_lock and not self._store.claims.take(missed.mark, wait=False):
                self._waiting.append(missed.number)
                self._waited.setdefault(missed.mark, time.monotonic())
            else:
                self._held[key] = needs_lock
                self._waited.pop(missed.mark, None)
                taken.append(missed)
        if is_locked:
            self._store.refresh()
        return taken

    def release(self, call: Call) -> None:
        """Give a claim back, if there is one."""
        if self._held.pop(call.key, False):
            self._store.claims.release(key_mark(call.key))

    def due(self) -> list[int]:
        """Now and then, give the tasks that wait, once it is known what other kernels have done."""
        if not self._waiting or time.monotonic() - self._polled <= _POLL:
            return []
        self._polled = time.monotonic()
        self._store.refresh()
        self._say_long_waits()
        due, self._waiting = self._waiting, []
        return due

    def _say_long_waits(self) -> None:
        for mark, began in self._waited.items():
            if mark not in self._said and self._polled - began > LONG_WAIT:
                self._said.add(mark)
                self._store.claims.on_long_wait(mark)

    def give_up(self) -> None:
        """Let no task wait any more."""
        self._waiting.clear()

    def release_all(self) -> None:
        """Give all claims back."""
        for key, is_locked in self._held.items():
            if is_locked:
                self._store.claims.release(key_mark(key))
        self._held.clear()
