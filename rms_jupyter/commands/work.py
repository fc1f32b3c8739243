"""How is what waits in the queue run, and what do rules do meanwhile?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import Parser
from rms_jupyter.commands.rule import rule_of
from rms_jupyter.errors import RmsError
from rms_jupyter.store.full import reason
from rms_jupyter.working_folder import working_folder

if TYPE_CHECKING:
    from rms_jupyter.service.rule import Rule
    from rms_jupyter.session import Session


def parser() -> Parser:
    """Return how it is typed."""
    parser = Parser(
        "work",
        "Run what is in the queue, each entry once, beside as many others as there are that do so; and what rules say "
        "that were written into files.",
        example="-j 4 --until-empty",
    )
    parser.takes(
        "rules",
        nargs="*",
        metavar="RULE.yaml",
        completes="path",
        help="a rule as %%rms rule has it; it is called as the file is, and do names a function: module.function",
    )
    parser.takes("-j", "--jobs", type=int, metavar="N", help="how many run at once; one a core if it is left out")
    parser.flag(
        "--until-empty",
        help="end when nothing waits or runs any more, and the files that are there are done; else, Ctrl-C (or Stop) "
        "ends it",
    )
    return parser


def command(session: Session, options: argparse.Namespace, namespace: Mapping[str, Any]) -> str:
    """Run it."""
    with _importing_from_here():
        rules = [_rule_in(Path(path), session, options.jobs, namespace) for path in options.rules]
        try:
            for rule in rules:
                rule.start()
            count = session.work(options.jobs, not options.until_empty, session.say_ended)
            for rule in rules:
                rule.declare_complete()
                rule.join()
        finally:
            for rule in rules:
                rule.stop()
    stands = [repr(rule.status()) for rule in rules]
    return "\n".join([*stands, f"{count:,} ended here"] if count or not stands else stands)


def _rule_in(path: Path, session: Session, jobs: int | None, namespace: Mapping[str, Any]) -> Rule:
    """Make the rule that a file holds."""
    try:
        return rule_of(session, path.stem, path.read_text("utf-8"), namespace, n_jobs=jobs)
    except (OSError, ValueError) as error:
        raise RmsError(f"the rule {path} cannot be read: {reason(error)}", hint="name a file of YAML") from None
    except RmsError as error:
        raise RmsError(f"{path}: {error.message}", hint=error.hint) from None


@contextmanager
def _importing_from_here() -> Iterator[None]:
    """Let modules be imported from the working folder, as a script there may."""
    here = working_folder()
    is_there = here in sys.path or "" in sys.path
    sys.path[:0] = [] if is_there else [here]
    try:
        yield
    finally:
        if not is_there:
            sys.path.remove(here)
