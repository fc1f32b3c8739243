"""How does one run of a flow grow?  Each task that ends gives its outputs to the segments that follow."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from rms_jupyter.errors import PlanFailed, RmsError
from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.flows.graph import FlowGraph
from rms_jupyter.flows.growth import Growth
from rms_jupyter.flows.multiplex import Element, Unread
from rms_jupyter.flows.picture import counted
from rms_jupyter.flows.segments import Files, Segment
from rms_jupyter.handles.plan import Plan
from rms_jupyter.handles.plan_report import PlanReport
from rms_jupyter.handles.resource import FileResource, Resource
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.plan.planned import Planned


class FlowRunHost(Protocol):
    """What a run asks of the session."""

    def result_of(self, answer: Answer) -> Any:
        """Make the resource of an answer."""

    def files_of(self, answer: Answer) -> list[FileResource]:
        """Make handles on the files that a task wrote."""


class FlowRun:
    """One run of a flow, from its first tasks on.

    Parameters
    ----------
    host : Host
    graph : Graph
    segments : mapping of str to Segment
        Ready to be called, each after those that it needs.
    pushed : mapping of str to sequence
    folder : Path
        Where the files of the flow go.
    plan : Plan
        To which its tasks are added; there may be others in it.

    Attributes
    ----------
    growth : Growth
        The tasks that are known.
    places : list of int
        The numbers that they have in the plan.
    plan : Plan
    """

    def __init__(
        self,
        host: FlowRunHost,
        graph: FlowGraph,
        segments: Mapping[str, Segment],
        pushed: Mapping[str, Sequence[Any]],
        folder: Path,
        plan: Plan,
    ) -> None:
        self._host, self._graph, self._segments, self._folder = host, graph, segments, folder
        self.plan, self._draft, self._hear = plan, plan.draft, self._on_done
        self._whole: Files = {}
        multiplex = {name: segment.multiplex for name, segment in segments.items()}
        self.growth = Growth(graph, multiplex, pushed, {name: self._asked_whole(name) for name in segments})
        self.places: list[int] = []
        self._numbers: dict[int, int] = {}
        self._running: set[int] = set()
        self._draft.to_come.append(self._to_come)
        self._add(self.growth.begin())

    @property
    def grows(self) -> bool:
        """Whether tasks are under way from which others may follow; from any thread."""
        return any(self.planned(number).error is None for number in tuple(self._running))

    def last_places(self) -> list[int]:
        """The numbers, in the plan, of what gives the outputs of the last segments, in order."""
        parents = {parent for parent, _ in self._graph.edges}
        last = [number for name in self._segments if name not in parents for number in self.numbers(name)]
        return [place for n in last for place in self.planned(n).further or (self.places[n],)]

    def numbers(self, segment: str) -> list[int]:
        """The tasks of a segment, in the order of its outputs."""
        numbers = [number for number, task in enumerate(self.growth.tasks) if task.segment == segment]
        return sorted(numbers, key=lambda number: self.growth.tasks[number].element.rank)

    def planned(self, number: int) -> Planned:
        """What became of a task."""
        return self._draft.tasks[self.places[number]]

    def has_ended_well(self, number: int) -> bool:
        """Whether a task has succeeded, with all that it has asked for."""
        planned = self.planned(number)
        return planned.answer is not None and all(self._draft.tasks[place].answer for place in planned.further)

    def given(self, number: int) -> Any:
        """What a call that has succeeded gave; the several files that it declares, as a list."""
        given, planned = self.plan.given(self.places[number]), self.planned(number)
        is_files = planned.answer is not None and planned.answer.task.out[0].kind == "file"
        return list(given) if is_files and isinstance(given, tuple) else given

    def state_of(self, number: int) -> str:
        """How a task ended, or where it is."""
        planned = self.planned(number)
        if planned.answer is not None:
            return "hit" if planned.answer.hit else "done"
        if planned.error is not None:
            return "failed"
        return "waiting" if self.plan.is_running else "cancelled"

    def counts(self) -> dict[str, dict[str, int]]:
        """For each segment, how many of its tasks ended in which way."""
        counts: dict[str, Counter[str]] = {name: Counter() for name in self._segments}
        for number, task in enumerate(self.growth.tasks):
            counts[task.segment][self.state_of(number)] += 1
        return {name: dict(own) for name, own in counts.items()}

    def problems(self) -> dict[str, str]:
        """What keeps segments from having all their tasks."""
        found = {name: error.message for name, error in self.growth.problems.items()}
        counts = self.counts() if self.plan.has_ended else {}
        for name in self._segments if self.plan.has_ended else ():
            lacking = [needed for needed in self._needs_whole(name) if not self.growth.is_complete(needed)]
            if lacking and name not in found:
                culprit = self._unfinished(lacking[0], counts)
                is_paired = self._segments[name].multiplex.goes_in_order
                why = (
                    f"{name} ran as far as it is known what goes together: by the order of the outputs of {lacking[0]}"
                    if is_paired
                    else f"{name} did not run: it needs all of {lacking[0]}"
                )
                found[name] = f"{why}; {culprit}: {counted(counts[culprit])}"
        return found

    def _to_come(self) -> list[tuple[str, str]]:
        """Name the segments of which not all tasks are known, and say what they depend on."""
        parents = self._graph.parents
        unknown = [name for name in self._segments if not self.growth.is_known(name)]
        return [(name, f"as many as {' and '.join(parents[name])} give") for name in unknown]

    def _unfinished(self, name: str, counts: Mapping[str, Mapping[str, int]]) -> str:
        """The first segment on the way to one with tasks that did not succeed; itself if there is none."""
        on_the_way = (*self._graph.ancestors(name), name)
        return next((one for one in on_the_way if not {*counts[one]} <= {"done", "hit"}), name)

    def _needs_whole(self, name: str) -> list[str]:
        multiplex = self._segments[name].multiplex
        parents = self._graph.parents[name] if multiplex.waits_for_all or multiplex.goes_in_order else ()
        return [*parents, *self._asked_whole(name)]

    def _asked_whole(self, name: str) -> list[str]:
        """Segments before one for whose files, of all tasks, it asks."""
        asked = self._segments[name].asks.whole
        return [other for other in self._graph.ancestors(name) if asked is None or other in asked]

    # Growing -------------------------------------------------------------------------------------------------------

    def _on_done(self, place: int) -> None:
        """Add the tasks that follow from one that has ended, or from one whose further calls have."""
        number = self._numbers.get(place)
        if number is None:
            number = self._asker(place)
            if number is None:
                return
        try:
            outputs, give = self._outputs(self.planned(number))
        except RmsError as error:
            self.growth.give_up(number, error)
        else:
            self._add(self.growth.done(number, outputs, give))
        self._running.discard(number)

    def _asker(self, place: int) -> int | None:
        """The task that has asked for a call, if all that it has asked for have ended."""
        asked_by = ((number, self.planned(number).further) for number in self._running)
        number, further = next(((n, own) for n, own in asked_by if place in own), (None, ()))
        return number if all(self._draft.tasks[one].answer for one in further) else None

    def _add(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            name, element = self.growth.tasks[number]
            segment = self._segments[name]
            needs = frozenset(self.places[parent] for parent in self.growth.parents(number))
            try:
                values, refusal = segment.values(element, *self._files_asked(number, segment)), None
            except Exception as error:
                values, refusal = _as_asked(segment, element), error
            place = self._draft.add(segment.definition, values, needs, on_done=self._hear)
            self.places.append(place)
            self._numbers[place] = number
            self._running.add(number)
            if refusal is not None:
                self._draft.refused[place] = refusal

    def _outputs(self, planned: Planned) -> tuple[list[Any], Callable[[Any, int], Any]]:
        """Read the outputs of a task, and say what is given for each: files are given as they are."""
        assert planned.answer is not None
        if planned.further:
            asked = [self._draft.tasks[place] for place in planned.further]
            if not planned.is_list:
                return self._outputs(asked[0])
            wholes = [self._host.result_of(task.answer) for task in asked if task.answer is not None]
            return [Unread(partial(unwrap, one)) for one in wholes], lambda value, place: wholes[place]
        whole = self._host.result_of(planned.answer)
        if not isinstance(whole, Resource) or isinstance(whole, FileResource):
            return list(whole) if isinstance(whole, tuple) else [whole], lambda value, place: value
        record = whole._rms.record
        if record.type == "list":
            return whole._rms.load(), lambda item, place: whole._rms_part(place, item)
        # What is large is not held for the sake of the few that look at it.
        value = record.value if record.format == "json" else Unread(whole._rms.load)
        return [value], lambda value, place: whole

    # Files that scripts ask for ------------------------------------------------------------------------------------

    def _files_asked(self, number: int, segment: Segment) -> tuple[Files, Files]:
        """Find the files that a script is handed over: of tasks that this one rests on, and of all of some segments."""
        if segment.script is None:
            return {}, {}
        asks, ancestors = segment.asks, self._graph.ancestors(segment.name)
        named = {name for name in ancestors if asks.above is None or name in asks.above}
        parents = self.growth.parents(number) if asks.parents else []
        known = named | set(self._graph.parents[segment.name] if asks.parents else ())
        own: Files = {name: {} for name in ancestors if name in known}
        for task in {*parents, *(self.growth.above(number) if named else ())}:
            name = self.growth.tasks[task].segment
            if name in named or task in parents:
                own[name].update(self._files_of(task))
        handed = {name: dict(sorted(files.items())) for name, files in own.items()}  # Whichever task has ended first.
        return handed, {name: self._all_files(name) for name in self._asked_whole(segment.name)}

    def _all_files(self, name: str) -> dict[str, Any]:
        """The files of all tasks of a segment that is complete."""
        if name not in self._whole:
            tasks = [number for number, task in enumerate(self.growth.tasks) if task.segment == name]
            self._whole[name] = dict(sorted(pair for number in tasks for pair in self._files_of(number).items()))
        return self._whole[name]

    def _files_of(self, number: int) -> dict[str, FileResource]:
        """The files of a task by the names that others find them by: its folder, and the name in that."""
        answer = self.planned(number).answer
        assert answer is not None
        return {self._name_of(file.path, answer.task.key): file for file in self._host.files_of(answer)}

    def _name_of(self, path: str, key: str) -> str:
        inside = Path(path)
        if inside.is_relative_to(self._folder) and len(parts := inside.relative_to(self._folder).parts) > 2:
            return "/".join(parts[1:])
        return f"{key[:8]}/{inside.name}"


@contextlib.contextmanager
def problems_told(runs: Sequence[FlowRun]) -> Iterator[None]:
    """Let what keeps segments from running be failures of the run, beside those of tasks."""
    __tracebackhide__ = True
    failed: PlanFailed | None = None
    try:
        yield
    except PlanFailed as error:
        failed = error
    if any(run.plan.is_running for run in runs):
        return
    problems = [problem for run in runs for problem in run.growth.problems.items()]
    if failed is None and problems:
        first = problems[0][1]
        failed = PlanFailed(first.message, first.hint)
        failed.report, failed.__cause__ = PlanReport({}), first
    if failed is not None:
        failed.report.failures += problems
        raise failed


def _as_asked(segment: Segment, element: Element) -> tuple[Any, ...]:
    """What a call that cannot be made is shown with: as many values as what runs has parameters."""
    given = [own if isinstance(own, list) else own.given for own in element.items.values()]
    count = len(segment.definition.binder.names)
    return tuple([*given, *[None] * count][:count])
