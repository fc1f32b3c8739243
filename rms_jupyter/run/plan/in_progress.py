"""What can be asked of a run while it goes on, and afterwards?  From any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from rms_jupyter.run.plan.progress import Snapshot

if TYPE_CHECKING:
    from rms_jupyter.run.plan.driver import Driver


class RunInProgress:
    """A run, from before its first step to after its last.

    Parameters
    ----------
    run_id : int
        Its id on record; 0 before it has one.
    """

    def __init__(self, run_id: int = 0) -> None:
        self.run_id = run_id
        self._driver: Driver | None = None
        self._final: Snapshot | None = None
        self._stopped = threading.Event()

    def begin(self, driver: Driver) -> None:
        """Note who carries it out; one that was stopped before ends at once."""
        self._driver = driver
        if self._stopped.is_set():
            driver.stop()

    def end(self) -> None:
        """Note that it is over, and how far it came."""
        self._final, self._driver = self.snapshot(), None

    def stop(self) -> None:
        """Let it end soon: what has finished is kept."""
        self._stopped.set()
        if (driver := self._driver) is not None:
            driver.stop()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has asked it to end."""
        return self._stopped.is_set()

    def snapshot(self) -> Snapshot | None:
        """Return how far it is; None before it has begun."""
        driver = self._driver
        return self._final if driver is None else driver.snapshot()

    def key_of(self, number: int) -> str:
        """Return the key of a task that is to run or runs; '' for others."""
        driver = self._driver
        return "" if driver is None else driver.key_of(number)
