"""How do calls of async functions take turns in one event loop, that of whoever awaits them?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.run.task.coroutines import awaited
from rms_jupyter.store.claims import LONG_WAIT, Claims

_PAUSE = 0.002


@asynccontextmanager
async def when_free(claims: Claims, key: int) -> AsyncIterator[None]:
    """Hold a key for the time of a block; others have their turns while it is waited for."""
    began = time.monotonic()
    while not claims.take(key, wait=not _is_in_loop()):
        if began and time.monotonic() - began > LONG_WAIT:
            claims.on_long_wait(key)
            began = 0.0
        await awaited(asyncio.sleep, _PAUSE)
    try:
        yield
    finally:
        claims.release(key)


def _is_in_loop() -> bool:
    """Whether a loop of asyncio runs here."""
    return asyncio._get_running_loop() is not None


def has_company() -> bool:
    """Whether others of the user's may have turns: tasks of the loop, or the cell that has made this one."""
    if not _is_in_loop():
        return False
    here = asyncio.current_task()
    return any(_is_the_users(task) for task in asyncio.all_tasks() if task is not here)


def _is_the_users(task: asyncio.Task[Any]) -> bool:
    """Whether a task runs what the user has written, or the cell; not what the kernel or a library does for itself."""
    coroutine = task.get_coro()
    frame = getattr(coroutine, "cr_frame", None)
    module = frame.f_globals.get("__name__", "") if frame is not None else ""
    is_cell = getattr(coroutine, "__name__", "") == "run_cell_async"
    return is_cell or module.startswith("asyncio.") or kind_of(module) in ("user", "ours")


class Turns:
    """Finds out whether an event loop has run anything else in a ``with`` block.

    Attributes
    ----------
    had_any : bool
        Known at the end; where there is no loop of asyncio, it may have.
    """

    def __enter__(self) -> Turns:
        self.had_any = not _is_in_loop()
        if not self.had_any:
            self._turn = asyncio.get_running_loop().call_soon(setattr, self, "had_any", True)
        return self

    def __exit__(self, *error: object) -> None:
        if not self.had_any:
            self._turn.cancel()
