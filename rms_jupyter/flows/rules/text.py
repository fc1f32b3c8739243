"""How is a rule written as text?  In YAML, with the options of ``s.rule`` as its keys."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.flow import Flow
from rms_jupyter.flows.rules.declaring import NAMES, WrongOption, wrong

_FUNCTIONS = ("do", "release", "data_complete", "on_data_complete", "prepare", "executor")
_NAMED = re.compile(rf"\b({'|'.join(NAMES)})=")  # As in Python: do=measure.
_GIVEN = re.compile(rf"^({'|'.join(NAMES)})=")


class RuleText:
    r"""A rule as text: its options, and the lines on which they are.

    Parameters
    ----------
    text : str

    Raises
    ------
    RmsError
        If it is not YAML, or not a mapping; the message names the line.

    Examples
    --------
    >>> text = RuleText("files: raw/{n:03d}.tif\ndo: measure\n")
    >>> text.options, text.line_of("do")
    ({'files': 'raw/{n:03d}.tif', 'do': 'measure'}, 2)
    """

    def __init__(self, text: str) -> None:
        import yaml

        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            self.options = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise RmsError(*_words(error)) from None
        if not isinstance(node, yaml.MappingNode):
            raise RmsError("a rule is a list of options", hint="files: raw/{run}_{n:03d}.tif, and below it do: measure")
        self._lines = dict(_lines_of(node))
        if double := [name for name, lines in self._lines.items() if len(lines) > 1]:
            at = self._lines[double[0]]
            raise RmsError(f"line {at[1]}: {double[0]} is on line {at[0]} already", hint="leave one of them out")

    def line_of(self, option: str) -> int:
        """The line that an option is on; 0 if it is not there."""
        return self._lines.get(option, [0])[0]

    def resolved(self, namespace: Mapping[str, Any]) -> dict[str, Any]:
        """The options, with functions in the place of their names: the notebook's, or ``module.function``.

        Raises
        ------
        WrongOption
            If there is no such function.
        """
        return _resolved(self.options, namespace)

    def placed(self, error: WrongOption) -> RmsError:
        """The error of an option, with the line that it is on, and options as they are written here."""
        line = self.line_of(error.option)
        message, hint = _GIVEN.sub(r"\1: ", error.message), _NAMED.sub(r"\1: ", error.hint)
        return RmsError(f"line {line}: {message}" if line else message, hint=hint)


def _resolved(options: Mapping[Any, Any], namespace: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {str(name): value for name, value in options.items()}
    for name in _FUNCTIONS:
        value = found.get(name)
        if not isinstance(value, str):
            continue
        named = namespace[value] if value in namespace else _imported(name, value)
        if callable(named) or isinstance(named, Flow) or (name == "executor" and value in namespace):
            found[name] = named
        elif name in ("release", "on_data_complete", "prepare"):
            raise wrong(name, f"{name}: there is no function {value!r}", "run the cell that defines it")
    following = found.get("on_completion")
    if isinstance(following, Mapping):
        for name in following:
            if name != "name" and name not in NAMES:
                raise wrong("on_completion", f"on_completion has no option {name!r}", f"there are: {', '.join(NAMES)}")
        found["on_completion"] = _resolved(following, namespace)
    elif isinstance(following, str):
        named = namespace[following] if following in namespace else _imported("on_completion", following)
        found["on_completion"] = following if named is None else named
    return found


def _imported(option: str, name: str) -> Any:
    """Return what a module has by a dotted name; None where the name is none."""
    module, _, attribute = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        return None
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        if option == "data_complete":  # It may be the name of a file.
            return None
        why = f"{option}: {name} cannot be imported: {error}"
        raise wrong(option, why, "write module.function, as a script in this folder would import it") from None


def _lines_of(node: Any) -> Iterator[tuple[str, list[int]]]:
    lines: dict[str, list[int]] = {}
    for key, _ in node.value:
        lines.setdefault(str(key.value), []).append(key.start_mark.line + 1)
    yield from lines.items()


def _words(error: Any) -> tuple[str, str]:
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark is not None else ""
    problem = getattr(error, "problem", None) or str(error)
    return f"{place}this is not YAML: {problem}", "write an option a line: files: raw/{n:03d}.tif"
