"""How does a program run within a task?  What it says is passed on at once, and it ends with the task.

It has a process group of its own, which an interrupt of ours does not reach: all that is in it is ended at once. A
second process waits for our own end, and then kills the group: so it ends with a kernel that is killed, too.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import IO, cast

from rms_jupyter.errors import CommandFailed
from rms_jupyter.interrupts import held
from rms_jupyter.run.workers.offspring import kill_with_offspring, killed_by

Take = Callable[[bytes], object]

_BLOCK = 1 << 16
_LOOK_EVERY = 0.2  # Seconds until it is noticed that it has ended, and left something that may still write.


def run_program(words: Sequence[str], environment: Mapping[str, str] | None, take_out: Take, take_err: Take) -> int:
    """Run a program to its end, and return its exit code; one that a signal has killed is negative.

    Parameters
    ----------
    words : sequence of str
    environment : mapping, optional
        All variables of its environment; by default ours.
    take_out, take_err : callable
        Get what it writes to stdout and stderr, piece by piece.

    Raises
    ------
    OSError
        If it cannot be started.
    """
    begun: list[subprocess.Popen[bytes]] = []
    try:
        with held():
            begun.append(_begin(words, environment))
            begun.append(_begin_watchdog(begun[0].pid))
        _pass_on(begun[0], take_out, take_err)
        code = begun[0].wait()
        begun[1].communicate(b"\n")
        return code
    except BaseException:
        if begun:
            _kill(begun[0])
        raise
    finally:
        for pipe in (pipe for process in begun for pipe in (process.stdin, process.stdout, process.stderr) if pipe):
            pipe.close()
        for process in begun:
            process.wait()


def _begin(words: Sequence[str], environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(words, env=environment, stdin=nothing, stdout=pipe, stderr=pipe, process_group=0)


def _begin_watchdog(group: int) -> subprocess.Popen[bytes]:
    """Let a group be killed when this process ends before it has said that all is well."""
    words = ["sh", "-c", 'read -r _ || kill -s KILL -- "-$0"', str(group)]
    nothing = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, start_new_session=True)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process with all that it has started."""
    kill_with_offspring(process.pid)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # It is not waited for yet, so the number is its own.


def failed(name: str, code: int, said: str = "", hint: str = "") -> CommandFailed:
    """Return the error of a program that has ended with an exit code, or by a signal, and what it said last."""
    how = f"ended with exit code {code}" if code >= 0 else killed_by(-code)
    error = CommandFailed(f"{name} {how}{f': {said}' if said else ''}", hint=hint)
    error.code = code
    return error


def _pass_on(process: subprocess.Popen[bytes], take_out: Take, take_err: Take) -> None:
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
