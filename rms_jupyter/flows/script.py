"""What is a segment that is written as a script?  Its text, what it rests on, and what it asks of other segments.

It is described as a function of its inputs, so that a change of what counts makes it run again, and runs as a script:
see `environment`.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import shlex
import sys
import tokenize
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.fingerprint.parsing import parse
from rms_jupyter.fingerprint.source import declare_source
from rms_jupyter.flows.cells.body import CellBody
from rms_jupyter.flows.cells.shape import shape_of
from rms_jupyter.flows.directives import directives
from rms_jupyter.flows.environment import NAMES, Handed, ScriptCode, SegmentSurroundings, run
from rms_jupyter.flows.multiplex import Multiplex
from rms_jupyter.flows.naming import identifier_of, prefixes

PARENT_FILES, SEGMENT_FILES = "parent_files", "segment_files"

_OF_A_SEGMENT = {"glob_seg": (0, "seg"), "load_param": (0, "seg"), "get_data_fn": (1, "seg")}


@dataclass(frozen=True)
class Asks:
    """What a script asks of other segments.

    Attributes
    ----------
    input : bool
        For its input.
    parents : bool
        For files of the tasks that its inputs come from.
    above : frozenset of str or None
        Segments for whose files, of the tasks that it rests on, it asks; None for any.
    whole : frozenset of str or None
        Segments for whose files, of all tasks, it asks; None for any.
    """

    input: bool = False
    parents: bool = False
    above: frozenset[str] | None = frozenset()
    whole: frozenset[str] | None = frozenset()


@dataclass(frozen=True)
class SegmentScript:
    """A script that was read.

    Attributes
    ----------
    path : Path
    text : str
    hooks : mapping of str to Code
        Scripts that it runs in its namespace, by their names.
    depends : mapping of str to str
        Digests of the files that it names in ``#depend``; of modules, nothing.
    multiplex : Multiplex or None
        What its comments say.
    asks : Asks
    """

    path: Path
    text: str
    hooks: Mapping[str, ScriptCode]
    depends: Mapping[str, str]
    multiplex: Multiplex | None
    asks: Asks

    @classmethod
    def read(cls, path: Path, segment: str) -> SegmentScript:
        """Read the script of a segment.

        Raises
        ------
        RmsError
            If it cannot be read or is not Python, or depends on what is not there.
        """
        text, tree = _read(path, segment)
        hooks: dict[str, ScriptCode] = {}
        trees = [tree]
        while new := {name: code for name, code in _hooks(path, segment, trees).items() if name not in hooks}:
            hooks |= new
            trees += [parse(code.text) for code in new.values()]  # Hooks may run others.
        return cls(
            path,
            text,
            hooks,
            _depends(path, segment, "\n".join([text, *(hook.text for hook in hooks.values())])),
            Multiplex.in_comments(text, f"multiplex of {segment}"),
            _asks(trees),
        )

    def function(self, pipe: str, parameters: Sequence[str], takes_any: bool) -> Callable[..., Any]:
        """Make the function that describes the script: what counts of it, and the names of its inputs."""
        name = pipe.rpartition(".")[2]
        modules = [name for name, digest in self.depends.items() if not digest]
        head = [f"{' = '.join(NAMES)} = None", *(f"import {module}" for module in modules)]
        bodies = [self.text, *(hook.text for hook in self.hooks.values())]
        shape = shape_of("\n".join([*head, *bodies]))
        inputs = [f"**{parameters[0]}"] if takes_any else parameters
        function = CellBody(shape, name, inputs, (), {"__name__": name}, str(self.path)).function
        counts = [ast.unparse(parse(body)) for body in bodies]
        counts += [f"# {word}: {digest}" for word, digest in sorted(self.depends.items()) if digest]
        counts.append(f"# as {pipe}")  # Its own files and versions, whoever shares the script.
        declare_source(function, "\n".join(counts), "\n\n".join(bodies))  # type: ignore[arg-type]
        return function


class ScriptSegment:
    """A script as what a pipe runs: called with the values of its inputs, it gives the list of its outputs.

    Parameters
    ----------
    script : Script
    pipe : str
        What the pipe is called.
    parents : sequence of str
        What its inputs are called.
    takes_any : bool
        Whether each task gets but some of them.
    surroundings : Surroundings
        Where it runs; does not count.
    """

    def __init__(
        self,
        script: SegmentScript,
        pipe: str,
        parents: Sequence[str],
        takes_any: bool,
        surroundings: SegmentSurroundings,
    ) -> None:
        self._code = ScriptCode(str(script.path), script.text)
        self._hooks, self._surroundings, self._takes_any = dict(script.hooks), surroundings, takes_any
        self._names = {identifier_of(parent): parent for parent in parents}
        asked = {PARENT_FILES: script.asks.parents or script.asks.above != frozenset()}
        asked[SEGMENT_FILES] = script.asks.whole != frozenset()
        files = [label for label, is_asked in asked.items() if is_asked]
        self.parameters = (*files, "inputs") if takes_any else (*self._names, *files)
        functools.update_wrapper(self, script.function(pipe, self.parameters, takes_any))

    def __call__(self, *args: Any, **kwargs: Any) -> list[Any]:
        """Run the script."""
        given = dict(zip(self.parameters, args, strict=False)) | kwargs
        files = {label: given.pop(label, Handed({})).files for label in (PARENT_FILES, SEGMENT_FILES)}
        inputs = {self._names.get(name, name): value for name, value in given.items()}
        return run(self._code, self._hooks, inputs, files[PARENT_FILES], files[SEGMENT_FILES], self._surroundings)

    @property
    def path(self) -> str:
        """Where the script lies."""
        return self._code.path

    def work_in(self, folder: str) -> None:
        """Let the files of its tasks go below a folder."""
        self._surroundings = self._surroundings._replace(folder=folder)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "__wrapped__"}


def find_script(folder: Path, segment: str) -> Path | None:
    """Find the script of a segment: by its name, or by the longest beginning of it that names one."""
    if not set(segment).isdisjoint("/\\\0"):
        return None  # It would name another folder.
    return next((path for name in prefixes(segment) if (path := folder / f"{name}.py").is_file()), None)


def _read(path: Path, segment: str) -> tuple[str, ast.Module]:
    try:
        with tokenize.open(path) as file:  # As Python reads it: with a mark of its encoding, or a comment about it.
            text = file.read()
        return text, parse(text)
    except SyntaxError as error:
        where = f" in line {error.lineno}: {(error.text or '').strip()[:80]}"
        raise RmsError(f"{segment}: {path.name} is not valid Python{where}", hint="mend it, and run again") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RmsError(f"{segment}: {path.name} cannot be read: {error}", hint="is it a Python script?") from None


def _hooks(path: Path, segment: str, trees: Collection[ast.Module]) -> dict[str, ScriptCode]:
    """Read the scripts ``segment_hookname.py``: those that are named, or all where a name is made by the code."""
    named = {name for tree in trees for name in _literals(tree, {"hook": (0, "hookname")}).get("hook", ())}
    found: dict[str, ScriptCode] = {}
    beside = sorted(path.parent.glob("*.py")) if named else []
    for own in (own for own in prefixes(segment) if len(own) >= len(path.stem)):
        for file in (file for file in beside if file != path and file.stem.startswith(f"{own}_")):
            name = file.stem.removeprefix(f"{own}_")
            if None in named or name in named:
                found.setdefault(name, ScriptCode(str(file), _read(file, segment)[0]))
    return found


def _depends(path: Path, segment: str, text: str) -> dict[str, str]:
    """Say what the ``#depend`` comments name: files beside the script, or modules."""
    found = {}
    for word in _named_in(directives(text, "depend"), segment):
        file = path.parent / word
        if file.exists():
            found[word] = FileDigests().state(str(file)).digest
        elif _is_module(word):
            found[word] = ""
        else:
            raise RmsError(f"{segment}: #depend names {word}, which is not there", hint=f"looked for {file}")
    return found


