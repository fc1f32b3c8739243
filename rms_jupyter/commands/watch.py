"""What runs now, runs and rules, here and in other kernels on this store?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser("watch", "Show what runs now, here or in other kernels on this store.")
    parser.takes(
        "name", nargs="*", default=[], metavar="NAME", only_in_notebooks=True, help="a run in the background, or a rule"
    )
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> Report | None:
    """Show the runs of this process; where there are none, what others do."""
    from rms_jupyter.views.results import Report

    name = " ".join(options.name)
    going = list(session.going_on().values())
    plans = [plan for plan in going if not name or plan.is_named(name)]
    for plan in plans:
        session.front_end.watch(session, plan)
    rules = [rule for rule in session.rules() if name in ("", rule.name)]
    for rule in rules:
        rule.watch()
    if plans or rules:
        return None
    if name:
        there = ", ".join([*(plan.name for plan in going), *(rule.name for rule in session.rules())])
        hint = f"there are: {there}" if there else "%rms watch shows what goes on in other kernels"
        raise RmsError(f"no run {name!r} goes on in this kernel", hint=hint)
    others = session.elsewhere()
    where = "other kernels work on this store; stop them there" if others else "nor in another kernel on this store"
    return Report(f"nothing runs {session.front_end.here}; {where}", others)
