"""How is a rule written in a cell?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import CellParser, Parser

if TYPE_CHECKING:
    from rms_jupyter.service.rule import Rule
    from rms_jupyter.session import Session
    from rms_jupyter.views.results import Report


def parser() -> Parser:
    """Return how it is typed."""
    parser = CellParser(
        "rule",
        "Do something with files as they arrive. The cell says what in YAML, with the options of s.rule as keys.",
        example="frames",
        signs=("%%rms",),
    )
    parser.takes("name", metavar="NAME", help="what the rule is called, and the variable that holds it")
    parser.flag("-n", "--dry-run", help="only list the calls that the files which are there now make")
    return parser


def command(session: Session, options: argparse.Namespace, namespace: MutableMapping[str, Any]) -> Report | None:
    """Make the rule and begin it; or list what it would do."""
    from rms_jupyter.views.results import Report

    rule = rule_of(session, options.name, options.below, namespace)
    if options.dry_run:
        calls = rule.matches()
        return Report(f"{len(calls):,} call{'s' * (len(calls) != 1)} now, nothing was run", calls)
    if options.name.isidentifier():
        namespace[options.name] = rule
    rule.start()
    return None


def rule_of(session: Session, name: str, text: str, namespace: Mapping[str, Any], **usual: Any) -> Rule:
    """Make the rule that a text declares; what it leaves out is as in `usual`.

    Raises
    ------
    RmsError
        If something is not right; the message names its line.
    """
    from rms_jupyter.flows.rules.declaring import WrongOption
    from rms_jupyter.flows.rules.text import RuleText

    declared = RuleText(text)
    try:
        return session.rule(name, **usual | declared.resolved(namespace))
    except WrongOption as error:
        raise declared.placed(error) from None
