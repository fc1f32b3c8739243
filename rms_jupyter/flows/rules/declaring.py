"""What can a rule be told, and is it right?  The options of ``s.rule``, which are the keys of ``%%rms rule`` too."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.rules.context import rendered
from rms_jupyter.flows.rules.pattern import Pattern

_PATTERNS = ("files", "outputs", "marker", "data_complete")
_PLAIN = ("do", "release", "on_data_complete", "prepare", "on_completion", "executor", "context")
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]+://")
_SAMPLE = {str: "a", int: 1, float: 1.0}


class WrongOption(RmsError):
    """An option of a rule is not right; `option` names it."""

    option = ""


def wrong(option: str, message: str, hint: str = "") -> WrongOption:
    """Make the error of an option."""
    error = WrongOption(message, hint=hint)
    error.option = option
    return error


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a rule, as they are given.

    Attributes
    ----------
    do : Pipe, function, template, flow, or the name of a pipe
        What is done with the files; into a flow they are pushed.
    files : str, list of str, or dict of them
        Patterns; in a dict one for each input of `do`. Absent where the rule works on numbers (see `release`), or on
        what the rule before it has made.
    outputs : str or dict of str
        Patterns of the files that are written: a path for the parameter of that name.
    args : dict
        Further arguments.
    context : dict
        What ``{{ names }}`` stand for.
    settle : float or "rename"
        Seconds for which a file must have been still; ``"rename"`` where files get their names when they are complete.
    marker : str
        Pattern of a file that says that another is complete.
    polling : bool or float, optional
        Look every so many seconds instead of being told; by default on network disks, every two.
    release : int or callable
        How many calls begin together; or a function of the rule that returns ``(first, behind the last)`` of the
        numbers that may begin now, None where there is nothing new.
    index : str
        The wildcard, or parameter, that is the number.
    data_complete : bool, int, str or callable
        When all data is there: at once, after so many calls, when a file is there, or when a function of the rule
        says so.
    on_data_complete, prepare : callable
        Called with the rule when its data is complete, and before it begins.
    on_completion : rule factory, pipe or dict of options
        The rule that follows.
    after_failures : bool
        Begin, as one that follows, although calls of the rule before have failed.
    gather : bool
        Take, as one that follows, all that the rule before has made as one list.
    timeout, retries : float, int
        Of each call.
    number_outputs : bool
        Write beside a file whose name is taken: ``_1``, ``_2``, ...
    n_jobs, executor
        As those of `Plan.run`.
    """

    do: Any = None
    files: Any = None
    outputs: Any = None
    args: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    settle: Any = 0.5
    marker: str | None = None
    polling: Any = None
    release: Any = None
    index: str = ""
    data_complete: Any = None
    on_data_complete: Callable[[Any], Any] | None = None
    prepare: Callable[[Any], Any] | None = None
    on_completion: Any = None
    after_failures: bool = False
    gather: bool = False
    timeout: float | None = None
    retries: int | None = None
    number_outputs: bool = False
    n_jobs: int | None = None
    executor: Any = None


NAMES = tuple(each.name for each in fields(Options))


