"""How does a run go on while other cells are worked in, and how does one wait for it?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from rms_jupyter.errors import PlanFailed, RmsError
from rms_jupyter.run.task.waiting import wait_for

T = TypeVar("T")
_LOOK_EVERY = 0.02


class Background(Generic[T]):
    """Runs a function in a thread of its own, once it is told to start.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rms-run", daemon=True)
        self._ended = threading.Event()  # A thread counts as ended once a `join` was interrupted (Python 3.11).

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._thread.ident is not None and not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> T:
        """Wait for the end; gives the result, or raises what was raised.

        Raises
        ------
        TimeoutError
        """
        if not wait_for(self._ended, timeout):
            raise TimeoutError(f"it has not ended after {timeout:g} s")
        if self._error is not None:
            raise self._error
        return self._result[0]

    def join(self) -> None:
        """Wait for the end, whatever comes of it."""
        wait_for(self._ended)

    def raise_what_kept_it_from_running(self) -> None:
        """Raise an error of ours that has ended it, but for one that accounts for what has run."""
        if isinstance(self._error, RmsError) and not isinstance(self._error, PlanFailed):
            raise self._error

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, or the end; at once in the thread itself."""
        if threading.current_thread() is not self._thread:
            while self.is_running and not holds():
                time.sleep(_LOOK_EVERY)

    def _run(self) -> None:
        try:
            self._result.append(self._function())
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()
