"""How does a run stand that a page shows as going on?  The page may have been closed when it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from rms_jupyter.errors import RmsError
from rms_jupyter.panel.running import state_of
from rms_jupyter.panel.twin import GOING
from rms_jupyter.views.display import Bundle

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_MOST = 100
_ended: dict[tuple[str, str], Bundle] = {}


class RunShown(Struct, frozen=True):
    """What is to be shown of a run: how far it is, or what it has come to."""

    shown: dict[str, Any]


def keep(store: str, run: str, bundle: Bundle) -> None:
    """Remember what a run of this kernel has come to; the last ones are remembered."""
    _ended[store, run] = bundle
    for oldest in list(_ended)[:-_MOST]:
        del _ended[oldest]


def answer(session: Session, question: dict[str, Any]) -> RunShown:
    """Say how a run of this kernel stands."""
    store, run = str(session.path), str(question["run"])
    for plan in session.going_on().values():
        if str(plan.run_id) == run:
            return RunShown({GOING: msgspec.to_builtins(state_of(plan, store))})
    if (store, run) not in _ended:
        raise RmsError("this kernel has not run it", hint="%rms runs")
    return RunShown(_ended[store, run])
