"""Which verbs are there, grouped by what one wants to do, and which one is meant by a name?"""

from __future__ import annotations

import argparse
import difflib
import functools
from typing import Any, NamedTuple, Protocol

from rms_jupyter.commands import (
    accept,
    autoload,
    backup,
    bash,
    cell,
    check,
    completion,
    delete,
    diff,
    export,
    figures,
    files,
    find,
    flow,
    functions,
    gc,
    lineage,
    logs,
    mark,
    new,
    off,
    on,
    open,
    panel,
    pipe,
    pipes,
    pull,
    push,
    queue,
    rerun,
    restore,
    results,
    rule,
    rules,
    run,
    run_tracked,
    runs,
    show,
    sql,
    status,
    stop,
    tasks,
    templates,
    track,
    tracked,
    trust,
    watch,
    why,
    work,
)
from rms_jupyter.commands.parser import Parser, Sign
from rms_jupyter.errors import UsageError


class Verb(Protocol):
    """A module that says how it is typed; cells with Python in them are rewritten, others have a command, too."""

    def parser(self) -> Parser:
        """Return how it is typed."""


class Command(Verb, Protocol):
    """A module that does something with a session."""

    def command(self, session: Any, options: argparse.Namespace, namespace: Any) -> Any:
        """Do it, and return what is to be shown."""


INTENTS: dict[str, tuple[Verb, ...]] = {
    "Begin": (open, status, panel, new),
    "Make pipes and run": (functions, pipe, run, cell, bash, flow, rule, rerun, watch, stop, off, on),
    "Track scripts": (track, tracked, run_tracked, queue, work),
    "Search": (find, results, tasks, files, figures, pipes, runs, templates, rules, sql),
    "Inspect": (show, lineage, why, diff, logs),
    "Mark": (mark, accept),
    "Keep": (check, delete, gc, backup, restore),
    "Share": (push, pull, trust, export),
    "Type less": (autoload, completion),
}


class Typed(NamedTuple):
    """A verb, and how it is typed."""

    parser: Parser
    verb: Verb


@functools.cache
def verbs(sign: Sign) -> dict[str, Verb]:
    """Return the verbs that are typed behind a sign, by their names."""
    return {
        parser.verb: verb for group in INTENTS.values() for verb in group if sign in (parser := verb.parser()).signs
    }


def verb_named(name: str, sign: Sign) -> Typed:
    """Find a verb.

    Raises
    ------
    UsageError
        If there is none, with the nearest name.
    """
    known = verbs(sign)
    if name in known:
        parser = known[name].parser()
        parser.typed_behind(sign)
        return Typed(parser, known[name])
    raise UsageError(f"{sign} has no sub-command {name!r}", hint=_nearest(name, sign))


def _nearest(name: str, sign: Sign) -> str:
    if sign == "rms" and name in {**verbs("%rms"), **verbs("%%rms")}:
        return "it is for notebooks; rms --help lists the others"
    if sign == "%rms" and name in verbs("%%rms"):
        return f"type %%rms {name} in the first line of a cell"
    if sign == "%%rms" and name in verbs("%rms"):
        return f"type %rms {name}"
    if near := difflib.get_close_matches(name, verbs(sign), 1):
        return f"did you mean {sign} {near[0]}?"
    if fitting := [f"{sign} {verb.parser().verb} --{name}" for verb in verbs(sign).values() if _has_option(verb, name)]:
        return f"type {' or '.join(fitting)}"
    return f"there are: {', '.join(filter(None, verbs(sign)))}"


def _has_option(verb: Verb, name: str) -> bool:
    return f"--{name}" in verb.parser().options()
