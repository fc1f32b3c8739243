"""Where does a command write, if its call does not say?  A pattern says it, or it is a folder of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

from rms_jupyter.errors import NotComputedYet, RegistrationError, RmsError, words_of
from rms_jupyter.flows.naming import task_folder
from rms_jupyter.handles.virtual_resource import VirtualResource
from rms_jupyter.model import Reference

_DERIVED = ("stem", "name", "parent", "call")
OUTPUTS = "outputs"
MANAGED = "{call}/"  # Before the name of an output: in a folder of this call's own, below that of the command.


@dataclass(frozen=True)
class PathPattern:
    """A path with names of arguments in it, which is the default of an output.

    Attributes
    ----------
    text : str
        With ``{argument}``, ``{stem}``, ``{name}`` and ``{parent}`` of the first input, and ``{call}``, which is
        different for each call.
    folder : str
        That it lies in; '' for the working directory.
    """

    text: str
    folder: str = ""

    def __repr__(self) -> str:
        return repr(os.path.join(self.folder, self.text))

    def refuse_unknown(self, output: str, known: Collection[str]) -> None:
        """Refuse names that no call will have.

        Raises
        ------
        RegistrationError
        """
        try:
            fields = [field for _, field, _, _ in Formatter().parse(self.text) if field is not None]
        except ValueError as error:
            raise RegistrationError(f"the path of {output} cannot be read: {error}", hint="write {{ for {") from None
        unknown = [field for field in fields if field.partition(".")[0] not in {*known, *_DERIVED}]
        if unknown:
            raise RegistrationError(
                f"the path of {output} has {{{unknown[0]}}} in it, which is no argument",
                hint=f"there are: {', '.join([*known, *_DERIVED])}",
            )


def managed_folder(command: str, project: str) -> str:
    """Return where the files of a command are whose paths nobody has given."""
    return os.path.join(project, OUTPUTS, command)


class OutputPaths:
    """Fills in the paths that a call does not give.

    Parameters
    ----------
    command : str
        Its name.
    inputs, hidden : sequence of str
        Arguments that name files, and those that are in no path.
    project : str
        The folder from which paths count.
    """

    def __init__(self, command: str, inputs: Sequence[str], hidden: Collection[str], project: str) -> None:
        self._inputs, self._hidden, self._project = inputs, hidden, project
        self._folder = managed_folder(command, project)

    def clear(self, path: str) -> None:
        """Remove what an earlier run has left at a path, where that is one of ours."""
        if not Path(os.path.abspath(path)).is_relative_to(self._folder):
            return
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            Path(path).unlink(missing_ok=True)

    def filled(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, with paths in place of patterns.

        Raises
        ------
        RmsError
            If a path cannot be known before the call.
        """
        patterns = {name: value for name, value in arguments.items() if isinstance(value, PathPattern)}
        if not patterns:
            return dict(arguments)
        given = {name: _with_paths(value) for name, value in arguments.items() if name not in patterns}
        fields = self._fields({name: value for name, value in given.items() if name not in self._hidden})
        return {**arguments, **{name: _path(name, pattern, fields) for name, pattern in patterns.items()}}

    def _fields(self, given: Mapping[str, Any]) -> dict[str, Any]:
        paths = [path for name in self._inputs for path in _texts_in(given[name])]
        first = Path(paths[0]) if paths else Path()
        derived = {"stem": first.stem, "name": first.name, "parent": first.parent}
        shown = {name: self._word(name, value) for name, value in given.items()}
        call = task_folder(shown, [self._place(path) for path in paths])
        as_paths = {n: Path(v) if n in self._inputs and isinstance(v, str) else v for n, v in given.items()}
        return {**derived, "call": call, **as_paths}

    def _word(self, name: str, value: Any) -> Any:
        if name not in self._inputs:
            return value
        return [Path(path).stem for path in _texts_in(value)]

    def _place(self, path: str) -> str:
        return os.path.relpath(path, self._project)


def _with_paths(value: Any) -> Any:
    """Return an argument with paths in place of files, also of those that are still to be made."""
    if isinstance(value, VirtualResource):
        planned = value._rms_plan.tasks[value._rms_number]
        paths = planned.declared_files()
        if not paths and planned.answer is None:
            raise NotComputedYet(f"what {planned.label} gives is not known before it has run", hint="")
        return paths[value._rms_slot or 0] if paths else value._rms_input()
    if isinstance(value, Reference):
        return value._rms_ref().path or value._rms_value()
    if isinstance(value, (list, tuple)):
        return [_with_paths(item) for item in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _texts_in(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]


def _path(name: str, pattern: PathPattern, fields: Mapping[str, Any]) -> str:
    try:
        return os.path.join(pattern.folder, pattern.text.format(**fields))
    except (AttributeError, KeyError, IndexError, ValueError) as error:
        raise RmsError(
            f"the path of {name}, {pattern!r}, cannot be filled in: {words_of(error)}", hint=f"give it: {name}=PATH"
        ) from None
