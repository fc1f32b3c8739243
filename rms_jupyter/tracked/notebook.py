"""How does a notebook run?  In a kernel of its own, cell by cell, with parameters as papermill has them."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import keyword
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from rms_jupyter.errors import RmsError, ScriptExited
from rms_jupyter.run.task.streams import captured_here
from rms_jupyter.run.task.touched import note_elsewhere, untouched
from rms_jupyter.run.workers.offspring import kill_with_offspring
from rms_jupyter.run.workers.program import ended_with_us
from rms_jupyter.tracked import child
from rms_jupyter.tracked.report import ScriptReport
from rms_jupyter.tracked.running import HOME, ScriptPlace, late, raised, saving_here

_BEGIN = """\
def _rms_watch():
    import importlib.util, sys
    spec = importlib.util.spec_from_file_location("_rms_child", {child!r})
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["_rms_child"] = module
    module.finish = module.watch_kernel({report!r}, {saving!r}, {started!r}, {home!r})
_rms_watch()
del _rms_watch
"""
_END = "__import__('sys').modules['_rms_child'].finish()"
_INJECTED = "injected-parameters"
_MOST_SAID = 10_000
_FAREWELL = 10.0  # Seconds that the kernel may take to save its figures.


def run_notebook(where: ScriptPlace, environment: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
    """Run a notebook; the executed one is an output of the task that runs here.

    Raises
    ------
    ScriptRaised, ScriptExited, TimedOut
        If it did not end well; what it came to lies beside the place of the executed notebook.
    ScriptEdited
        If it was edited since it was described.
    """
    name = os.path.basename(where.path)
    with _unseen(), tempfile.NamedTemporaryFile(prefix="rms-report-") as told, tempfile.TemporaryFile() as said:
        notebook = _with_parameters(_read(where.path), parameters)
        client = _WatchedClient(where, notebook, told.name)
        error: BaseException | None = None
        try:
            asyncio.run(client.async_execute(env=dict(environment), stdout=said, stderr=said))
        except CellTimeoutError:
            error = late(name, where.timeout)
        except CellExecutionError as failed:
            error = raised(name, failed.ename, failed.evalue, failed.traceback)
        except DeadKernelError:
            said.seek(0)
            error = ScriptExited(f"the kernel of {name} died", hint="was it out of memory?")
            error.add_note(said.read()[-_MOST_SAID:].decode("utf-8", "replace"))
        finally:
            client.end()
        report = ScriptReport.of(told)
        target = where.executed if error is None else f"{where.executed.removesuffix('.ipynb')}.failed.ipynb"
        _write(notebook, target)
    report.code[where.path] = client.stamp
    report.pass_on(where.project, where.store, where.described)
    if error is not None:
        raise error
    note_elsewhere([], [target], [])


class _WatchedClient(NotebookClient):
    """Runs a notebook whose kernel is watched from before the first cell to after the last."""

    def __init__(self, where: ScriptPlace, notebook: Any, report: str) -> None:
        until = time.monotonic() + where.timeout
        super().__init__(
            notebook,
            timeout_func=lambda cell: max(0.1, until - time.monotonic()) if where.timeout else None,
            resources={"metadata": {"path": where.folder}},
        )
        found = os.stat(where.path)
        self._pid = 0
        self._ending = contextlib.ExitStack()
        self.stamp = found.st_mtime_ns, found.st_size, found.st_ino
        saving, started = saving_here()
        self._begin = _BEGIN.format(child=child.__file__, report=report, saving=saving, started=started, home=HOME)

    def end(self) -> None:
        """Leave nothing of the kernel running, whatever came in between."""
        if self._pid:
            kill_with_offspring(self._pid)
        self._ending.close()

    async def async_start_new_kernel_client(self) -> Any:
        """Begin to watch when the kernel is ready."""
        self._pid = getattr(getattr(self.km, "provisioner", None), "pid", 0)
        if self._pid:
            self._ending.enter_context(ended_with_us(self._pid))
        client = await super().async_start_new_kernel_client()
        await self._run_unseen(client, self._begin)
        return client

    async def _async_cleanup_kernel(self) -> None:
        """Let the kernel save its figures before it ends."""
        if self.kc is not None and self.km is not None:
            with contextlib.suppress(Exception):
                await self._run_unseen(self.kc, _END)
        await super()._async_cleanup_kernel()

    async def _run_unseen(self, client: Any, code: str) -> None:
        request = client.execute(code, silent=True, store_history=False)
        while True:
            reply = await client.get_shell_msg(timeout=_FAREWELL)
            if reply["parent_header"].get("msg_id") == request:
                return


def _unseen() -> AbstractContextManager[None]:
    """Let what is done here be ours, and not the task's."""
    captured = captured_here()
    return captured.unseen() if captured is not None else untouched()


def _read(path: str) -> Any:
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:
        raise RmsError(
            f"{os.path.basename(path)} is not a valid notebook: {error}", hint="open it in Jupyter"
        ) from None


def _write(notebook: Any, path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    partial = f"{path}.{os.getpid()}.part"
    nbformat.write(notebook, partial)  # type: ignore[no-untyped-call]
    os.replace(partial, path)


def _with_parameters(notebook: Any, parameters: Mapping[str, Any]) -> Any:
    """Assign parameters behind the cell that is tagged ``parameters``, else before the first cell."""
    notebook = copy.deepcopy(notebook)
    if not parameters:
        return notebook
    for name in parameters:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise RmsError(f"{name!r} is not a valid name of a parameter", hint="letters, digits and underscores")
    source = "\n".join(["# Parameters", *(f"{name} = {value!r}" for name, value in parameters.items())])
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [_INJECTED]})  # type: ignore[no-untyped-call]
    tags = [set(own.get("metadata", {}).get("tags", ())) for own in notebook.cells]
    injected = [place for place, own in enumerate(tags) if _INJECTED in own]
    if injected:
        notebook.cells[injected[0]] = cell
        return notebook
    marked = [place for place, own in enumerate(tags) if "parameters" in own]
    notebook.cells.insert(marked[0] + 1 if marked else 0, cell)
    return notebook
