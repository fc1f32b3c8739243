"""How does a script run?  As a process of its own, as ``python script.py`` would, watched from within."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from rms_jupyter.errors import ScriptExited, ScriptRaised, TimedOut
from rms_jupyter.figures.saving import Saving
from rms_jupyter.run.task.streams import catch_here
from rms_jupyter.run.task.touched import untouched
from rms_jupyter.run.workers.offspring import killed_by
from rms_jupyter.run.workers.program import run_program, showing
from rms_jupyter.tracked import child
from rms_jupyter.tracked.code import CodeState
from rms_jupyter.tracked.report import ScriptReport

Variables = Mapping[str, str | None]
HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class ScriptPlace(Struct, frozen=True):
    """Where a script runs, and how long it may.

    Attributes
    ----------
    path, folder : str
        The script, and the folder that it works in.
    project, store : str
        Folders.
    executed : str
        Where the executed notebook goes; '' for a script.
    timeout : float
        Seconds; 0 for none.
    described : dict of str to CodeState
        The files with its code, as they were when it was described.
    """

    path: str
    folder: str
    project: str
    store: str
    executed: str
    timeout: float
    described: dict[str, CodeState]


class TrackedScript:
    """A script with how it is run, as what a task calls.

    Parameters
    ----------
    where : ScriptPlace
    """

    def __init__(self, where: ScriptPlace) -> None:
        self._where = where

    def __call__(
        self, config: str, arguments: Sequence[str], environment: Variables, parameters: Mapping[str, Any]
    ) -> None:
        """Run it.

        Parameters
        ----------
        config : str
            What this way to run it is called.
        arguments : sequence of str
            What is behind its name on the command line.
        environment : mapping of str to (str or None)
            Variables that are set, or unset.
        parameters : mapping of str to object
            What is assigned in a notebook's place for parameters.
        """
        if self._where.executed:
            from rms_jupyter.tracked.notebook import run_notebook

            run_notebook(self._where, variables(environment), parameters)
        else:
            run_script(self._where, list(arguments), variables(environment))


def variables(environment: Variables) -> dict[str, str]:
    """Return the environment of a script: ours, with what is set and unset for it."""
    own = {**os.environ, "MPLBACKEND": os.environ.get("MPLBACKEND", "agg"), **environment}
    return {name: value for name, value in own.items() if value is not None}


def saving_here() -> tuple[list[Any], int]:
    """How figures of the task that runs in this thread are saved, and when it began; nothing if they are not."""
    catch = catch_here()
    if catch is None:
        return [], 0
    saving: Saving = catch.saving
    return [saving.folder, list(saving.formats), saving.name, saving.key], catch.started


def run_script(where: ScriptPlace, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a script, and let the task that runs here have done what it did.

    Raises
    ------
    ScriptRaised, ScriptExited, TimedOut
        If it did not end well.
    ScriptEdited
        If it was edited since it was described.
    """
    saving, started = saving_here()
    task = {"path": where.path, "arguments": arguments, "saving": saving, "started": started, "home": HOME}
    name = os.path.basename(where.path)
    with _temporary() as asked, _temporary() as told:
        asked.write(json.dumps(task).encode())
        asked.flush()
        asked.seek(0)
        code = _run_child(where, environment, asked.fileno(), told.fileno())
        told.seek(0)
        report = ScriptReport.of(told)
    report.pass_on(where.project, where.store, where.described)
    if code is None:
        raise late(name, where.timeout)
    if report.raised:
        raise raised(name, *report.raised)
    if code:
        how = f"exited with code {code}" if code > 0 else killed_by(-code)
        raise ScriptExited(f"{name} {how}", hint="what it printed: %rms logs")


def _run_child(where: ScriptPlace, environment: Mapping[str, str], asked: int, told: int) -> int | None:
    """Run the process of a script, and print what it prints; returns its exit code, None if it took too long."""
    words = [sys.executable, child.__file__, str(asked), str(told)]
    show_out, show_err = showing("stdout"), showing("stderr")
    try:
        with untouched():
            return run_program(
                words,
                environment,
                show_out,
                show_err,
                folder=where.folder,
                files=(asked, told),
                timeout=where.timeout,
            )
    except TimeoutError:
        return None
    finally:
        show_out(b"", True)
        show_err(b"", True)


def late(name: str, timeout: float) -> TimedOut:
    """Word that a script took too long."""
    return TimedOut(f"{name} took longer than its timeout of {timeout:g} s", hint="give its configuration a longer one")


def raised(name: str, kind: str, words: str, trace: str) -> ScriptRaised:
    """Make the error of a script that has raised one."""
    error = ScriptRaised(f"{kind}: {words}" if words else kind, hint=f"raised in {name}; %rms logs shows where")
    error.add_note(trace)
    return error


@contextlib.contextmanager
def _temporary() -> Iterator[IO[bytes]]:
    with untouched():
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    with file:
        yield file


def place_of_executed(store: Path, place: str, config: str) -> Path:
    """Return where the executed notebook of a configuration is kept."""
    folder = place.strip("/").replace("..", "_")
    return store / "outputs" / "tracked" / os.path.splitext(folder)[0] / f"{config}.ipynb"