def _named_in(lines: Collection[str], segment: str) -> list[str]:
    try:
        return [word for line in lines for word in shlex.split(line.replace(",", " "))]
    except ValueError as error:
        raise RmsError(f"{segment}: #depend cannot be read: {error}", hint="close the quotes") from None


def _is_module(word: str) -> bool:
    """Whether a word names a module that can be found: as far as that is known without an import."""
    parts = word.split(".")
    return all(map(str.isidentifier, parts)) and (
        parts[0] in sys.modules or importlib.util.find_spec(parts[0]) is not None
    )


def _asks(trees: Collection[ast.Module]) -> Asks:
    named: dict[str, set[str | None]] = {}
    for tree in trees:
        for function, words in _literals(tree, _OF_A_SEGMENT | {"glob_parent": (1, "segs")}).items():
            named.setdefault(function, set()).update(words)
    above = named.get("load_param", set()) | (named.get("get_data_fn", set()) - {""})
    names = {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}
    takes_input = not names.isdisjoint(("get_input", "seg_input"))
    return Asks(takes_input, "glob_parent" in named, _all_or(above), _all_or(named.get("glob_seg", set())))


def _all_or(words: Collection[str | None]) -> frozenset[str] | None:
    return None if None in words else frozenset(word for word in words if word)


def _literals(tree: ast.Module, arguments: Mapping[str, tuple[int, str]]) -> dict[str, set[str | None]]:
    """Find the texts that calls of functions have as an argument: '' where it is left out, None where it is not known.

    Parameters
    ----------
    tree : ast.Module
    arguments : mapping of str to (int, str)
        By the names of the functions, the place and the name of the argument.
    """
    found: dict[str, set[str | None]] = {}
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in arguments:
            call = called.get(id(node))
            found.setdefault(node.id, set()).add(_literal(call, *arguments[node.id]) if call else None)
    return found


def _literal(call: ast.Call, place: int, name: str) -> str | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(k.arg is None for k in call.keywords):
        return None
    given = [k.value for k in call.keywords if k.arg == name] or call.args[place : place + 1]
    if not given:
        return ""
    return given[0].value if isinstance(given[0], ast.Constant) and isinstance(given[0].value, str) else None