def options_of(given: Mapping[str, Any]) -> Options:
    """Check the names and kinds of options.

    Raises
    ------
    WrongOption
    """
    for name in given:
        if name not in NAMES:
            near = difflib.get_close_matches(str(name), NAMES, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(NAMES)}"
            raise wrong(str(name), f"a rule has no option {name!r}", hint)
    options = Options(**given)
    for name in ("args", "context"):
        if not isinstance(getattr(options, name), Mapping):
            raise wrong(name, f"{name} is not a mapping: {getattr(options, name)!r}")
    for name in ("on_data_complete", "prepare"):
        if (hook := getattr(options, name)) is not None and not callable(hook):
            raise wrong(name, f"{name} is not a function: {hook!r}")
    for name in ("timeout", "retries"):
        if (number := getattr(options, name)) is not None and not (_is_number(number) and number >= 0):
            raise wrong(name, f"{name}={number!r} is not a valid number")
    if options.settle != "rename" and not (_is_number(options.settle) and options.settle >= 0):
        raise wrong("settle", f"settle={options.settle!r}", "give seconds, or 'rename'")
    if options.polling is not None and not (isinstance(options.polling, (bool, int, float)) and options.polling >= 0):
        raise wrong("polling", f"polling={options.polling!r}", "give True, False or seconds")
    if not (
        options.release is None or callable(options.release) or (type(options.release) is int and options.release > 0)
    ):
        raise wrong("release", f"release={options.release!r}", "give a number of calls, or a function of the rule")
    return options


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Declared:
    """A rule's options with its patterns read; `files` are the patterns of each input ('' where it has no name)."""

    options: Options
    files: Mapping[str, Sequence[Pattern]]
    outputs: Mapping[str, Pattern]
    args: Mapping[str, Any]
    marker: Pattern | None
    data_complete: Any
    index: str

    @property
    def names(self) -> list[str]:
        """The wildcards of the inputs."""
        return list(dict.fromkeys(name for each in self.files.values() for pattern in each for name in pattern.names))

    def output_values(self, values: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
        """What output patterns are filled in from: the wildcards, and the name and stem of the first file."""
        first = next(iter(files.values()), None)
        derived = {"name": os.path.basename(first), "stem": _stem(first)} if isinstance(first, str) else {}
        return {**derived, **values}


def declare(options: Options, context: Mapping[str, Any], folder: str) -> Declared:
    """Fill in the templates of a rule, and read its patterns.

    Raises
    ------
    WrongOption
        Naming the option that is not right.
    """
    texts = {name: _rendered(name, getattr(options, name), context) for name in (*_PATTERNS, "args", "index")}
    files = {label: _patterns("files", each, folder) for label, each in _by_name("files", texts["files"]).items()}
    outputs = {}
    for label, text in _by_name("outputs", texts["outputs"]).items():
        outputs[label] = _pattern("outputs", text, folder)
        if not outputs[label].is_one_to_one:
            raise wrong("outputs", f"the output {text!r} has a wildcard without a name", "write {name} for it")
    marker = _pattern("marker", texts["marker"], folder) if texts["marker"] else None
    complete = texts["data_complete"]
    if isinstance(complete, str):
        complete = _pattern("data_complete", complete, folder)
        if complete.names or not complete.is_one_to_one:
            raise wrong("data_complete", f"{complete.text!r} is not the name of one file", "write it without wildcards")
    elif complete is not None and not isinstance(complete, (bool, int)) and not callable(complete):
        raise wrong("data_complete", f"data_complete={complete!r}", "give True, a number, a file's name or a function")
    declared = Declared(options, files, outputs, texts["args"], marker, complete, texts["index"])
    _refuse_unknown_names(declared)
    _refuse_own_outputs(declared)
    return declared


def _rendered(name: str, value: Any, context: Mapping[str, Any]) -> Any:
    try:
        return rendered(value, context, is_pattern=name in _PATTERNS)
    except RmsError as error:
        raise wrong(name, f"{name}: {error.message}", error.hint) from None


def _by_name(option: str, value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    found = value if isinstance(value, Mapping) else {"": value}
    if not found or not all(isinstance(name, str) for name in found):
        raise wrong(option, f"{option}={value!r} names no inputs", "write {'image': 'raw/{n:03d}.tif', ...}")
    return found


def _patterns(option: str, value: Any, folder: str) -> list[Pattern]:
    texts = list(value) if isinstance(value, (list, tuple)) else [value]
    if not texts:
        raise wrong(option, f"{option} has no pattern")
    return [_pattern(option, text, folder) for text in texts]


def _pattern(option: str, text: Any, folder: str) -> Pattern:
    if not isinstance(text, (str, os.PathLike)) or not os.fspath(text):
        raise wrong(option, f"{option}: {text!r} is not a pattern", "write 'raw/{run}_{n:03d}.tif'")
    if isinstance(text, str) and _ADDRESS.match(text):
        hint = "mount it, or have the files copied, and write the folder where they arrive then"
        raise wrong(option, f"{option}: {text!r} is an address, not a path: rules watch folders", hint)
    try:
        return Pattern(str(os.fspath(text)), folder)
    except RmsError as error:
        raise wrong(option, f"{option}: {error.message}", error.hint) from None


def _refuse_unknown_names(declared: Declared) -> None:
    """Refuse an output or marker that cannot be filled in from what file names say."""
    known = {*declared.names, "name", "stem", declared.index or "n"}
    markers = [declared.marker] if declared.marker is not None else []
    for option, patterns in (("outputs", list(declared.outputs.values())), ("marker", markers)):
        for pattern in patterns:
            for name in pattern.names:
                if declared.files and name not in known:
                    there = ", ".join(declared.names) or "none"
                    raise wrong(
                        option, f"{pattern.text!r} uses {{{name}}}, which no input has", f"inputs have: {there}"
                    )


def _refuse_own_outputs(declared: Declared) -> None:
    """Refuse a pattern that means what the rule itself writes: its outputs would arrive, for ever."""
    for pattern in (pattern for each in declared.files.values() for pattern in each):
        sample = {name: _SAMPLE[pattern.kind_of(name)] for name in pattern.names}
        sample = dict.fromkeys(declared.names, 1) | sample
        path = pattern.sample(sample)
        for output in declared.outputs.values():
            written = output.fill({**declared.output_values(sample, {"": path}), declared.index or "n": 1})
            if any(other.parse(written) is not None for each in declared.files.values() for other in each):
                raise wrong(
                    "outputs",
                    f"the pattern {pattern.text!r} also means what the rule writes: {output.text!r}",
                    "write to another folder, or with another ending",
                )


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
