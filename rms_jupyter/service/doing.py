"""What is a rule's call?  Which argument gets the file, the values in its name, and the path to write to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from inspect import Parameter
from typing import Any, NamedTuple, Protocol

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.flows.rules.declaring import Declared, wrong
from rms_jupyter.flows.rules.joining import Match
from rms_jupyter.flows.templates.template import Template
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.model import TaskRecord

_FOR_OUTPUT = ("out", "output", "outfile", "out_path", "output_path", "destination", "dest", "target")


class CallHost(Protocol):
    """What is asked of the session about calls."""

    def identify_call(self, pipe: Pipe[Any], arguments: Mapping[str, Any]) -> Any:
        """Find out which call this is."""

    def outcome_of_call(self, pipe: Pipe[Any], call: Any) -> tuple[int, TaskRecord] | None:
        """Find the task that answers a call, or with which it has failed as it would again."""


class TemplateCall(NamedTuple):
    """What tells a call of a template from others."""

    key: str


class Doing:
    """Makes the arguments of a pipe, or of a template, from what has matched.

    Parameters
    ----------
    do : Pipe or Template
    declared : Declared
    follows : bool
        Whether the rule takes what another has made.

    Raises
    ------
    WrongOption
        If the pipe has no parameter for an input, or one that nothing fills.
    """

    def __init__(self, do: Pipe[Any] | Template, declared: Declared, follows: bool = False) -> None:
        self.do, self._declared = do, declared
        found = do.signature.parameters.values() if isinstance(do, Template) else do._definition.binder.parameters
        parameters = {parameter.name: parameter for parameter in found}
        takes_any = any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
        named = [name for name, parameter in parameters.items() if parameter.kind in _BY_NAME]
        self._outputs = {self._output_name(label, named): pattern for label, pattern in declared.outputs.items()}
        taken = {*declared.args, *self._outputs, *declared.files} - {""}
        for name in sorted(taken):
            if name not in named and not takes_any:
                option = "args" if name in declared.args else "outputs" if name in self._outputs else "files"
                raise wrong(option, f"{do.name} has no parameter {name!r}", f"it has: {', '.join(named) or 'none'}")
        values = {*declared.names, declared.index} - {""}
        self._values = {name for name in named if name in values and name not in taken}
        free = [name for name in named if name not in taken and name not in self._values]
        self._input = free[0] if free and ("" in declared.files or not declared.files) else ""
        if "" in declared.files and not self._input:
            raise wrong("files", f"{do.name} has no parameter that takes the file", "def f(path, ...): ...")
        self._parameters = parameters
        if not follows:  # What the rule before it calls its values is known only then.
            self._refuse_missing()

    def _refuse_missing(self) -> None:
        """Refuse a pipe with a parameter that nothing fills."""
        filled = {*self._declared.args, *self._outputs, *self._values, *self._declared.files, self._input}
        for name, parameter in self._parameters.items():
            if parameter.default is Parameter.empty and parameter.kind in _BY_NAME and name not in filled:
                raise wrong(
                    "do",
                    f"nothing fills the parameter {name!r} of {self.do.name}",
                    f"name a wildcard {{{name}}}, or give args={{{name!r}: ...}}",
                )

    def identify(self, host: CallHost, arguments: Mapping[str, Any]) -> Any:
        """Find out which call this is."""
        if isinstance(self.do, Pipe):
            return host.identify_call(self.do, arguments)
        return TemplateCall(tagged("template", [repr((self.do.name, self.do.text, arguments)).encode()]).hex())

    def outcome(self, host: CallHost, call: Any) -> tuple[int, TaskRecord] | None:
        """Find the task that answers a call, or has failed; the calls of a template are looked up one by one."""
        return host.outcome_of_call(self.do, call) if isinstance(self.do, Pipe) else None

    def plan(self, plan: Plan, arguments: Mapping[str, Any]) -> Sequence[int]:
        """Add a call to a plan; returns the numbers of its tasks."""
        before = len(plan)
        if isinstance(self.do, Pipe):
            plan.add(self.do, (), dict(arguments))
        else:
            self.do.add_to(plan, **arguments)
        return range(before, len(plan))

    @property
    def declares_outputs(self) -> bool:
        """Whether what is done says by itself what it writes; of a template, its pipes do."""
        return isinstance(self.do, Template) or bool(self.do.contract.outputs)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The parameters that get the paths to write to."""
        return tuple(self._outputs)

    def arguments(self, match: Match) -> dict[str, Any]:
        """Make the arguments of a call, without the paths to write to."""
        found: dict[str, Any] = {**self._declared.args}
        found |= {name: value for name, value in match.values.items() if name in self._parameters and name not in found}
        found |= {label or self._input: path for label, path in match.files.items()}
        if match.given is not None and self._input:
            found[self._input] = match.given
        return found

    def outputs(self, match: Match) -> dict[str, str]:
        """Make the paths that a call is to write to."""
        if not self._outputs:
            return {}
        files = match.files or _files_of(match.given)
        values = self._declared.output_values(match.values, files)
        return {name: pattern.fill(values) for name, pattern in self._outputs.items()}

    def _output_name(self, label: str, parameters: list[str]) -> str:
        if label:
            return label
        roles: list[str] = []
        declared: list[str] = []
        if isinstance(self.do, Pipe):
            definition = self.do._definition
            roles = [name for name, role in definition.roles.items() if role == "out"]
            declared = [name for name in definition.contract.outputs if name in parameters]
        for name in (*roles, *declared, *(name for name in _FOR_OUTPUT if name in parameters)):
            return name
        raise wrong(
            "outputs",
            f"{self.do.name} has no parameter for the path to write to",
            "def f(path, out): ..., or name it: outputs={'table': 'out/{n:03d}.csv'}",
        )


def make_folders(paths: Mapping[str, str]) -> None:
    """Make the folders that outputs go to."""
    for path in paths.values():
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise RmsError(f"the folder of {path} cannot be made: {error.strerror}") from None


_BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _files_of(given: Any) -> Mapping[str, str]:
    try:
        return {"": os.fspath(given)}
    except TypeError:
        return {}
