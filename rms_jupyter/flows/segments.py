"""What runs for each segment of a flow: a pipe, a function or a script; and how does it get its inputs?"""

from __future__ import annotations

import difflib
import inspect
import sys
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rms_jupyter.errors import RegistrationError, RmsError
from rms_jupyter.fingerprint.origin import add_project
from rms_jupyter.flows.environment import GROUP, Handed, SegmentSurroundings
from rms_jupyter.flows.graph import FlowGraph
from rms_jupyter.flows.growth import PUSHED
from rms_jupyter.flows.multiplex import Element, Multiplex, SegmentOutput
from rms_jupyter.flows.naming import identifier_of, prefixes
from rms_jupyter.flows.script import PARENT_FILES, SEGMENT_FILES, Asks, ScriptSegment, SegmentScript, find_script
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.run.call.definition import Definition, contract_of

INPUT = "input"
Files = dict[str, dict[str, Any]]


class Entrance(NamedTuple):
    """What takes that which is pushed into a segment: the names of its parameters, and whether they must be filled."""

    names: tuple[str, ...]
    is_needed: bool


@dataclass
class Segment:
    """A segment, ready to be called.

    Attributes
    ----------
    name : str
    definition : Definition
    multiplex : Multiplex
    asks : Asks
        What it asks of other segments; functions ask for nothing.
    script : ScriptSegment or None
    is_new : bool
        Whether it was not a pipe before.
    """

    name: str
    definition: Definition
    multiplex: Multiplex
    asks: Asks = field(default_factory=Asks)
    script: ScriptSegment | None = None
    is_new: bool = True
    _bind: Callable[[Mapping[str, Any], Files, Files], tuple[Any, ...]] = lambda inputs, parents, segments: ()

    @property
    def source(self) -> str:
        """What runs, in words."""
        return self.script.path if self.script is not None else self.definition.name

    @property
    def entrance(self) -> Entrance | None:
        """What takes that which is pushed into it; None where nothing does."""
        if self.script is not None:
            return Entrance((INPUT,), True) if self.asks.input else None
        binder = self.definition.binder
        required = binder.required
        return Entrance(tuple(required or binder.names[:1]), bool(required)) if binder.names else None

    def values(self, element: Element, parent_files: Files, segment_files: Files) -> tuple[Any, ...]:
        """Bind what a task gets to the parameters of what runs."""
        inputs = {n: [i.given for i in own] if isinstance(own, list) else own.given for n, own in element.items.items()}
        if element.is_group:
            own = element.items.get(self.multiplex.group_by or "")
            inputs[GROUP] = own.given if isinstance(own, SegmentOutput) else element.group
        return self._bind(inputs, parent_files, segment_files)


class Finder:
    """Finds what runs for segments: by their names, or by the longest beginning of a name.

    Parameters
    ----------
    pipes : mapping of str to Pipe
        Those of the session.
    namespace : mapping of str to object
        Of whoever made the flow: its functions.
    given : mapping of str to callable
        What runs for some segments, by their names.
    place : Path, module or None
        Where scripts, or functions, are.
    """

    def __init__(
        self,
        pipes: Mapping[str, Pipe[Any]],
        namespace: Mapping[str, Any],
        given: Mapping[str, Any],
        place: Path | types.ModuleType | None,
    ) -> None:
        self._pipes, self._namespace, self.given, self._place = pipes, namespace, given, place
        if isinstance(place, Path):
            if not place.is_dir():
                raise RmsError(f"there is no folder {place}", hint="code_dir is the folder of the scripts")
            add_project(str(place))
            if str(place) not in sys.path:
                sys.path.append(str(place))  # Scripts import what lies beside them, in workers too.

    def find(self, name: str) -> Any:
        """Find a pipe, a function, or the path of a script.

        Raises
        ------
        RmsError
            If there is none.
        """
        if name in self.given:
            return self.given[name]
        if isinstance(self._place, Path) and (path := find_script(self._place, name)) is not None:
            return path
        for known in prefixes(name):
            rest = name[len(known) :]
            if (not rest or rest[0] in "_0123456789") and (found := self._function(known)) is not None:
                return found
        raise RmsError(f"there is nothing to run for the segment {name!r}", hint=self._hint(name))

    def _function(self, name: str) -> Any:
        inside = vars(self._place) if isinstance(self._place, types.ModuleType) else {}
        found = inside.get(name) or self._pipes.get(name) or self._namespace.get(name)
        return found if isinstance(found, (Pipe, types.FunctionType)) else None

    def _hint(self, name: str) -> str:
        scripts = [path.stem for path in self._place.glob("*.py")] if isinstance(self._place, Path) else []
        functions = [n for n, thing in self._namespace.items() if isinstance(thing, (Pipe, types.FunctionType))]
        if near := difflib.get_close_matches(name, [*scripts, *self._pipes, *functions], 1):
            return f"did you mean {near[0]}?"
        where = f", or write {self._place}/{name}.py" if isinstance(self._place, Path) else ""
        return f"define a function {name}{where}"


