"""What is a command, and what happens when it runs?

It is a text for bash, which finds what a call gives it in variables of the names that were declared. It can be sent to
workers, and be called by any pipe.
"""

from __future__ import annotations

import errno
import inspect
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, partial
from numbers import Number
from pathlib import Path
from typing import Any, NoReturn

from rms_jupyter.errors import RmsError, TimedOut
from rms_jupyter.fingerprint.binding import Binder
from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.fingerprint.trees import existing
from rms_jupyter.flows.shell.beside import FilesAround
from rms_jupyter.flows.shell.described import described
from rms_jupyter.flows.shell.environments import activated, begin_in
from rms_jupyter.flows.shell.outputs import OutputPaths
from rms_jupyter.flows.shell.words import is_flag, text_for_bash, words_for_bash
from rms_jupyter.run.task.touched import untouched
from rms_jupyter.run.workers.program import failed, run_program, showing
from rms_jupyter.working_folder import working_folder

_LAST_WORDS = 2000  # Bytes of what it said, for the message.
_STOPPED_READING = 141  # 128 and the number of SIGPIPE.
_NOT_FOUND = 127


class ShellCommand:
    """A command: it is called as a function is, with files and parameters by their names.

    Parameters
    ----------
    name, text : str
    inputs, parameters, outputs : mapping of str to object
        Names and defaults (`inspect.Parameter.empty` for none); those of outputs are paths or patterns.
    variables : sequence of str
        Variables of the environment that are on record.
    exit_codes : sequence of int
        Those that are no failure.
    prefix : str
        The folder of the environment that its programs are in; '' for the one it is called from.
    hidden : sequence of str
        Arguments that are secret.
    project : str
        The folder from which paths count.
    timeout : float
        Seconds that it may take; 0 for any.
    """

    def __init__(
        self,
        name: str,
        text: str,
        inputs: Mapping[str, Any],
        parameters: Mapping[str, Any],
        outputs: Mapping[str, Any],
        variables: Sequence[str],
        exit_codes: Sequence[int],
        prefix: str,
        hidden: Sequence[str],
        project: str,
        timeout: float = 0.0,
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = text
        self.text, self.exit_codes, self.variables = text, tuple(exit_codes), tuple(variables)
        self.prefix, self._project, self._timeout = prefix, project, timeout
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self.defaults = {**inputs, **parameters, **outputs}
        self._filling = OutputPaths(name, self.inputs, hidden, project)

    @property
    def __signature__(self) -> inspect.Signature:
        kind, empty = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
        ordered = sorted(self.defaults.items(), key=lambda item: item[1] is not empty)
        return inspect.Signature([inspect.Parameter(name, kind, default=default) for name, default in ordered])

    @cached_property
    def binder(self) -> FillingBinder:
        """Binds arguments, and fills in the paths of outputs that are not given."""
        return FillingBinder(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "binder"}

    def code_version(self, ignore: Collection[str] = ()) -> CodeVersion:
        """Describe what would run now, but for parts that are to be ignored."""
        names, folder = tuple(self.defaults), partial(_place_of_folder, self._project)
        return described(self.text, names, self.variables, self.exit_codes, self.prefix, ignore, folder)

    def filled(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return arguments with paths in place of patterns."""
        return self._filling.filled(arguments)

    def __call__(self, *args: Any, **kwargs: Any) -> str | None:
        """Run it; gives what it writes to stdout, if it has no outputs."""
        given = dict(zip(self.binder.names, self.binder.bind(*args, **kwargs), strict=True))
        with untouched():
            files = self._prepare(given)
            words, variables = words_for_bash(self.__name__, self.text, given, begin_in(self.prefix))
            environment = activated(dict(os.environ), self.prefix)
        said, taken = bytearray(), bytearray()
        show_out, show_err = showing("stdout"), showing("stderr")

        def take_err(data: bytes) -> None:
            said.extend(data)
            del said[:-_LAST_WORDS]
            show_err(data)

        code = self._run(words, {**environment, **variables}, show_out if self.outputs else taken.extend, take_err)
        show_out(b"", True)
        show_err(b"", True)
        if code not in self.exit_codes:
            self._fail(code, said or taken)
        if code:
            print(f"{self.__name__} ended with exit code {code}, which is allowed", file=sys.stderr)
        files.tell()
        return None if self.outputs else taken.decode("utf-8", "surrogateescape").rstrip("\n")

    def _prepare(self, given: dict[str, Any]) -> FilesAround:
        """Refuse what it cannot be given, spell paths as it can have them, and make way for what it writes."""
        for name, value in given.items():
            _refuse_unfit(name, value)
        for name in self.inputs:
            given[name] = _each(given[name], partial(self._readable, name))
        for name in self.outputs:
            if given[name] in (None, ""):
                raise RmsError(f"{name}: the path that {self.__name__} is to write to is empty", hint="give one")
            given[name] = _each(given[name], self._writable)
        known = {
            name: "" if isinstance(value, (list, tuple)) else text_for_bash(value) for name, value in given.items()
        }
        return FilesAround(self.text, known, _paths(given, self.inputs), _paths(given, self.outputs))

    def _run(self, words: Sequence[str], environment: Mapping[str, str], take_out: Any, take_err: Any) -> int:
        try:
            return run_program(words, environment, take_out, take_err, timeout=self._timeout)
        except TimeoutError:
            what = f"{self.__name__} took longer than its timeout of {self._timeout:g} s"
            raise TimedOut(what, hint=f"all that it said: %rms logs {self.__name__}") from None
        except FileNotFoundError:
            raise RmsError(f"{self.__name__} needs bash, which is not there", hint="install bash") from None
        except ValueError as error:
            what = "text that UTF-8 cannot hold" if isinstance(error, UnicodeError) else "text with a NUL in it"
            raise RmsError(f"{self.__name__} was given {what}", hint="no command can take it") from None
        except OSError as error:
            if error.errno != errno.E2BIG:
                raise
            hint = "write it to a file, and make that an input"
            raise RmsError(f"{self.__name__} was given more text than a command can take", hint=hint) from None

    def _readable(self, name: str, path: str) -> str:
        if existing(path) is None:
            raise RmsError(f"{name}: there is no file {path}", hint=f"give {self.__name__} a path that is there")
        return _not_an_option(path)

    def _writable(self, path: str) -> str:
        self._filling.clear(path)
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        return _not_an_option(path)

    def _fail(self, code: int, said: bytearray) -> NoReturn:
        last = said[-_LAST_WORDS:].decode("utf-8", "backslashreplace").strip().rpartition("\n")[2]
        hint = f"all that it said: %rms logs {self.__name__}"
        if code > 0:
            hint += f"; if {code} is no failure: --ok 0 {code}"
        if code == _STOPPED_READING:
            hint = f"a program ended before it had read everything, as head does; if it may: --ok 0 {code}"
        elif code == _NOT_FOUND:
            hint = "install the program, or name the environment that has it: --env"
        raise failed(self.__name__, code, last, hint)


class FillingBinder(Binder):
    """Binds the arguments of a command, and fills in the paths of its outputs."""

    def __init__(self, command: ShellCommand) -> None:
        super().__init__(command)
        bind = self.bind

        def bind_and_fill(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
            return tuple(command.filled(dict(zip(self.names, bind(*args, **kwargs), strict=True))).values())

        self.bind = bind_and_fill


def _refuse_unfit(name: str, value: Any) -> None:
    """Refuse what cannot be written as one text, or as several."""
    is_list = isinstance(value, (list, tuple))
    for item in value if is_list else [value]:
        if item is not None and not isinstance(item, (str, os.PathLike, Number)) and not is_flag(item):
            raise RmsError(
                f"{name} {'holds' if is_list else 'is'} a {type(item).__name__}, which a command cannot take",
                hint="give text, a number, a path, True, False or None, or a list of them",
            )


def _place_of_folder(project: str) -> str:
    folder = working_folder()
    return os.path.relpath(folder, project) if Path(folder).is_relative_to(project) else folder


def _each(value: Any, do: Callable[[str], Any]) -> Any:
    """Do something to a path, or to each of several."""
    if isinstance(value, (list, tuple)):
        return [_each(item, do) for item in value]
    return do(os.fspath(value)) if isinstance(value, (str, os.PathLike)) else value


def _not_an_option(path: str) -> str:
    """Spell a path so that no program takes it for an option."""
    return os.path.join(os.curdir, path) if path.startswith("-") else path


def _paths(given: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        _each(given[name], found.append)
    return found
