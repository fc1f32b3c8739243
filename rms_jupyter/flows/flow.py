"""What is a flow to the user?  A graph of segments that is run, looked at, and asked for its outputs and versions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rms_jupyter import model
from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.flows import flow_run
from rms_jupyter.flows.environment import SegmentSurroundings, read_parameters
from rms_jupyter.flows.flow_run import FlowRun, problems_told
from rms_jupyter.flows.graph import FlowGraph
from rms_jupyter.flows.joined import OutputsToCome, joined_here
from rms_jupyter.flows.naming import folder_of
from rms_jupyter.flows.picture import as_html, as_text, counted
from rms_jupyter.flows.segments import Entrance, Finder, Segment, segment_of
from rms_jupyter.flows.version import Versions
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan, as_table
from rms_jupyter.handles.plan_report import PlanReport
from rms_jupyter.handles.resource import FileResource
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.plan.progress import Watch


class FlowHost(flow_run.FlowRunHost, Protocol):
    """What a flow asks of the session."""

    def plan(self) -> Plan:
        """Collect calls."""

    def adopt(self, pipe: Pipe[Any]) -> None:
        """Let a pipe be known by its name."""

    def keep_flow(self, name: str, text: str, pipes: Mapping[str, str]) -> None:
        """Note in the store what a flow is, under its name."""

    def pipe_of(self, definition: Definition) -> Pipe[Any]:
        """Make a pipe."""

    def version_now(self, definition: Definition) -> bytes:
        """Return the code version of a pipe as it would run now."""

    def flow_folder(self, flow: str) -> Path:
        """Return where the files of a flow go."""

    @property
    def watching(self) -> Callable[[Plan], contextlib.AbstractContextManager[object]]:
        """Shows a run while it goes on."""

    def keep_running(self, plan: Plan, name: str = "") -> str:
        """Remember a plan that runs in the background, under a name."""

    def is_trusted(self) -> bool:
        """Whether pickles on record may be read."""

    def versions_of(self, pipe: str) -> Versions:
        """List the code versions of a pipe that have tasks."""


class Flow:
    """A graph of segments, each run once for each of its inputs. Made by `Session.flow`.

    Parameters
    ----------
    host : Host
    graph : Graph
    name : str
    finder : Finder
    multiplex : mapping of str to str
        What is said of segments, beside their comments.

    Examples
    --------
    >>> import rms_jupyter as rms, tempfile
    >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
    >>> knights = quality = lambda name: name
    >>> melt = lambda knights, quality: f"{knights} {quality}"
    >>> flow = s.flow("knights -> melt; quality -> melt")
    >>> flow = flow.push(knights=["Lancelot", "Galahad"], quality=["the Brave", "the Pure"])
    >>> print(flow.run(n_jobs=1))
    8 done
    >>> flow["melt"]
    ['Lancelot the Brave', 'Lancelot the Pure', 'Galahad the Brave', 'Galahad the Pure']
    >>> s.close()
    """

    def __init__(
        self, host: FlowHost, graph: FlowGraph, name: str, finder: Finder, multiplex: Mapping[str, str]
    ) -> None:
        self._host, self.graph, self.name, self._finder, self._multiplex = host, graph, name, finder, multiplex
        self._pushed: dict[str, Sequence[Any]] = {}
        self._folder = host.flow_folder(folder_of(name))
        self._last: FlowRun | None = None
        self._kept: dict[str, str] = {}
        self._check_names(multiplex, "a multiplex")
        self._check_names(finder.given, "segments=")
        self._segments = self._find_segments()
        self._begin(host.plan(), dict.fromkeys(self._orphans(), ()))  # Says what is wrong.

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments, each after those that it needs."""
        return self.graph.segments

    def push(self, outputs: Mapping[str, Sequence[Any]] | None = None, /, **further: Sequence[Any]) -> Flow:
        """Give segments without parents what they get, one task for each: ``flow.push(fftimg=[1, 2, 3, 4])``.

        Parameters
        ----------
        outputs : mapping, optional
            The same, for segments whose names are no names in Python.

        Raises
        ------
        RmsError
            If there is no such segment, or it has parents.
        """
        for name, values in {**(outputs or {}), **further}.items():
            self._check_names([name], "what is pushed")
            if self.graph.parents[name]:
                hint = f"push into a segment without parents: {', '.join(self._orphans())}"
                raise RmsError(f"{name} gets the outputs of {', '.join(self.graph.parents[name])}", hint=hint)
            if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
                raise RmsError(f"{name} is pushed a list", hint=f"flow.push({name}=[...])")
            self._pushed[name] = list(values)
        return self

    def run(
        self,
        n_jobs: int | None = None,
        executor: Any = None,
        on_error: str = "continue",
        watch: Watch | None = None,
        background: bool = False,
    ) -> PlanReport | None:
        """Run what the store does not answer; a task begins as soon as its inputs are there. See `Plan.run`.

        In the body of a template, its tasks join the others of the template.

        Returns
        -------
        Report
            None in the background; `wait` gives it.

        Raises
        ------
        PlanFailed
            After all that can finish has finished.
        RmsError
            If a segment cannot run.
        """
        __tracebackhide__ = True
        if self._last is not None and self._last.plan.is_running:
            raise RmsError(f"{self.name} is running", hint="flow.wait(), or flow.stop()")
        self._make_ready(self._pushed)
        if (body := joined_here()) is not None:
            self._last = self._begin(body.plan, self._pushed)
            body.flows.append((self, self._last))
            return None
        run = self._last = self._begin(self._host.plan(), self._pushed)
        if background:
            self._host.keep_running(run.plan, self.name)
            return run.plan.run(n_jobs, executor, on_error, watch=watch, background=True)
        with problems_told([run]), self._host.watching(run.plan):
            return run.plan.run(n_jobs, executor, on_error, watch=watch)

    def entrances(self) -> dict[str, Entrance]:
        """List what can be pushed into the flow: the segments without parents that take something.

        What was pushed already need not be.
        """
        found = {name: self._segments[name].entrance for name in self._orphans()}
        return {
            name: entrance._replace(is_needed=entrance.is_needed and name not in self._pushed)
            for name, entrance in found.items()
            if entrance is not None
        }

    def pipe_names(self) -> set[str]:
        """Names of the pipes that run for its segments."""
        return {segment.definition.name for segment in self._segments.values()}

    def beginning(self, plan: Plan, pushed: Iterable[str]) -> Callable[[Mapping[str, Sequence[Any]]], FlowRun]:
        """Make ready to add runs of the flow to a plan, each with outputs that are pushed beside those of `push`.

        Parameters
        ----------
        plan : Plan
        pushed : iterable of str
            The segments into which some are.
        """
        self._make_ready([*self._pushed, *pushed])
        return lambda outputs: self._begin(plan, {**self._pushed, **outputs})

    def wait(self, timeout: float | None = None) -> PlanReport:
        """Wait for a run in the background; see `Plan.wait`."""
        __tracebackhide__ = True
        with problems_told([self._run]):
            return self._run.plan.wait(timeout)

    def stop(self) -> None:
        """End a run in the background; what has finished is kept."""
        self._run.plan.stop()

    def __getitem__(self, segment: str) -> Any:
        """Outputs of all tasks of a segment, in order; in the body of a template, what stands for them."""
        self._check_names([segment], "this")
        return self._now_or_later(segment, _outputs_of)

    def files(self, segment: str) -> Any:
        """Files that the tasks of a segment have made, in order; in the body of a template, what stands for them."""
        self._check_names([segment], "this")
        return self._now_or_later(segment, self._files_of)

    def look_back_on(self, run: FlowRun) -> None:
        """Answer for a run that was a part of another plan from now on."""
        self._last = run

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """For each segment, how many of its tasks ended in which way."""
        return self._last.counts() if self._last is not None else {name: {} for name in self.segments}

    @property
    def problems(self) -> list[str]:
        """What keeps segments from having all their tasks."""
        return list(self._last.problems().values()) if self._last is not None else []

    def table(self) -> Any:
        """List the tasks, with what they have exposed.

        Returns
        -------
        pandas.DataFrame or list of dict
            Columns ``segment``, ``task``, ``status``, ``seconds``, ``outputs``, ``folder``, then what was exposed; a
            list where pandas is not installed.
        """
        return as_table([self._row(name, number) for name in self.segments for number in self._run.numbers(name)])

    def versions(self, segment: str) -> Versions:
        """List the versions of a segment that have tasks, the latest first.

        Each can be tagged (``.tag("paper")``), compared (``.compare(other)``) and deleted (``.delete()``).
        """
        self._check_names([segment], "this")
        return self._host.versions_of(self._segments[segment].definition.name)

    def to_dot(self, path: str | os.PathLike[str] | None = None) -> str:
        """Write the flow as DOT, into a file if a path is given; returns the text."""
        counts = self.counts
        labels = {name: f"{name}\n{counted(own)}" for name, own in counts.items() if own}
        text = self.graph.to_dot(labels)
        if path is not None:
            Path(path).write_text(f"{text}\n", encoding="utf-8")
        return text

    def __repr__(self) -> str:
        return "\n".join([as_text(self.graph, self.counts), *self.problems])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        html = as_html(self.graph, self.counts, self.name, self.problems)
        return {"text/plain": repr(self), "text/html": html}

    # Preparing -----------------------------------------------------------------------------------------------------

    def _make_ready(self, pushed: Iterable[str]) -> None:
        self._segments = self._find_segments(pushed)
        for segment in self._segments.values():
            if segment.is_new:
                self._host.adopt(self._host.pipe_of(segment.definition))
        pipes = {name: segment.definition.name for name, segment in self._segments.items()}
        if pipes != self._kept:
            self._host.keep_flow(self.name, self.graph.to_dot(), pipes)
            self._kept = pipes

    def _begin(self, plan: Plan, pushed: Mapping[str, Sequence[Any]]) -> FlowRun:
        return FlowRun(self._host, self.graph, self._segments, pushed, self._folder, plan)

    def _find_segments(self, pushed: Iterable[str] = ()) -> dict[str, Segment]:
        """Find what runs, as it is now, and where its files go: below the versions of what it rests on."""
        found: dict[str, Segment] = {}
        versions: dict[str, bytes] = {}
        for name in self.segments:
            here = SegmentSurroundings(name, self.name, "", self._host.is_trusted())
            said, is_pushed = self._multiplex.get(name), name in pushed
            segment = segment_of(name, self._finder.find(name), self.graph, self.name, said, is_pushed, here)
            own = self._host.version_now(segment.definition)
            versions[name] = tagged("segment", [own, *(versions[parent] for parent in self.graph.parents[name])])
            if segment.script is not None:
                segment.script.work_in(str(self._folder / f"{folder_of(name)}_{versions[name].hex()[:6]}"))
            found[name] = segment
        return found

    # Looking back --------------------------------------------------------------------------------------------------

    @property
    def _run(self) -> FlowRun:
        if self._last is None:
            raise RmsError(f"{self.name} was not run", hint="flow.run()")
        return self._last

    def _now_or_later(self, segment: str, read: Callable[[FlowRun, str], list[Any]]) -> Any:
        """Read what the last run gives; or make what stands for it, where the body of a template has just begun it."""
        run, body = self._run, joined_here()
        if body is not None and run in body.runs:
            return OutputsToCome(segment, lambda: read(run, segment))
        return read(run, segment)

    def _files_of(self, run: FlowRun, segment: str) -> list[FileResource]:
        answers = [run.planned(number).answer for number in run.numbers(segment)]
        return [file for answer in answers if answer is not None for file in self._host.files_of(answer)]

    def _row(self, segment: str, number: int) -> dict[str, Any]:
        planned = self._run.planned(number)
        answer = planned.answer
        row: dict[str, Any] = {"segment": segment, "task": planned.label, "status": self._run.state_of(number)}
        row |= {"seconds": answer.task.seconds if answer else None}
        row |= {"outputs": _preview(answer.task) if answer else str(planned.error or "")}
        files = [file.path for file in self._host.files_of(answer)] if answer else []
        row["folder"] = os.path.commonpath([os.path.dirname(path) for path in files]) if files else ""
        for path in files:
            if path.endswith(".exposed"):
                with contextlib.suppress(OSError, ValueError, SyntaxError):
                    row |= read_parameters(path)
        return row

    def _orphans(self) -> list[str]:
        return [name for name, parents in self.graph.parents.items() if not parents]

    def _check_names(self, names: Iterable[str], what: str) -> None:
        for name in names:
            if name not in self.graph.parents:
                hint = f"there are: {', '.join(self.segments)}"
                raise RmsError(f"{what} names {name!r}, which is not a segment", hint=hint)


def _outputs_of(run: FlowRun, segment: str) -> list[Any]:
    found = [run.given(number) for number in run.numbers(segment) if run.has_ended_well(number)]
    return [output for given in found for output in (given if isinstance(given, list) else [given])]


def _preview(task: model.TaskRecord) -> str:
    out = task.out[0] if task.out else model.ResourceRecord("")
    return str(out.value) if out.format == "json" else out.preview or out.path
