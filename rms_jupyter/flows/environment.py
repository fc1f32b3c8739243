"""What has the code of a segment at hand while it runs?  Its inputs, files of its own and of its parents, a logger.

Runs in workers, too. Files are named by paths of this task's folder; those of other tasks were handed over by the
session, as inputs of the call.
"""

from __future__ import annotations

import ast
import contextvars
import fnmatch
import logging
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rms_jupyter.errors import RmsError, UntrustedContent
from rms_jupyter.flows.naming import task_folder
from rms_jupyter.run.task.touched import note_elsewhere
from rms_jupyter.run.workers.program import failed, run_program

Files = Mapping[str, Mapping[str, str]]  # By segment, then by task and name: ``"Galahad_3f21/result.txt"``.

NAMES = (
    "seg_input", "seg_output", "get_input", "set_output", "get_data_fn", "glob_parent", "glob_seg", "get_tmp_fn",
    "save_param", "expose", "load_param", "save_products", "load_products", "logged_subprocess", "logger", "hook",
)  # fmt: skip
GROUP = "group"


class ScriptCode(NamedTuple):
    """A script: where it lies, and what it says."""

    path: str
    text: str


class SegmentSurroundings(NamedTuple):
    """Where a segment runs: its name, the folder of this version of it, and whether pickles may be read there."""

    segment: str
    flow: str
    folder: str
    is_trusted: bool = True


@dataclass(frozen=True)
class Handed:
    """Files of other tasks that are handed over to one; it is short where calls are shown."""

    files: Files

    def __repr__(self) -> str:
        count = sum(map(len, self.files.values()))
        return f"<{count:,} file{'s' * (count != 1)}>"


class _Unsaid(list[Any]):
    """The outputs of a script before it has said anything of them."""


class SegmentInputs(dict[str, Any]):
    """The inputs of a task by their parents' names; called, it gives the first of them."""

    def __call__(self, segment: str | None = None) -> Any:
        """Return the input from a segment, or the first."""
        if not self:
            return None
        if segment is None:
            return next(iter(self.values()))
        if segment not in self:
            raise RmsError(f"there is no input from {segment!r}", hint=f"there are: {', '.join(self)}")
        return self[segment]


def run(
    code: ScriptCode,
    hooks: Mapping[str, ScriptCode],
    inputs: dict[str, Any],
    parent_files: Files,
    segment_files: Files,
    surroundings: SegmentSurroundings,
) -> list[Any]:
    """Run the script of a segment; returns its outputs.

    Parameters
    ----------
    code : Code
    hooks : mapping of str to Code
    inputs : dict
        By the names of parents; ``group`` holds the class where they are grouped.
    parent_files, segment_files : mapping
        Paths of the files of the tasks that this one rests on, and of all tasks of some segments.
    surroundings : Surroundings
    """
    environment = _Environment(hooks, inputs, parent_files, segment_files, surroundings)
    namespace = environment.namespace(code.path)
    program = compile(code.text, code.path, "exec", dont_inherit=True)
    try:
        exec(program, namespace)
    finally:
        environment.finish()
    outputs = namespace.get("seg_output")
    is_unsaid = isinstance(outputs, _Unsaid) and not outputs and "seg_output" not in program.co_names
    if outputs is None or is_unsaid:
        return [None]  # Its children run, and find its files.
    return list(outputs) if isinstance(outputs, list) else [outputs]


