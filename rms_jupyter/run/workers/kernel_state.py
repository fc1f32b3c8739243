"""How is a worker made to stand as the kernel does: its folder, environment, `sys.path`, imports, levels of logging?

Workers live on from run to run, and on a cluster they were started elsewhere. What a machine has of its own (its
``PATH``, say) stays: only what was changed in the kernel since it began is changed there.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cloudpickle
import msgspec

from rms_jupyter.fingerprint.named_in_packages import noted
from rms_jupyter.fingerprint.origin import kind_of
from rms_jupyter.fingerprint.put_into_packages import put_by_notebook
from rms_jupyter.fingerprint.version import MISSING
from rms_jupyter.run.task.messages import log_levels, take_levels
from rms_jupyter.working_folder import working_folder


class KernelState(msgspec.Struct, array_like=True):
    """How the kernel stands.

    Attributes
    ----------
    folder : str
        The working directory.
    environment : dict of str to (str or None)
        The variables that were changed since the kernel began; None for those that were removed.
    path : list of str
        `sys.path`.
    modules : list of str
        Those that the notebook has imported, also for what their import does (``import accessors``).
    log_levels : dict of str to int
        By the names of the loggers.
    put : bytes
        What the notebook has put into packages: owners, names and values, pickled.
    """

    folder: str
    environment: dict[str, str | None] = {}
    path: list[str] = []
    modules: list[str] = []
    log_levels: dict[str, int] = {}
    put: bytes = b""


def _environment_at_start() -> dict[str, str]:
    try:
        entries = Path("/proc/self/environ").read_bytes().split(b"\0")
    except OSError:
        return dict(os.environ)
    return dict(os.fsdecode(entry).split("=", 1) for entry in entries if b"=" in entry)


_environment_at_first = _environment_at_start()
_changed_variables: set[str] = set()
_brought: list[str] = []
_stood: list[tuple[Any, str, Any]] = []  # Where something was put into a package, and what was there.


def kernel_state() -> KernelState:
    """Describe how this process stands now."""
    now = dict(os.environ)
    _changed_variables.update(name for name, _ in now.items() ^ _environment_at_first.items())
    environment = {name: now.get(name) for name in _changed_variables}
    modules = _modules_of_the_notebook()
    return KernelState(working_folder(), environment, [*sys.path], modules, log_levels(), _put_by_notebook())


def stand_like(kernel: KernelState) -> None:
    """Make this process, a worker, stand as the kernel does."""
    _go_to(kernel.folder)
    for name, value in kernel.environment.items():
        if value is None:
            os.environ.pop(name, None)
        elif os.environ.get(name) != value:
            os.environ[name] = value
    _take_path(kernel.path)
    take_levels(kernel.log_levels)
    for name in kernel.modules:
        if name not in sys.modules:
            with contextlib.suppress(Exception):  # Where it matters, the task will say so.
                importlib.import_module(name)
    _put_as_in_kernel(kernel.put)


def _put_by_notebook() -> bytes:
    found = [(put.owner, put.name, put.now()) for put in put_by_notebook() if put.now() is not put.came]
    found += [(owner, name, vars(owner)[name]) for owner, name in noted() if name in vars(owner)]
    return pickle.dumps([data for put in found if (data := _pickled(put))]) if found else b""


def _pickled(put: Any) -> bytes:
    """Pickle what was put somewhere, if that can be; a call that rests on what has no digest runs each time."""
    try:
        data: bytes = cloudpickle.dumps(put)
    except Exception:
        return b""
    return data


def _put_as_in_kernel(put: bytes) -> None:
    while _stood:
        _set(*_stood.pop())
    for owner, name, value in map(pickle.loads, pickle.loads(put)) if put else ():
        _stood.append((owner, name, vars(owner).get(name, MISSING)))
        _set(owner, name, value)


def _set(owner: Any, name: str, value: Any) -> None:
    if value is not MISSING:
        setattr(owner, name, value)
    elif name in vars(owner):
        delattr(owner, name)


def _go_to(folder: str) -> None:
    """Work where the kernel works; on a machine without that folder, stay."""
    with contextlib.suppress(OSError):
        if folder and working_folder() != folder:
            os.chdir(folder)


def _take_path(path: Iterable[str]) -> None:
    """Look for modules where the kernel does, before all or after all else as there; then in places of our own."""
    own = [entry for entry in sys.path if entry not in _brought]
    front: list[str] = []
    back: list[str] = []
    is_front = True
    for entry in path:
        if entry in own:
            is_front = False
        else:
            (front if is_front else back).append(entry)
    wanted = [*front, *own, *back]
    if wanted != sys.path:
        sys.path[:] = wanted
        importlib.invalidate_caches()
    _brought[:] = front + back


def _modules_of_the_notebook() -> list[str]:
    """Names of the modules that variables of the notebook hold."""
    values = list(vars(sys.modules["__main__"]).values())
    names = {
        value.__name__ for value in values if isinstance(value, types.ModuleType) and value.__name__ in sys.modules
    }
    return sorted(name for name in names if kind_of(name) != "ours" and name != "__main__")
