"""How does a program run within a task?  What it says is passed on at once, and it ends with the task.

It has a session of its own, which neither an interrupt of ours nor a terminal reaches: all that is in it is ended at
once. A second process waits for our own end, and then kills the group: so it ends with a kernel that is killed, too.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import IO, cast

from rms_jupyter.errors import CommandFailed
from rms_jupyter.interrupts import held
from rms_jupyter.run.task.touched import note_act
from rms_jupyter.run.workers.offspring import goes_on, kill_with_offspring, killed_by

Take = Callable[[bytes], object]

_BLOCK = 1 << 16
_FAREWELL = 1.0  # Seconds that helpers of a program, as those of loky, may take to end after it.
_LOOK_EVERY = 0.2  # Seconds until it is noticed that it has ended, and left something that may still write.


def run_program(
    words: Sequence[str],
    environment: Mapping[str, str] | None,
    take_out: Take,
    take_err: Take,
    *,
    folder: str | None = None,
    files: Collection[int] = (),
    timeout: float = 0.0,
) -> int:
    """Run a program to its end, and return its exit code; one that a signal has killed is negative.

    What it leaves running is noted for the task that runs here.

    Parameters
    ----------
    words : sequence of str
    environment : mapping, optional
        All variables of its environment; by default ours.
    take_out, take_err : callable
        Get what it writes to stdout and stderr, piece by piece.
    folder : str, optional
        Where it works; by default where we do.
    files : collection of int
        File descriptors that it is given.
    timeout : float
        Seconds; 0 for none.

    Raises
    ------
    OSError
        If it cannot be started.
    TimeoutError
        If it takes longer.
    """
    until = time.monotonic() + timeout if timeout else float("inf")
    with contextlib.ExitStack() as ending:
        with held():
            process = ending.enter_context(_begun(words, environment, folder, files))
            ending.enter_context(ended_with_us(process.pid))
        _pass_on(process, take_out, take_err, until)
        while process.poll() is None:
            _refuse_late(until)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_EVERY)
        if goes_on(process.pid, _FAREWELL):
            note_act(words[0], "it leaves a program running")
        return process.returncode


@contextlib.contextmanager
def ended_with_us(group: int) -> Iterator[None]:
    """Let a process group be killed when this process ends within the block, whatever ends it."""
    words = ["sh", "-c", 'read -r _ || kill -s KILL -- "-$0"', str(group)]
    nothing = subprocess.DEVNULL
    watchdog = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, start_new_session=True)
    try:
        yield
    finally:
        watchdog.communicate(b"\n")


@contextlib.contextmanager
def _begun(
    words: Sequence[str], environment: Mapping[str, str] | None, folder: str | None, files: Collection[int]
) -> Iterator[subprocess.Popen[bytes]]:
    """Begin a program; if the block is left before its end, it is killed with all that it has started."""
    process = subprocess.Popen(
        words,
        env=environment,
        cwd=folder,
        pass_fds=files,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    except BaseException:
        kill_with_offspring(process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # If it has ended, its number may be that of what it has left.
        raise
    finally:
        for pipe in (process.stdout, process.stderr):
            cast(IO[bytes], pipe).close()
        process.wait()


def showing(stream: str) -> Callable[..., None]:
    """Return what shows bytes as text, on what is sys.stdout or sys.stderr then; it is told which are the last."""
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def show(data: bytes, is_last: bool = False) -> None:
        if text := decoder.decode(data, is_last):
            getattr(sys, stream).write(text)

    return show


def failed(name: str, code: int, said: str = "", hint: str = "") -> CommandFailed:
    """Return the error of a program that has ended with an exit code, or by a signal, and what it said last."""
    how = f"ended with exit code {code}" if code >= 0 else killed_by(-code)
    error = CommandFailed(f"{name} {how}{f': {said}' if said else ''}", hint=hint)
    error.code = code
    return error


def _pass_on(process: subprocess.Popen[bytes], take_out: Take, take_err: Take, until: float) -> None:
    """Pass on what a process writes, until nobody can write any more or it has ended."""
    with selectors.DefaultSelector() as selector:
        for pipe, take in ((process.stdout, take_out), (process.stderr, take_err)):
            selector.register(cast(IO[bytes], pipe), selectors.EVENT_READ, take)
        while selector.get_map():
            ready = selector.select(_LOOK_EVERY)
            if not ready and process.poll() is not None:
                return
            for key, _ in ready:
                if data := os.read(key.fd, _BLOCK):
                    key.data(data)
                else:
                    selector.unregister(key.fileobj)
            _refuse_late(until)


def _refuse_late(until: float) -> None:
    if time.monotonic() > until:
        raise TimeoutError
