"""What is a command as the body of a pipe?"""

from __future__ import annotations

import inspect
import os
import textwrap
from typing import Any

from rms_jupyter.fingerprint.code import CodeVersion
from rms_jupyter.flows.shell.command import FillingBinder, ShellCommand
from rms_jupyter.flows.shell.environments import activated, begin_in
from rms_jupyter.flows.shell.outputs import OUTPUTS
from rms_jupyter.flows.shell.words import is_flag, text_for_bash, words_for_bash
from rms_jupyter.kept.code import Reads
from rms_jupyter.model import Piece, ResourceRecord
from rms_jupyter.run.call.body import Body

_STDOUT = r'done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")'


class ShellBody(Body):
    """A command.

    Parameters
    ----------
    command : ShellCommand
    """

    def __init__(self, command: ShellCommand) -> None:
        self.function, self.name, self._command = command, command.__name__, command

    @property
    def binder(self) -> FillingBinder:
        """Binds arguments, and fills in the paths of outputs that are not given."""
        return self._command.binder

    def describe(self, ignore: tuple[str, ...]) -> CodeVersion:
        """Describe the command and the programs that it names, but for those to be ignored."""
        return self._command.code_version(ignore)

    def says_nothing(self, value: ResourceRecord) -> bool:
        """Whether it has written nothing: then nobody can know what it has done."""
        return value.kind == "value" and (value.type == "NoneType" or value.value == "")

    def pieces(self, name: str, reads: Reads) -> dict[str, Piece]:
        """Return a function that runs the command, for scripts that run without this package."""
        names = {module: {"import": module} for module in ("os", "subprocess")}
        called = _piece("words_for_bash") | _piece("activated")
        return {
            name: Piece("function", _as_function(name, self._command), names | called),
            "activated": Piece("function", inspect.getsource(activated), {"os": names["os"]}),
            "words_for_bash": Piece("function", inspect.getsource(words_for_bash), _piece("text_for_bash")),
            "text_for_bash": Piece("function", inspect.getsource(text_for_bash), _piece("is_flag")),
            "is_flag": Piece("function", inspect.getsource(is_flag)),
        }


def _piece(label: str) -> dict[str, dict[str, Any]]:
    return {label: {"piece": label}}


def _as_function(name: str, command: ShellCommand) -> str:
    """Write a function that does what a command does."""
    parameters = ", ".join(command.binder.names)
    given = ", ".join(f"{label!r}: {label}" for label in command.binder.names)
    outputs = ", ".join(command.outputs)
    ours = f"{os.sep}{OUTPUTS}{os.sep}{command.__name__}{os.sep}"  # There lies what an earlier run has left.
    stdout, value = ("None", "None") if outputs else ("subprocess.PIPE", _STDOUT)
    body = f"""
        words, variables = words_for_bash({name!r}, {command.text!r}, {{{given}}}, {begin_in(command.prefix)!r})
        for path in [{outputs}]:
            for each in path if isinstance(path, list) else [path]:
                if {ours!r} in os.path.abspath(each):
                    subprocess.run(["rm", "-rf", "--", os.path.abspath(each)])
                os.makedirs(os.path.dirname(os.path.abspath(each)), exist_ok=True)
        environment = activated(dict(os.environ), {command.prefix!r})
        done = subprocess.run(words, env={{**environment, **variables}}, stdout={stdout})
        if done.returncode not in {command.exit_codes!r}:
            raise subprocess.CalledProcessError(done.returncode, {name!r})
        return {value}
    """
    return f"def {name}({parameters}):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
