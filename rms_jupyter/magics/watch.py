"""``%rms watch [NAME]``: see what runs now, also after the tab was closed."""

from __future__ import annotations

from rms_jupyter import opening
from rms_jupyter.errors import RmsError
from rms_jupyter.magics.commands import Parser, parse
from rms_jupyter.magics.magic import RMSMagics
from rms_jupyter.panel.watcher import Watcher
from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Options of this sub-command."""
    parser = Parser("%rms watch")
    parser.add_argument("name", nargs="?", default="", metavar="NAME")
    return parser


def line(magics: RMSMagics, rest: str) -> Report | None:
    """Show the runs of this kernel; where there are none, what other kernels do."""
    name = parse(parser(), rest, magics.namespace).name
    session = opening.current()
    going = list(session.going_on().values())
    plans = [plan for plan in going if name in ("", plan.name)]
    for plan in plans:
        Watcher(session, plan).follow()
    if plans:
        return None
    if name:
        there = ", ".join(plan.name for plan in going)
        hint = f"there are: {there}" if there else "%rms watch shows what goes on in other kernels"
        raise RmsError(f"no run {name!r} goes on in this kernel", hint=hint)
    others = session.elsewhere()
    where = "other kernels work on this store; stop them there" if others else "nor in another kernel on this store"
    return Report(f"nothing runs in this kernel; {where}", others)
