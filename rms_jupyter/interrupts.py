"""When is an interrupt (Ctrl-C, Stop) heard?

It may come between any two steps of ours: then the first would be done and the second not. So while work of ours is
under way it is noted, and heard where nothing is half done: when the user's function runs, in what may take long and
leaves nothing behind (`interruptible`), where we wait (`hear`), and at the end of the call. For this the handler of the
user's is taken away for the time of our work, and is in place whenever code of the user's runs. Whoever insists, with a
second interrupt a second later, is heard at once.

Python interrupts the main thread only. Other threads are stopped by `interrupt`, which keeps to the same rules.
"""

from __future__ import annotations

import _signal  # The module `signal` takes ten times as long for the same.
import contextlib
import ctypes
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from signal import SIG_DFL, SIG_IGN, SIGINT
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

_INSISTS = 1.0  # seconds
_MAIN = threading.main_thread().ident
_interruptible: set[CodeType] = set()
_indivisible: set[CodeType] = set()
_set_handler = _signal.signal
_can_be_put_back = _signal.getsignal(SIGINT) is not None  # What Python has not set cannot.


class _Main:
    """The main thread: whether interrupts are noted, the handler that was taken away for that, and when one came."""

    __slots__ = ("is_held", "noted", "theirs")

    def __init__(self) -> None:
        self.is_held, self.theirs, self.noted = False, None, 0.0


_main: Any = _Main()


def hold() -> bool:
    """Note interrupts from now on; return whether they were heard until now, so that `let_go` is to follow."""
    __tracebackhide__ = True
    if get_ident() != _MAIN:
        return _hold_thread() if _threads else False
    if _main.is_held or not _can_be_put_back:
        return False
    _main.noted = 0.0
    _main.theirs = _set_handler(SIGINT, _note)
    _main.is_held = True
    return True


def let_go() -> bool:
    """Hear interrupts again, and the one that was noted; return whether they were noted until now."""
    __tracebackhide__ = True
    if get_ident() != _MAIN:
        return _let_go_thread() if _threads else False
    if not _main.is_held:
        return False
    _main.is_held = False
    handler = _set_handler(SIGINT, _main.theirs)
    if handler is not _note:  # What was imported meanwhile has set another.
        _main.theirs = handler
        _set_handler(SIGINT, handler)
    if _main.noted:
        _hear(_main.theirs)
    return True


def hear() -> None:
    """Hear the interrupt that was noted, if one was: here nothing is half done."""
    __tracebackhide__ = True
    if get_ident() != _MAIN:
        if get_ident() in _noted_threads and _let_go_thread():
            _hold_thread()
    elif _main.noted:
        _hear(_main.theirs)


class held:
    """Note interrupts in a ``with`` block, and hear them at its end."""

    __slots__ = ("_begins",)

    def __enter__(self) -> held:
        self._begins = hold()
        return self

    def __exit__(self, *error: object) -> None:
        __tracebackhide__ = True
        if self._begins:
            let_go()

    def heard(self) -> _heard:
        """Hear interrupts in a ``with`` block inside of this one, unless this one is a part of other work of ours."""
        return _heard(self._begins)


class _heard:
    __slots__ = ("_is_border",)

    def __init__(self, is_border: bool) -> None:
        self._is_border = is_border

    def __enter__(self) -> None:
        if self._is_border:
            let_go()

    def __exit__(self, *error: object) -> None:
        __tracebackhide__ = True
        if self._is_border:
            hold()


def unbroken(function: Callable[P, T]) -> Callable[P, T]:
    """Let a function come to its end before an interrupt is heard."""

    @functools.wraps(function)
    def whole(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        held = hold()
        try:
            return function(*args, **kwargs)
        finally:
            if held:
                let_go()

    return indivisible(whole)


def indivisible(function: F) -> F:
    """Let no interrupt be heard in a function, where one that is `interruptible` calls it."""
    _indivisible.add(function.__code__)
    return function


def interruptible(function: F) -> F:
    """Let interrupts be heard in a function: it may take long, and what it has not finished leaves no trace."""
    _interruptible.add(function.__code__)
    return function


@contextlib.contextmanager
def not_inherited() -> Iterator[None]:
    """Let a process that is started in a block not hear interrupts before it calls `hear_from_now_on`.

    Terminals send them to all processes, and one that is only being loaded would complain.
    """
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, {SIGINT})
    try:
        yield
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)


def hear_from_now_on() -> None:
    """In such a process: hear interrupts, but for those that have come until now."""
    if SIGINT in _signal.pthread_sigmask(_signal.SIG_BLOCK, ()):
        handler = _set_handler(SIGINT, SIG_IGN)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {SIGINT})
        _set_handler(SIGINT, handler)


def _note(number: int, frame: FrameType | None) -> None:
    """Handle an interrupt that comes in the middle of our work."""
    __tracebackhide__ = True
    insists = _main.noted and time.monotonic() - _main.noted > _INSISTS
    if insists or _is_interruptible(frame):
        _hear(_main.theirs)
    else:
        _main.noted = _main.noted or time.monotonic()


def _is_interruptible(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code in _interruptible:
            return True
        if frame.f_code in _indivisible:
            return False
        frame = frame.f_back
    return False


def _hear(handler: Any) -> None:
    """Do what the user's handler does: Python's own raises KeyboardInterrupt."""
    __tracebackhide__ = True
    _main.noted = 0.0
    if callable(handler):
        handler(SIGINT, sys._getframe(1))
    elif handler == SIG_DFL:
        _set_handler(SIGINT, handler)
        _signal.raise_signal(SIGINT)


# Other threads -------------------------------------------------------------------------------------------------------

_threads: dict[int, bool] = {}  # Those that can be interrupted, and whether code of the user's runs there.
_noted_threads: set[int] = set()
_lock = threading.Lock()


def begin_thread() -> None:
    """Let this thread be interrupted from now on, where code of the user's runs in it."""
    if get_ident() != _MAIN:
        with _lock:
            _threads[get_ident()] = False


def end_thread() -> None:
    """Let this thread be interrupted no more."""
    if get_ident() != _MAIN:
        with _lock:
            _threads.pop(get_ident(), None)
            _noted_threads.discard(get_ident())


def interrupt(thread: int) -> None:
    """Interrupt a thread: the main one as Ctrl-C does, which ends a sleep too.

    In another one Python raises the exception: what waits in a library is stopped when that comes back.
    """
    if thread == _MAIN and hasattr(_signal, "pthread_kill"):
        _signal.pthread_kill(thread, SIGINT)
        return
    with _lock:
        if _threads.get(thread):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))
        elif thread in _threads:
            _noted_threads.add(thread)


def _hold_thread() -> bool:
    __tracebackhide__ = True
    with _lock:
        held = _threads.get(get_ident(), False)
        if held:
            _threads[get_ident()] = False
    for _ in range(2):
        pass  # An exception that was set for this thread is raised here at the latest.
    return held


def _let_go_thread() -> bool:
    __tracebackhide__ = True
    with _lock:
        was_held = not _threads.get(get_ident(), True)
        if was_held:
            _threads[get_ident()] = True
        is_noted = get_ident() in _noted_threads
        _noted_threads.discard(get_ident())
    if is_noted:
        raise KeyboardInterrupt
    return was_held
