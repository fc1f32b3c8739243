"""What is a rule's call?  Which argument gets the file, the values in its name, and the path to write to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from inspect import Parameter
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.rules.declaring import Declared, wrong
from rms_jupyter.flows.rules.joining import Match
from rms_jupyter.service.actions import BY_NAME, Action

_FOR_OUTPUT = ("out", "output", "outfile", "out_path", "output_path", "destination", "dest", "target")


class Doing:
    """Makes the arguments of what a rule does, from what has matched.

    Parameters
    ----------
    action : Action
    declared : Declared
    follows : bool
        Whether the rule takes what another has made.

    Raises
    ------
    WrongOption
        If the action has no parameter for an input, or one that nothing fills.
    """

    def __init__(self, action: Action, declared: Declared, follows: bool = False) -> None:
        self.action, self._declared = action, declared
        parameters = action.parameters
        named = [name for name, parameter in parameters.items() if parameter.kind in BY_NAME]
        self._outputs = {self._output_name(label, named): pattern for label, pattern in declared.outputs.items()}
        taken = {*declared.args, *self._outputs, *declared.files} - {""}
        for name in sorted(taken):
            if name not in named and not action.takes_any:
                option = "args" if name in declared.args else "outputs" if name in self._outputs else "files"
                there = ", ".join(named) or "none"
                raise wrong(option, f"{action.name} has no {action.noun} {name!r}", f"it has: {there}")
        values = {*declared.names, declared.index} - {""}
        self._values = {name for name in named if name in values and name not in taken}
        free = [name for name in named if name not in taken and name not in self._values]
        self._input = free[0] if free and ("" in declared.files or not declared.files) else ""
        if "" in declared.files and not self._input:
            raise wrong("files", f"{action.name} has no {action.noun} that takes the file", "def f(path, ...): ...")
        if not follows:  # What the rule before it calls its values is known only then.
            self._refuse_missing()

    def _refuse_missing(self) -> None:
        """Refuse a pipe with a parameter that nothing fills."""
        filled = {*self._declared.args, *self._outputs, *self._values, *self._declared.files, self._input}
        for name, parameter in self.action.parameters.items():
            if parameter.default is Parameter.empty and parameter.kind in BY_NAME and name not in filled:
                raise wrong(
                    "do",
                    f"nothing fills the {self.action.noun} {name!r} of {self.action.name}",
                    f"name a wildcard {{{name}}}, or args={{{name!r}: ...}}",
                )

    @property
    def output_names(self) -> tuple[str, ...]:
        """The parameters that get the paths to write to."""
        return tuple(self._outputs)

    def arguments(self, match: Match) -> dict[str, Any]:
        """Make the arguments of a call, without the paths to write to."""
        found: dict[str, Any] = {**self._declared.args}
        known = self.action.parameters
        found |= {name: value for name, value in match.values.items() if name in known and name not in found}
        inputs: dict[str, Any] = {label or self._input: path for label, path in match.files.items()}
        if match.given is not None and self._input:
            inputs[self._input] = match.given
        return found | {name: self.action.given(name, value, match.values) for name, value in inputs.items()}

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
        for name in (*self.action.output_names, *(name for name in _FOR_OUTPUT if name in parameters)):
            return name
        raise wrong(
            "outputs",
            f"{self.action.name} has no parameter for the path to write to",
            "def f(path, out): ..., or name it: outputs={'table': 'out/{n:03d}.csv'}",
        )


def make_folders(paths: Mapping[str, str]) -> None:
    """Make the folders that outputs go to."""
    for path in paths.values():
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise RmsError(f"the folder of {path} cannot be made: {error.strerror}") from None


def _files_of(given: Any) -> Mapping[str, str]:
    try:
        return {"": os.fspath(given)}
    except TypeError:
        return {}
