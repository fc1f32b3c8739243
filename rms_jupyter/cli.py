"""What does ``rms`` do in a terminal?  The verbs of ``%rms``, on the nearest store, without a notebook.

The store is the nearest ``.rms`` upward from the working directory, or that of ``--store``. What is asked for goes to
stdout, all else to stderr. Exit codes: 0; 1 where a verb refuses or something is found damaged, with the reason in one
line; 2 where it is not typed as it should be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rms_jupyter.commands.listing import Listing
from rms_jupyter.commands.parser import Parser, in_terminal
from rms_jupyter.commands.table import Command, verb_named, verbs
from rms_jupyter.errors import RmsError, StoreError, UsageError
from rms_jupyter.harmless import one_line
from rms_jupyter.version import __version__
from rms_jupyter.working_folder import working_folder

if TYPE_CHECKING:
    from rms_jupyter.session import Session


def main(words: Sequence[str] | None = None) -> int:
    """Run a verb, and return the exit code.

    Parameters
    ----------
    words : sequence of str, optional
        What is typed behind ``rms``.

    Examples
    --------
    >>> main(["--version"])
    rms ...
    0
    """
    if sys.stdout is None:  # It was closed (``>&-``).
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # Names of files need not be text.
    try:
        _do(list(sys.argv[1:] if words is None else words))
        sys.stdout.flush()
    except UsageError as error:
        return _refuse(error, 2)
    except RmsError as error:
        return _refuse(error, 1)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # Whoever reads it has read enough.
            what = error.filename or "the answer cannot be written"
            return _refuse(RmsError(f"{what}: {error.strerror or error}", hint=""), 1)
    return 0


def _do(words: list[str]) -> None:
    place = _place_of_verb(words)
    if place >= len(words):
        print(f"rms {__version__}" if words == ["--version"] else _overview(words))
        return
    if words[place] == "help":
        words = [*words[:place], *words[place + 1 :], "--help"]
        if words[place] == "--help":
            print(_overview([]))
            return
    parser, verb = verb_named(words[place], "rms")
    words = words[:place] + words[place + 1 :]
    _add_common(parser)
    if parser.asks_for_help(words):
        print(parser.help_text())
        return
    parser.set_defaults(sql_as="duckdb")
    options = parser.read(words)
    if parser.verb == "completion":
        print(completion_script(options.shell))
        return
    if options.json and options.csv:
        parser.error("--json and --csv are two forms of one answer, choose one")
    _run(parser, cast(Command, verb), options)


def _run(parser: Parser, verb: Command, options: argparse.Namespace) -> None:
    from rms_jupyter import opening, terminal

    def front_end() -> terminal.Terminal:
        return terminal.Terminal(_tell)

    opening.front_ends.append(front_end)
    session = None
    try:
        session = _opened(options.store) if parser.needs_session else None
        answer = verb.command(session, options, {})
        if parser.verb == "open":
            session = opening.current()
            answer = cast(Command, verbs("rms")["status"]).command(session, options, {})
        write = terminal.write_json if options.json else terminal.write_csv if options.csv else terminal.write
        write(answer)
        if not getattr(answer, "is_sound", True):
            raise RmsError(answer.headline, hint="the list is on stdout")
        for problem in session.problems if session is not None else ():
            _tell(problem)
    finally:
        opening.front_ends.remove(front_end)
        if session is not None:
            session.close()


def _overview(words: Sequence[str]) -> str:
    usage = "usage: rms VERB [--store PATH] [--json | --csv] ..."
    if words not in ([], ["-h"], ["--help"]):
        raise UsageError("the verb is missing", hint=usage)
    return f"{usage}\n\n{Listing('rms')}"


def _place_of_verb(words: Sequence[str]) -> int:
    """Find the first word that is neither an option nor the path of a store."""
    place = 0
    while place < len(words) and words[place].startswith("-"):
        place += 2 if words[place] == "--store" else 1
    return place


def _add_common(parser: Parser) -> None:
    """Take the options that all verbs have in a terminal."""
    parser.takes("-h", "--help", action="store_true", help="show this text")
    if parser.verb == "completion":
        return
    parser.takes("--json", action="store_true", help="write the answer as JSON")
    parser.takes("--csv", action="store_true", help="write a table as CSV")
    if parser.needs_session:
        parser.takes(
            "--store",
            metavar="PATH",
            completes="path",
            help="the store, or the folder that holds it; else the nearest .rms upward from here",
        )


def _opened(path: str | None) -> Session:
    from rms_jupyter import opening
    from rms_jupyter.store.layout import DEFAULT_NAME, nearest

    store = nearest(Path(working_folder())) if path is None else Path(os.path.abspath(path))
    if not _is_store(store) and _is_store(store / DEFAULT_NAME):
        store /= DEFAULT_NAME
    if not _is_store(store):
        where = "here, nor in a folder above" if path is None else f"at {path}"
        raise StoreError(f"there is no store {where}", hint="rms open PATH makes one; --store PATH names one")
    return opening.open(store, read_only=not os.access(store, os.W_OK))


def _is_store(path: Path) -> bool:
    return (path / "store.json").exists()


def _refuse(error: RmsError, code: int) -> int:
    _tell(f"{error.message} → {error.hint}" if error.hint else error.message)
    return code


def _tell(text: str) -> None:
    line = in_terminal(one_line(text, 2000))
    print(line if line.startswith("rms ") else f"rms: {line}", file=sys.stderr)


def completion_script(shell: str) -> str:
    """Return what a shell needs to complete ``rms`` with Tab.

    Raises
    ------
    UsageError
        If the shell is not known.
    """
    import shtab

    top = argparse.ArgumentParser(prog="rms", description="Ask and tend a store of results.")
    found = top.add_subparsers()
    for name in verbs("rms"):
        parser = verb_named(name, "rms").parser
        _add_common(parser)
        for action in parser.places_of_paths():
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        found.add_parser(name, parents=[parser], add_help=False, help=parser.summary)
    script: str = shtab.complete(top, shell)
    return script
