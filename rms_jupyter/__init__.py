"""Analyses in notebooks that are never computed twice, and that know where everything came from.

Open and call:
    open, current, pipe, template, plain, value, info, In, Out, digest_by
Ask:
    where, table, done
Rules for files that arrive:
    rule_factory, available_name
Bring back from a backup:
    restore
Classes, for isinstance and annotations:
    Session, Resource, FileResource
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rms_jupyter.version import __version__ as __version__

_HOMES = {
    "open": "opening",
    "current": "opening",
    "pipe": "opening",
    "template": "opening",
    "restore": "session.copying",
    "plain": "handles.unwrapped",
    "value": "handles.unwrapped",
    "info": "results",
    "digest_by": "fingerprint.values",
    "In": "fingerprint.annotations",
    "Out": "fingerprint.annotations",
    "rule_factory": "opening",
    "available_name": "flows.rules.naming",
    "where": "search",
    "table": "results",
    "done": "results",
    "Session": "session",
    "Resource": "handles.resource",
    "FileResource": "handles.resource",
}
_ERRORS = (
    "RmsError TaskFailed CommandFailed ScriptRaised ScriptExited ScriptEdited TimedOut PlanFailed PlanStopped "
    "ContractError CycleError OverwriteError StaleInputError RegistrationError NotRecomputable NotComputedYet "
    "UntrustedContent UsageError StoreError CannotRecord RmsWarning"
).split()
_HOMES |= dict.fromkeys(_ERRORS, "errors")

__all__ = list(_HOMES)  # noqa: PLE0604, RUF100

if TYPE_CHECKING:
    from rms_jupyter.errors import CannotRecord as CannotRecord
    from rms_jupyter.errors import CommandFailed as CommandFailed
    from rms_jupyter.errors import ContractError as ContractError
    from rms_jupyter.errors import CycleError as CycleError
    from rms_jupyter.errors import NotComputedYet as NotComputedYet
    from rms_jupyter.errors import NotRecomputable as NotRecomputable
    from rms_jupyter.errors import OverwriteError as OverwriteError
    from rms_jupyter.errors import PlanFailed as PlanFailed
    from rms_jupyter.errors import PlanStopped as PlanStopped
    from rms_jupyter.errors import RegistrationError as RegistrationError
    from rms_jupyter.errors import RmsError as RmsError
    from rms_jupyter.errors import RmsWarning as RmsWarning
    from rms_jupyter.errors import ScriptEdited as ScriptEdited
    from rms_jupyter.errors import ScriptExited as ScriptExited
    from rms_jupyter.errors import ScriptRaised as ScriptRaised
    from rms_jupyter.errors import StaleInputError as StaleInputError
    from rms_jupyter.errors import StoreError as StoreError
    from rms_jupyter.errors import TaskFailed as TaskFailed
    from rms_jupyter.errors import TimedOut as TimedOut
    from rms_jupyter.errors import UntrustedContent as UntrustedContent
    from rms_jupyter.errors import UsageError as UsageError
    from rms_jupyter.fingerprint.annotations import In as In
    from rms_jupyter.fingerprint.annotations import Out as Out
    from rms_jupyter.fingerprint.values import digest_by as digest_by
    from rms_jupyter.flows.rules.naming import available_name as available_name
    from rms_jupyter.handles.resource import FileResource as FileResource
    from rms_jupyter.handles.resource import Resource as Resource
    from rms_jupyter.handles.unwrapped import plain as plain
    from rms_jupyter.handles.unwrapped import value as value
    from rms_jupyter.opening import current as current
    from rms_jupyter.opening import open as open
    from rms_jupyter.opening import pipe as pipe
    from rms_jupyter.opening import rule_factory as rule_factory
    from rms_jupyter.opening import template as template
    from rms_jupyter.results import done as done
    from rms_jupyter.results import info as info
    from rms_jupyter.results import table as table
    from rms_jupyter.search import where as where
    from rms_jupyter.session import Session as Session
    from rms_jupyter.session.copying import restore as restore


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        from difflib import get_close_matches

        near = [] if name.startswith("_") else get_close_matches(name, _HOMES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def load_ipython_extension(shell: Any) -> None:
    """Do what ``%load_ext rms_jupyter`` asks for."""
    from rms_jupyter.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Do what ``%unload_ext rms_jupyter`` asks for."""
    from rms_jupyter.extension import unload

    unload(shell)
