"""Which sub-commands are there, and how are their lines parsed?"""

from __future__ import annotations

import argparse
import difflib
import importlib
import re
import shlex
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NoReturn

from rms_jupyter.errors import RmsError

LINE = {
    "open": "open a store: [PATH] [--read-only] [--budget 20GB]",
    "status": "what is in the store, and what this notebook has open",
    "tasks": "search tasks: [WORDS...] [--failed] [--pipe NAME]",
    "files": "search files: [WORDS...] [--overwritten]",
    "pipes": "the pipes on record: [WORDS...]",
    "runs": "the runs on record: [WORDS...]",
    "figures": "figures that calls gave or wrote: [WORDS...]",
    "logs": "what a task prints or printed, and where it failed: WHAT | --failed | --running",
    "sql": "ask in SQL: [NAME <<] [--as pandas|polars|arrow|duckdb] SELECT ...",
    "lineage": "what something was made from, and what from it: WHAT [--up] [--down] [--depth N] [--params]",
    "why": "why something ran, and whether it would run again: WHAT",
    "show": "all that is known of something: WHAT",
    "diff": "what differs between two results: A B",
    "mark": "say what you think of it: WHAT... [--deprecated | --current] [--pin | --unpin] [--tag T] [--note TEXT]",
    "accept": "the last change of a pipe's code does not matter, old results count: [PIPE] [--undo]",
    "rerun": "run it again: WHAT [--replace OLD=NEW] [--debug]",
    "check": "is what is on record still there, as it was: [--full] [--repair] [--verify 5%]",
    "delete": "delete a task or resource with its content: WHAT [--with-dependants] [-n]",
    "gc": "make the store smaller: [--budget 20GB] [--older 30d] [--pipe NAME] [--compact] [-n]",
    "export": "what made something, for elsewhere: WHAT|--all [--format F] [DEST] [--overwrite] [--no-files]",
    "push": "bring a copy up to date, for others: [ADDRESS], a folder, ssh://host/folder or s3://bucket/folder",
    "pull": "take in what others have pushed, their results are hits then: [ADDRESS] [--content]",
    "backup": "keep the store and the files of the project in another place: DEST [--only key|record] [--verify]",
    "restore": "make a store from a backup where nothing is: SRC [STORE]",
    "watch": "see what runs now, here or in other kernels on this store: [NAME]",
    "panel": "look through runs, tasks, files, figures and failures",
    "stop": "end what runs in the background: [NAME]",
    "trust": "let all be read in a store that was made elsewhere, which can run anything",
    "off": "pipes run as plain functions, nothing is looked up or recorded",
    "on": "pipes are answered from the store and recorded again",
}
CELL = {
    "": "each top-level function of the cell becomes a pipe: [options as those of pipe]",
    "pipe": "only these functions become pipes: NAME... [--outputs A B] [--ignore A] [--returns resource]",
    "run": "the cell's calls run together: [-j N] [--on EXECUTOR] [--background] [--accept PIPE] [-n]",
    "cell": "the cell itself is a pipe: [NAME] [-i a,b] [-o c]",
    "sql": LINE["sql"],
}
PYTHON_CELLS = ("", "pipe", "run", "cell")


class Parser(argparse.ArgumentParser):
    """Parses the options of a sub-command; says what is wrong in one short message."""

    def __init__(self, command: str) -> None:
        super().__init__(prog=command, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse a line."""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise RmsError(f"{self.prog}: {message}", hint=f"usage: {usage}")

    def options(self) -> list[str]:
        """All options, for completion."""
        return [text for action in self._actions for text in action.option_strings]


def module_of(name: str, cell: bool) -> ModuleType:
    """Find the module of a sub-command.

    Raises
    ------
    RmsError
        If there is none, with the nearest name.
    """
    known = CELL if cell else LINE
    if name not in known:
        sign = "%%rms" if cell else "%rms"
        near = difflib.get_close_matches(name, list(known), 1)
        hint = f"did you mean {sign} {near[0]}?" if near else f"there are: {', '.join(filter(None, known))}"
        raise RmsError(f"{sign} has no sub-command {name!r}", hint=hint)
    return importlib.import_module(f"rms_jupyter.magics.{'cell_' if name == 'cell' else name or 'pipe'}")


def split_command(line: str) -> tuple[str, str]:
    """Split a line into the sub-command and the rest."""
    name, _, rest = line.strip().partition(" ")
    return name, rest.strip()


def parse(parser: Parser, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
    """Parse a line; ``{name}`` stands for a variable of the notebook.

    Raises
    ------
    RmsError
        If the line does not fit, or a name is unknown.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise RmsError(f"{parser.prog}: {error}", hint="close the quotes") from None
    return parser.parse_intermixed_args([expand(word, namespace) for word in words])


def expand(word: str, namespace: Mapping[str, Any]) -> str:
    """Put the values of variables in place of ``{name}``.

    Examples
    --------
    >>> expand("out/{sample}.bam", {"sample": "s_1"})
    'out/s_1.bam'
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in namespace:
            raise RmsError(f"{{{name}}}: there is no variable {name}", hint="define it, or write the value itself")
        return str(namespace[name])

    return re.sub(r"\{([A-Za-z_]\w*)\}", value, word)
