"""How does an async function run to its end where nobody can await it?

In an event loop of its own, in a thread of its own: the notebook's loop is busy with the cell, and a script has none.
What it awaits must belong to that loop: locks and connections made in another one cannot be awaited here.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable, Sequence
from types import CoroutineType
from typing import Any, TypeVar

from rms_jupyter.interrupts import hold, let_go
from rms_jupyter.run.task.depth import as_deep_as_plainly
from rms_jupyter.run.task.streams import capture_here, captured_here
from rms_jupyter.run.task.waiting import wait_for

T = TypeVar("T")


def call_to_end(function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Call a function; a coroutine is run to its end.

    Examples
    --------
    >>> async def double(x):
    ...     return 2 * x
    >>> call_to_end(double, [4], {})
    8
    """
    __tracebackhide__ = True
    with as_deep_as_plainly(function):
        holds = let_go()
        try:
            value = function(*args, **kwargs)
            if type(value) is CoroutineType and gives_coroutine(function):
                return _Running(value).result()
        finally:
            if holds:
                hold()
    return value


async def awaited(function: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
    """Await what a function gives in the middle of our work: others have their turns, and interrupts are heard."""
    holds = let_go()
    try:
        return await function(*args, **kwargs)
    finally:
        if holds:
            hold()


def gives_coroutine(function: Callable[..., Any]) -> bool:
    """Whether a function or another callable is async; a decorated one may give what its decorator makes of it."""
    return any(map(inspect.iscoroutinefunction, (function, type(function).__call__)))


class _Running:
    """A coroutine in its thread."""

    def __init__(self, coroutine: CoroutineType[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._captured = captured_here()
        self._value: Any = None
        self._error: BaseException | None = None
        self._task: asyncio.Task[Any] | None = None
        target = contextvars.copy_context().run
        self._thread = threading.Thread(target=target, args=(self._run,), daemon=True)
        self._ended = threading.Event()  # `join` forgets about its thread when it is interrupted.

    def result(self) -> Any:
        """Wait for the end; an interrupt cancels the coroutine."""
        self._thread.start()
        try:
            wait_for(self._ended)
        except BaseException:
            if self._task is not None:
                self._task.get_loop().call_soon_threadsafe(self._task.cancel)
                wait_for(self._ended)
            raise
        if self._error is not None:
            raise self._error
        return self._value

    def _run(self) -> None:
        capture_here(self._captured)
        try:
            asyncio.run(self._await())
        except BaseException as error:
            self._error = error
        finally:
            self._ended.set()

    async def _await(self) -> None:
        self._task = asyncio.current_task()
        try:
            self._value = await self._coroutine
        except Exception as error:
            frames = error.__traceback__
            self._error = error.with_traceback(frames.tb_next if frames else None)