def segment_of(
    name: str,
    found: Any,
    graph: FlowGraph,
    flow: str,
    multiplex: str | None,
    is_pushed: bool,
    surroundings: SegmentSurroundings,
) -> Segment:
    """Make ready what was found for a segment.

    Parameters
    ----------
    name : str
    found : Pipe, function or Path
    graph : Graph
    flow : str
        Name of the flow.
    multiplex : str, optional
        What the user says of it; else its comments do.
    is_pushed : bool
        Whether outputs are pushed into it.
    surroundings : Surroundings

    Raises
    ------
    RmsError
        If it cannot take the outputs of its parents.
    """
    parents = list(graph.parents[name]) or [PUSHED] * is_pushed
    said = Multiplex.parse(multiplex, f"multiplex of {name}") if multiplex is not None else None
    if isinstance(found, Path):
        return _script(name, found, parents, flow, said, surroundings)
    function = found.func if isinstance(found, Pipe) else found
    said = said or _in_comments(function, name) or Multiplex()
    definition = found._definition if isinstance(found, Pipe) else _definition(name, function)
    bind = _binder(name, definition, parents, said)
    return Segment(name, definition, said, is_new=not isinstance(found, Pipe), _bind=bind)


def _script(
    name: str, path: Path, parents: Sequence[str], flow: str, said: Multiplex | None, surroundings: SegmentSurroundings
) -> Segment:
    script = SegmentScript.read(path, name)
    multiplex = said or script.multiplex or Multiplex()
    takes_any = multiplex.kind == "union"
    inputs = [*parents, *[GROUP] * (multiplex.group_by is not None)]
    pipe = f"{identifier_of(flow)}.{identifier_of(name)}"
    runs = ScriptSegment(script, pipe, inputs, takes_any, surroundings)
    definition = Definition(runs, contract_of({"name": pipe}))

    def bind(given: Mapping[str, Any], parent_files: Files, segment_files: Files) -> tuple[Any, ...]:
        files = {PARENT_FILES: Handed(parent_files), SEGMENT_FILES: Handed(segment_files)}
        asked = {label: own for label, own in files.items() if label in runs.parameters}
        return definition.binder.bind(**{identifier_of(parent): value for parent, value in given.items()}, **asked)

    return Segment(name, definition, multiplex, script.asks, runs, True, bind)


def _definition(name: str, function: Any) -> Definition:
    try:
        return Definition(function, contract_of({}))
    except RegistrationError as error:
        raise RmsError(f"the segment {name} cannot run: {error.message}", error.hint) from None


def _in_comments(function: Any, name: str) -> Multiplex | None:
    try:
        source = inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return None
    return Multiplex.in_comments(source, f"multiplex of {name}")


def _binder(
    name: str, definition: Definition, parents: Collection[str], multiplex: Multiplex
) -> Callable[[Mapping[str, Any], Files, Files], tuple[Any, ...]]:
    """Choose how a function gets its inputs: by parameters named like the parents; a single one by the first.

    What is pushed is for the first parameter; a dict or tuple of it, for several.
    """
    binder = definition.binder
    names = {parent: identifier_of(parent) for parent in parents}
    required = binder.required
    takes_all = any(p.kind is p.VAR_KEYWORD for p in binder.parameters)
    takes_group = multiplex.group_by is not None and (GROUP in binder.names or takes_all)
    known = {*names.values(), *[GROUP] * takes_group}
    is_union = multiplex.kind == "union"
    missing = [parameter for parameter in required if is_union or parameter not in known]
    if (takes_all or set(names.values()) <= set(binder.names)) and not missing and parents != [PUSHED]:

        def bind(given: Mapping[str, Any], parent_files: Files, segment_files: Files) -> tuple[Any, ...]:
            chosen = {
                names.get(parent, parent): value for parent, value in given.items() if parent in names or takes_group
            }
            return binder.bind(**chosen)

    elif ((len(parents) == 1 or is_union) and binder.names and len(missing) <= 1) or parents == [PUSHED]:

        def bind(given: Mapping[str, Any], parent_files: Files, segment_files: Files) -> tuple[Any, ...]:
            [value] = [value for parent, value in given.items() if parent in names]
            further = {GROUP: given[GROUP]} if takes_group else {}
            if parents == [PUSHED] and len(required) > 1:
                if not isinstance(value, (dict, tuple, list)):
                    hint = f"push a tuple, or a dict, for each of its tasks: flow.push({name}=[(...), (...)])"
                    raise RmsError(f"{name} takes {', '.join(required)}, and {value!r:.60} was pushed", hint=hint)
                return binder.bind(**value) if isinstance(value, dict) else binder.bind(*value)
            return binder.bind(value, **further)

    elif not parents:

        def bind(given: Mapping[str, Any], parent_files: Files, segment_files: Files) -> tuple[Any, ...]:
            raise RmsError(f"{name} takes {', '.join(required)}", hint=f"push what it gets: flow.push({name}=[...])")

    else:
        takes = ", ".join(binder.names) or "nothing"
        raise RmsError(
            f"the segment {name} gets the outputs of {', '.join(parents)}, and {definition.name} takes {takes}",
            hint="name its parameters like the segments",
        )
    return bind
