"""How do commands become pipes?"""

from __future__ import annotations

import inspect
import keyword
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike, fspath
from typing import Any

from rms_jupyter.errors import RegistrationError
from rms_jupyter.flows.shell.body import ShellBody
from rms_jupyter.flows.shell.command import ShellCommand
from rms_jupyter.flows.shell.environments import prefix_of
from rms_jupyter.flows.shell.outputs import MANAGED, PathPattern, managed_folder
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.run.call.definition import Definition, contract_of
from rms_jupyter.session.calling import Calling
from rms_jupyter.session.core import Core

Names = Iterable[str] | Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_THE_SHELL = re.compile(
    r"_|BASH\w*|LD_\w+|PYTHON\w+|I?FS|ENV|E?UID|PPID|SHELL\w*|(OLD)?PWD|PATH|HOME|TMPDIR|S?RANDOM"
)


class Commanding:
    """Commands."""

    def __init__(self, core: Core, calling: Calling) -> None:
        self._core, self._store, self._calling = core, core.store, calling

    def shell(
        self,
        /,
        name: str,
        command: str,
        *,
        inputs: Names = (),
        outputs: Names = (),
        parameters: Names = (),
        variables: Sequence[str] = (),
        exit_codes: Sequence[int] | int = (0,),
        env: str | PathLike[str] = "",
        **options: Any,
    ) -> Pipe[Any]:
        """Make a command a pipe: a text for bash, to which each call gives files and parameters as variables.

        The pipe takes the inputs, then the parameters, then the outputs as arguments, and gives the files that it has
        written; without outputs, what it writes to stdout, as ``$(command)`` does. A list becomes an array
        (``"${reads[@]}"``); True is ``1``, False and None are empty (``${local:+--local}``).

        It fails where any program of it fails, also within a pipe, or a variable is not set (``set -euo pipefail``). It
        runs again when a file, a parameter, its text, or a program or variable of the environment named there has
        changed.

        Parameters
        ----------
        name : str
        command : str
            Names written as ``"$reads"`` are variables; nothing is ever pasted into the text.
        inputs : list of str, or mapping of str to path
            Names of files and folders that it reads; with paths, those are defaults.
        outputs : list of str, or mapping of str to path
            Names of files and folders that it writes. A path may have names of arguments in it (``"{stem}_{k}.bam"``),
            ``{stem}``, ``{name}`` and ``{parent}`` of the first input, and ``{call}``, which differs for each call.
            Without one, it is ``outputs/NAME/{call}/OUTPUT`` in the project.
        parameters : list of str, or mapping of str to object
            Names of all else that it is given, and defaults.
        variables : sequence of str
            Variables of the environment that are to be on record. Others that the text names count, but are not written
            down.
        exit_codes : sequence of int, or int
            Those that are no failure.
        env : str or path-like
            The environment that its programs are in: a name of conda's or micromamba's, or the folder of one or of a
            venv. It is activated, and its list of packages is recorded: a change of that is a change of the command.
        **options
            Those of `register_pipe`: ``cores, memory, timeout, retries, ...``

        Raises
        ------
        RegistrationError
            If it cannot be a pipe; the message says why.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> shout = s.shell("shout", 'printf %s "$word" | tr a-z A-Z', parameters=["word"])
        >>> shout("it's"), rms.info(shout("it's")).task.hit
        ("IT'S", True)
        >>> s.close()
        """
        read, given, written = _named(inputs), _named(parameters), _named(outputs)
        _refuse_unfit(name, [*read, *given, *written])
        project = self._store.project.folder
        paths = {output: _path(output, path, name, project) for output, path in written.items()}
        for output, path in paths.items():
            path.refuse_unknown(output, [*read, *given])
        # A path of ours is the same for what is the same call, spelled in whatever way.
        ours = bool(written) and all(path is inspect.Parameter.empty for path in written.values())
        contract = contract_of({"outputs": tuple(written), "overwrite": ours, **options})
        _refuse_odd(name, command, exit_codes)
        text = textwrap.dedent(command).strip("\n")
        prefix = prefix_of(fspath(env)) if env else ""
        codes = [exit_codes] if isinstance(exit_codes, int) else exit_codes
        made = ShellCommand(
            name, text, read, given, paths, variables, codes, prefix, contract.secret, project, contract.timeout
        )
        pipe: Pipe[Any] = Pipe(Definition(ShellBody(made), contract), lambda: self._core.as_host)
        self._calling.define(pipe)
        return pipe


def _named(names: Names) -> dict[str, Any]:
    """Names and their defaults; a name alone has none."""
    if isinstance(names, str):
        names = [names]
    return dict(names) if isinstance(names, Mapping) else dict.fromkeys(names, inspect.Parameter.empty)


def _path(output: str, path: Any, command: str, project: str) -> PathPattern:
    if path is inspect.Parameter.empty:
        return PathPattern(MANAGED + output, managed_folder(command, project))
    if not isinstance(path, (str, PathLike)):
        raise RegistrationError(f"{output}={path!r} is not a path", hint="give text, or leave it out")
    return PathPattern(fspath(path))


def _refuse_odd(name: str, command: object, exit_codes: object) -> None:
    """Refuse what is no command, and what are no exit codes."""
    if not isinstance(command, str):
        raise RegistrationError(f"{name}: the command is a {type(command).__name__}", hint="give it as text")
    try:
        command.encode("utf-8", "surrogateescape")
    except UnicodeError:
        raise RegistrationError(
            f"{name}: the command has signs that UTF-8 cannot hold", hint="leave them out"
        ) from None
    codes = [exit_codes] if isinstance(exit_codes, int) else exit_codes
    if isinstance(codes, str) or not isinstance(codes, Iterable) or not all(isinstance(code, int) for code in codes):
        raise RegistrationError(f"{name}: exit_codes={exit_codes!r} are not numbers", hint="write exit_codes=[0, 1]")


def _refuse_unfit(command: str, names: Sequence[str]) -> None:
    """Refuse names that bash or Python cannot have, or that mean something to bash already."""
    for number, name in enumerate(names):
        if not _NAME.fullmatch(name) or keyword.iskeyword(name):
            raise RegistrationError(
                f"{command}: {name!r} is not a valid name", hint="use letters without accents, digits and underscores"
            )
        if _OF_THE_SHELL.fullmatch(name):
            raise RegistrationError(f"{command}: {name} means something to bash", hint="choose another name")
        if name in names[:number]:
            raise RegistrationError(f"{command}: {name} is declared twice", hint="choose another name for one of them")
