"""How does a cell of bash become a pipe?"""

from __future__ import annotations

import argparse
import ast
import inspect
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.commands.parser import CellParser, Parser, expand
from rms_jupyter.commands.pipe import add_options_of_tasks
from rms_jupyter.errors import RmsError, UsageError
from rms_jupyter.model import Contract

if TYPE_CHECKING:
    from rms_jupyter.session import Session

_OPEN = inspect.Parameter.empty
_OF_THE_CALL = ("stem", "name", "parent", "call")
_DECLARED = ("name", "outputs")
_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)\}")


class BashParser(CellParser):
    """Reads the first line and the command below it, and leaves ``{name}`` as it is typed."""

    def read_line(self, line: str, namespace: Mapping[str, Any]) -> argparse.Namespace:
        """Read the options, and the command below them."""
        return super().read_line(line, _AsTyped())

    def declares(self, *names: str, dest: str, metavar: str, help: str) -> None:
        """Take names, each behind an option of its own."""
        self.takes(*names, dest=dest, action="append", default=[], metavar=metavar, help=help)


class _AsTyped(dict[str, str]):
    """Has ``{name}`` for each name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def parser() -> Parser:
    """Return how it is typed."""
    parser = BashParser(
        "bash",
        "Make the cell a command that is a pipe. Bash finds what is declared in variables. If all has a value, "
        "it runs.",
        example="align -i reads=r_1.fq -p k=15 -o sam={stem}.sam",
        signs=("%%rms", "rms"),
    )
    parser.takes("name", metavar="NAME", help="what it is called; in a notebook the variable that holds it, too")
    parser.declares("-i", "--input", dest="inputs", metavar="NAME[=PATH]", help="a file or folder that it reads")
    parser.declares(
        "-o",
        "--output",
        dest="outputs",
        metavar="NAME[=PATH]",
        help="one that it writes; in its path {k} is an argument, {stem} the first input's, {call} another each call",
    )
    parser.declares("-p", "--parameter", dest="parameters", metavar="NAME[=VALUE]", help="whatever else it is given")
    parser.declares("--variable", dest="variables", metavar="NAME", help="a variable of the environment to be recorded")
    parser.takes(
        "--env",
        default="",
        metavar="ENVIRONMENT",
        completes="path",
        help="where its programs are: a name of conda's or micromamba's, or a folder of theirs or of a venv",
    )
    parser.takes("--ok", nargs="+", type=int, default=[0], metavar="CODE", help="exit codes that are no failure")
    parser.takes("-c", "--command", metavar="TEXT", help="the command, instead of the cell below it, or of stdin")
    add_options_of_tasks(parser)
    return parser


def command(session: Session, options: argparse.Namespace, namespace: MutableMapping[str, Any]) -> Any:
    """Define the pipe; if all has a value, call it, and bind its outputs."""
    given = {name: value for name, value in vars(options).items() if value not in (None, False, [])}
    inputs = {name: _value(text, namespace) for name, text in map(_split, options.inputs)}
    parameters = {name: _value(text, namespace) for name, text in map(_split, options.parameters)}
    own = {name: f"{{{name}}}" for name in (*inputs, *parameters, *_OF_THE_CALL)}
    outputs = {name: _path(text, {**namespace, **own}) for name, text in map(_split, options.outputs)}
    pipe = session.shell(
        options.name,
        _text_of(options),
        inputs=inputs,
        outputs=outputs,
        parameters=parameters,
        variables=options.variables,
        exit_codes=options.ok,
        env=expand(options.env, namespace),
        **{name: given[name] for name in Contract.__struct_fields__ if name in given and name not in _DECLARED},
    )
    namespace[options.name] = pipe
    if _OPEN in (*inputs.values(), *parameters.values()):
        if not hasattr(options, "below"):
            raise RmsError(f"{options.name}: not all has a value", hint="write -i NAME=PATH and -p NAME=VALUE")
        return None
    made = pipe()
    if not outputs:
        return made
    files = made if isinstance(made, tuple) else (made,)
    namespace.update(zip(outputs, files, strict=True))
    return None if hasattr(options, "below") else "\n".join(map(os.fspath, files))


def _split(declared: str) -> tuple[str, str | None]:
    """Split NAME=VALUE; a name alone has no value."""
    name, equals, text = declared.partition("=")
    return name, text if equals else None


def _value(text: str | None, namespace: Mapping[str, Any]) -> Any:
    """Return a value: a variable itself, a number that is written as Python writes it, or text."""
    if text is None:
        return _OPEN
    if (variable := _VARIABLE.fullmatch(text)) and variable[1] in namespace:
        return namespace[variable[1]]
    text = expand(text, namespace)
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return value if isinstance(value, (int, float)) and str(value) == text else text


def _path(text: str | None, names: Mapping[str, Any]) -> Any:
    return _OPEN if text is None else expand(text, names)


def _text_of(options: argparse.Namespace) -> str:
    """Return the command: of an option, of the cell below, or in a terminal what comes in."""
    if options.command is not None:
        return str(options.command)
    text: str = options.below if hasattr(options, "below") else sys.stdin.read()
    if not text.strip():
        raise UsageError(f"{options.name}: the command is missing", hint="write it below the line, or behind -c")
    return text