class _Environment:
    def __init__(
        self,
        hooks: Mapping[str, ScriptCode],
        inputs: dict[str, Any],
        parent_files: Files,
        segment_files: Files,
        surroundings: SegmentSurroundings,
    ) -> None:
        self._hooks, self._parents, self._segments, self._here = hooks, parent_files, segment_files, surroundings
        self._group = inputs.pop(GROUP, ...)
        self._inputs = SegmentInputs(inputs)
        names = [sorted(names) for files in (parent_files, segment_files) for names in files.values()]
        shown = self._inputs if self._group is ... else {GROUP: self._group, **self._inputs}
        self._folder = Path(surroundings.folder, task_folder(shown, names))
        self._began = False
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._namespace: dict[str, Any] = {}
        self._lines: dict[str, list[str]] = {}

    def namespace(self, path: str) -> dict[str, Any]:
        """Make what the script runs in."""
        own: dict[str, Any] = {name: getattr(self, name) for name in NAMES if not name.startswith(("seg_", "logger"))}
        logger = _logger(f"{self._here.flow}.{self._here.segment}")
        seg_input = self._inputs if self._group is ... else self._group
        self._namespace |= {"__name__": self._here.segment, "__file__": path, "logger": logger, "seg_input": seg_input}
        self._namespace |= {"seg_output": _Unsaid(), **own}
        return self._namespace

    def finish(self) -> None:
        """Let what was written below Python be seen too, and remove what was for a time."""
        if self._temporary is not None:
            self._temporary.cleanup()
        if self._began:
            note_elsewhere([], contextvars.Context().run(_files_below, self._folder), [])

    # Inputs and outputs --------------------------------------------------------------------------------------------

    def get_input(self, seg: str | None = None) -> Any:
        """Return the input from a segment, or the first; the class where inputs are grouped."""
        return self._group if seg is None and self._group is not ... else self._inputs(seg)

    def set_output(self, output: Any) -> None:
        """Set the outputs: a list, or the only one."""
        self._namespace["seg_output"] = output if isinstance(output, list) else [output]

    # Files ---------------------------------------------------------------------------------------------------------

    def get_data_fn(self, basename: str, seg: str | None = None) -> str:
        """Return the path of a file of this task; or of the task of another segment that this one rests on."""
        if seg is None or seg == self._here.segment:
            self._begin()
            path = self._folder / basename
            if not path.resolve().is_relative_to(self._folder.resolve()):
                raise RmsError(f"{basename} lies outside the folder of the task", hint="name a file in it")
            path.parent.mkdir(parents=True, exist_ok=True)
            return str(path)
        found = self._made(basename, seg)
        if len(found) > 1:
            raise RmsError(
                f"{len(found)} tasks of {seg} that this one rests on have made {basename}",
                hint="glob_parent('*') lists what they made",
            )
        return found[0]

    def glob_parent(self, regexp: str = "*", segs: str | Sequence[str] | None = None) -> list[str]:
        """Return the files that parents of this task have made, by a pattern; only those of some segments, if given."""
        wanted = [segs] if isinstance(segs, str) else segs
        return [path for seg in wanted or self._parents for path in _matching(self._of(seg), regexp)]

    def glob_seg(self, seg: str, regexp: str = "*") -> list[str]:
        """Return the files that all tasks of a segment have made, by a pattern."""
        if seg not in self._segments:
            raise RmsError(f"glob_seg: {seg} is not a segment before this one", hint="name one that it rests on")
        return _matching(self._segments[seg], regexp)

    def get_tmp_fn(self) -> str:
        """Return the path of a file that is removed when the task ends."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="rms-segment-", ignore_cleanup_errors=True)
        handle, path = tempfile.mkstemp(dir=self._temporary.name)
        os.close(handle)
        return path

    # Parameters and products ---------------------------------------------------------------------------------------

    def save_param(self, lst: str | Iterable[str]) -> None:
        """Save variables as parameters, which `load_param` gives to the segments that follow."""
        self._write_parameters("args", lst)

    def expose(self, lst: str | Iterable[str]) -> None:
        """Show variables as parameters, in the table of the flow."""
        self._write_parameters("exposed", lst)

    def load_param(self, seg: str, glo: dict[str, Any] | None = None, lst: str | Iterable[str] = "*") -> dict[str, Any]:
        """Put parameters that another segment has saved into the namespace; returns them."""
        paths = self._made(f"{seg}.args", seg)
        found = [_selected(read_parameters(path), lst, path) for path in paths]
        for name, value in found[0].items():
            if any(name not in other or other[name] != value for other in found):
                raise RmsError(
                    f"{name} is not the same in all {len(found)} tasks of {seg} that this one rests on",
                    hint=f"let {seg} put it into its output, with what belongs to it",
                )
        return self._put_in(glo, found[0])

    def save_products(self, filename: str, glo: dict[str, Any] | None = None, lst_par: Any = "*") -> None:
        """Keep variables in a file, by pickle."""
        found = self._chosen(self._namespace if glo is None else glo, lst_par)
        path = filename if os.path.isabs(filename) else self.get_data_fn(filename)
        with open(path, "wb") as file:
            pickle.dump(found, file)

    def load_products(self, filename: str, glo: dict[str, Any] | None = None, lst_par: Any = "*") -> dict[str, Any]:
        """Put variables that a file keeps into the namespace; returns them."""
        if not self._here.is_trusted:
            raise UntrustedContent(f"{filename} is a pickle, and this store was made elsewhere", hint="%rms trust")
        path = filename if os.path.isabs(filename) else self.get_data_fn(filename)
        with open(path, "rb") as file:
            found = pickle.load(file)
        return self._put_in(glo, _selected(found, lst_par, filename))

    # The rest ------------------------------------------------------------------------------------------------------

    def logged_subprocess(self, lst_args: Sequence[Any]) -> None:
        """Run a program, and write what it says to ``program.log`` and ``program.err``; raises if it fails.

        It ends with the task, whatever ends that.
        """
        if isinstance(lst_args, (str, bytes)) or not lst_args:
            hint = "write the program and its arguments, each as one: logged_subprocess(['head', '-n', '3', path])"
            raise RmsError(f"logged_subprocess takes a list, not {lst_args!r:.60}", hint=hint)
        arguments = [os.fspath(a) if isinstance(a, os.PathLike) else str(a) for a in lst_args]
        name = os.path.basename(arguments[0])
        said, erred = self.get_data_fn(f"{name}.log"), self.get_data_fn(f"{name}.err")
        mode = "ab" if os.path.exists(said) else "wb"  # Only what was written from its beginning is an output.
        with open(said, mode) as out, open(erred, mode) as err:
            code = run_program(arguments, None, out.write, err.write)
        if code:
            raise failed(name, code, hint=f"what it said is in {erred}")

    def hook(self, hookname: str, glo: dict[str, Any] | None = None) -> None:
        """Run ``segment_hookname.py`` in the namespace."""
        if hookname not in self._hooks:
            raise RmsError(
                f"{self._here.segment} has no hook {hookname!r}",
                hint=f"write {self._here.segment}_{hookname}.py beside its script",
            )
        code = self._hooks[hookname]
        exec(compile(code.text, code.path, "exec", dont_inherit=True), self._namespace if glo is None else glo)

    def _begin(self) -> None:
        """Make the folder of this task, and remove what an earlier attempt has left in it."""
        if not self._began:
            contextvars.Context().run(partial(shutil.rmtree, self._folder, ignore_errors=True))
            self._folder.mkdir(parents=True, exist_ok=True)
            self._began = True

    def _of(self, seg: str) -> Mapping[str, str]:
        if seg not in self._parents:
            raise RmsError(
                f"{self._here.segment} does not rest on {seg}",
                hint=f"it rests on: {', '.join(self._parents) or 'nothing'}",
            )
        return self._parents[seg]

    def _made(self, basename: str, seg: str) -> list[str]:
        """The files of one name that tasks of a segment have made on which this one rests; at least one."""
        found = [path for name, path in self._of(seg).items() if _in_task(name) == basename]
        if not found:
            raise RmsError(
                f"no tasks of {seg} that this one rests on have made {basename}",
                hint="glob_parent('*') lists what they made",
            )
        return found

    def _write_parameters(self, kind: str, lst: str | Iterable[str]) -> None:
        lines = self._lines.setdefault(kind, [])
        for name, value in self._chosen(self._namespace, [lst] if isinstance(lst, str) else lst).items():
            value = value.item() if _is_scalar_of_numpy(value) else value
            try:
                if ast.literal_eval(repr(value)) != value:
                    raise ValueError
            except Exception:
                raise RmsError(
                    f"{name} = {value!r:.60} cannot be a parameter",
                    hint="numbers, text, and lists, tuples, sets and dicts of them are; others: save_products",
                ) from None
            lines.append(f"{name} = {value!r}\n")
        with open(self.get_data_fn(f"{self._here.segment}.{kind}"), "w", encoding="utf-8") as file:
            file.writelines(lines)

    def _chosen(self, glo: Mapping[str, Any], lst: str | Iterable[str]) -> dict[str, Any]:
        names = [n for n in glo if n not in NAMES and not n.startswith("_")] if lst == "*" else lst
        names = [names] if isinstance(names, str) else list(names)
        if missing := [name for name in names if name not in glo]:
            raise RmsError(f"there is no variable {missing[0]}", hint="assign it before")
        if lst == "*":
            names = [name for name in names if not isinstance(glo[name], type(os))]
        return {name: glo[name] for name in names}

    def _put_in(self, glo: dict[str, Any] | None, found: dict[str, Any]) -> dict[str, Any]:
        (self._namespace if glo is None else glo).update(found)
        return found


def _selected(found: dict[str, Any], lst: Any, where: str) -> dict[str, Any]:
    names = list(found) if lst == "*" else [lst] if isinstance(lst, str) else list(lst)
    if missing := [name for name in names if name not in found]:
        raise RmsError(f"{where} has no {missing[0]}", hint=f"it has: {', '.join(found) or 'nothing'}")
    return {name: found[name] for name in names}


def read_parameters(path: str) -> dict[str, Any]:
    """Read what `save_param` or `expose` has written; nothing in it can run."""
    with open(path, encoding="utf-8") as file:
        pairs = (line.partition(" = ") for line in file)
        return {name: ast.literal_eval(value.strip()) for name, _, value in pairs}


def _is_scalar_of_numpy(value: Any) -> bool:
    return hasattr(value, "item") and getattr(value, "shape", None) == ()


def _matching(files: Mapping[str, str], pattern: str) -> list[str]:
    return sorted(path for name, path in files.items() if fnmatch.fnmatchcase(_in_task(name), pattern))


def _in_task(name: str) -> str:
    return name.partition("/")[2]


def _files_below(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())


class _Stderr(logging.StreamHandler[Any]):
    """Writes to what standard error is when something is logged: what a task says is captured."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))

    @property
    def stream(self) -> Any:
        return sys.stderr


def _logger(name: str) -> logging.Logger:
    """Make a logger of this task's own: one that all share would be a state of the process."""
    logger = logging.Logger(name, logging.INFO)
    logger.addHandler(_Stderr())
    return logger
