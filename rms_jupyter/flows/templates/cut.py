"""How is a template cut out of a lineage?  As the text of a function: what is given becomes its parameters."""

from __future__ import annotations

import ast
import inspect
import itertools
import keyword
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.nesting import everything
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.model import Reference, TaskRecord, resource_id
from rms_jupyter.run.call.definition import Definition

_BRACKETS: dict[Any, str] = {list: "[{}]", tuple: "({},)", set: "{{{}}}"}


@dataclass(frozen=True)
class RecordedStep:
    """A recorded call: its task, the pipe of now, and the bound arguments with resources where they stood."""

    ident: int
    task: TaskRecord
    definition: Definition
    values: tuple[Any, ...]


@dataclass
class CutNames:
    """What each resource and path is called in the text."""

    taken: set[str]
    of_resources: dict[int, str] = field(default_factory=dict)
    of_paths: dict[str, str] = field(default_factory=dict)

    def new(self, wish: str) -> str:
        """Return a name that nothing else has."""
        tidy = re.sub(r"\W+", "_", wish).strip("_").lower() or "value"
        tidy = f"_{tidy}" if tidy[0].isdigit() or keyword.iskeyword(tidy) else tidy
        name = next(n for i in itertools.count(1) if (n := tidy if i == 1 else f"{tidy}_{i}") not in self.taken)
        self.taken.add(name)
        return name


def text_from(calls: list[RecordedStep], result: int, inputs: Mapping[int, str], name: str) -> str:
    """Write the function that makes calls again from other inputs.

    Its parameters are the inputs, then the paths that the calls were given to write to, in the order of their files.

    Parameters
    ----------
    calls : list of Recorded
        Each after those that it needs.
    result : int
        The resource that it returns.
    inputs : mapping of int to str
        Resources that become parameters, and their paths; '' for values.
    name : str
        Of the function.

    Raises
    ------
    RmsError
        If an argument cannot be written in a text.
    """
    names = CutNames({call.definition.name for call in calls} | {name})
    parameters = [_name_input(names, ident, path, calls) for ident, path in inputs.items()]
    parameters += [made for call in calls for made in _name_outputs(names, call)]
    lines = []
    for call in calls:
        step = names.new(call.definition.name + "_result")
        several = len(call.task.out) > 1
        for slot in range(len(call.task.out)):
            names.of_resources[call.ident + 1 + slot] = f"{step}[{slot}]" if several else step
        lines.append(f"{step} = {call.definition.name}({', '.join(_arguments(names, call))})")
    body = "\n    ".join([*lines, f"return {names.of_resources[result]}"])
    return ast.unparse(parse(f"def {name}({', '.join(parameters)}):\n    {body}")) + "\n"


def _name_input(names: CutNames, ident: int, path: str, calls: Iterable[RecordedStep]) -> str:
    """Call an input as the first argument is called that it was given to."""
    roles = (role for call in calls for used, role in call.task.used if resource_id(used, call.ident) == ident)
    name = names.new(re.split(r"[.\[]", next(roles, "value").rpartition(":")[2])[0])
    names.of_resources[ident] = name
    if path:
        names.of_paths[path] = name
    return name


def _name_outputs(names: CutNames, call: RecordedStep) -> list[str]:
    """Call each path that an argument has named, and the call has written, as that argument."""
    made = []
    for out in call.task.out:
        for argument, value in zip(call.definition.binder.names, call.values, strict=True):
            if out.path and out.path not in names.of_paths and out.path in map(_path, everything([value])):
                made.append(names.new(argument))
                names.of_paths[out.path] = made[-1]
    return made


def _path(value: Any) -> str:
    is_path = isinstance(value, (str, os.PathLike)) and not isinstance(value, Reference)
    return os.path.abspath(os.fspath(value)) if is_path else ""


def _arguments(names: CutNames, call: RecordedStep) -> Iterable[str]:
    for parameter, value in zip(call.definition.binder.parameters, call.values, strict=True):
        if value is parameter.default or _same(value, parameter.default):
            continue
        where = f"{parameter.name} of {call.definition.name}"
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            yield from (_literal(names, item, where) for item in value)
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            items = ", ".join(f"{key!r}: {_literal(names, item, where)}" for key, item in value.items())
            yield f"**{{{items}}}"  # A key may be any text, also one that reads as code.
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            yield _literal(names, value, where)
        else:
            yield f"{parameter.name}={_literal(names, value, where)}"


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and isinstance(value, (bool, int, str, bytes)) and value == default


def _literal(names: CutNames, value: Any, where: str) -> str:
    """Write a value: by the name of what it stands for, or as a literal."""
    if isinstance(value, Reference):
        ref = value._rms_ref()
        name = names.of_resources.get(ref.id) or names.of_paths.get(ref.path)
        return name or (repr(ref.path) if ref.path else _literal(names, value._rms_value(), where))
    if isinstance(value, (str, os.PathLike)):
        return names.of_paths.get(_path(value)) or repr(os.fspath(value))
    if type(value) in _BRACKETS and value:
        items = ", ".join(_literal(names, item, where) for item in value)
        return _BRACKETS[type(value)].format(items)
    if type(value) is dict:
        pairs = (f"{_literal(names, k, where)}: {_literal(names, v, where)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    try:
        if type(ast.literal_eval(repr(value))) is type(value):
            return repr(value)
    except (ValueError, SyntaxError):
        pass
    raise RmsError(
        f"{where} was given a {type(value).__name__}, which cannot be written in a template",
        hint="name what it was made from among the inputs",
    )
