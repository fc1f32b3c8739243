"""What can a rule do?  Call a pipe, a template, or a flow: each says what it takes, and adds its tasks to a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, NamedTuple, Protocol

from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.flows.flow import Flow
from rms_jupyter.flows.flow_run import FlowRun
from rms_jupyter.flows.joined import joining
from rms_jupyter.flows.naming import identifier_of
from rms_jupyter.flows.templates.template import Template
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.model import TaskRecord

BY_NAME = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class CallHost(Protocol):
    """What is asked of the session about calls."""

    def identify_call(self, pipe: Pipe[Any], arguments: Mapping[str, Any]) -> Any:
        """Find out which call this is."""

    def outcome_of_call(self, pipe: Pipe[Any], call: Any) -> tuple[int, TaskRecord] | None:
        """Find the task that answers a call, or with which it has failed as it would again."""


class Underway(Protocol):
    """The tasks of a call in a plan."""

    @property
    def numbers(self) -> Sequence[int]:
        """The tasks that are known."""

    @property
    def grows(self) -> bool:
        """Whether further tasks may follow from these."""

    @property
    def made(self) -> Sequence[int]:
        """The tasks whose results are those of the call."""

    @property
    def problem(self) -> BaseException | None:
        """What keeps it from having all its tasks."""


class Action(Protocol):
    """What a rule does with files.

    Attributes
    ----------
    name : str
    noun : str
        What takes a file, in words.
    parameters : mapping of str to Parameter
        What takes values; the file goes to the first one that nothing else is for.
    takes_any : bool
        Whether it takes values of any name.
    declares_outputs : bool
        Whether it says by itself what it writes.
    """

    name: str
    noun: str
    parameters: Mapping[str, Parameter]
    takes_any: bool
    declares_outputs: bool

    @property
    def output_names(self) -> Sequence[str]:
        """The parameters that it declares to take the paths to write to."""

    def writes_as(self) -> set[str]:
        """Names of the pipes whose calls write its files."""

    def given(self, name: str, value: Any, values: Mapping[str, Any]) -> Any:
        """Make what a parameter gets of a file, and the values in its name."""

    def identify(self, host: CallHost, arguments: Mapping[str, Any]) -> Any:
        """Find out which call this is."""

    def outcome(self, host: CallHost, call: Any) -> tuple[int, TaskRecord] | None:
        """Find the task that answers a call, or has failed; where there are several, they are looked up one by one."""

    def beginning(self, plan: Plan) -> Callable[[Mapping[str, Any]], Underway]:
        """Make ready to add calls to a plan."""


class Together(NamedTuple):
    """What tells a call of several tasks from others."""

    key: str


@dataclass
class Tasks:
    """Tasks that are all known; the last one gives the result."""

    numbers: Sequence[int]
    grows: bool = False
    problem: BaseException | None = None

    @property
    def made(self) -> Sequence[int]:
        """The tasks whose results are those of the call."""
        return self.numbers[-1:]


class PipeAction:
    """Calls a pipe."""

    noun = "parameter"

    def __init__(self, pipe: Pipe[Any]) -> None:
        self._pipe, self.name = pipe, pipe.name
        found = pipe._definition.binder.parameters
        self.parameters: Mapping[str, Parameter] = {parameter.name: parameter for parameter in found}
        self.takes_any = _takes_any(self.parameters)
        self.declares_outputs = bool(pipe.contract.outputs)

    @property
    def output_names(self) -> list[str]:
        """The parameters that it declares to take the paths to write to."""
        definition = self._pipe._definition
        roles = [name for name, role in definition.roles.items() if role == "out"]
        return roles + [name for name in definition.contract.outputs if name in self.parameters]

    def writes_as(self) -> set[str]:
        """Names of the pipes whose calls write its files."""
        return {self.name}

    def given(self, name: str, value: Any, values: Mapping[str, Any]) -> Any:
        """Make what a parameter gets of a file."""
        return value

    def identify(self, host: CallHost, arguments: Mapping[str, Any]) -> Any:
        """Find out which call this is."""
        return host.identify_call(self._pipe, arguments)

    def outcome(self, host: CallHost, call: Any) -> tuple[int, TaskRecord] | None:
        """Find the task that answers a call, or with which it has failed."""
        return host.outcome_of_call(self._pipe, call)

    def beginning(self, plan: Plan) -> Callable[[Mapping[str, Any]], Underway]:
        """Make ready to add calls to a plan."""

        def begin(arguments: Mapping[str, Any]) -> Underway:
            plan.add(self._pipe, (), dict(arguments))
            return Tasks([len(plan) - 1])

        return begin


class _Several:
    """What makes several tasks of a call, whose pipes have their own options."""

    declares_outputs = True
    output_names: Sequence[str] = ()
    name: str
    _says: str

    def writes_as(self) -> set[str]:
        """Names of the pipes whose calls write its files."""
        return {self.name}

    def given(self, name: str, value: Any, values: Mapping[str, Any]) -> Any:
        """Make what a parameter gets of a file."""
        return value

    def identify(self, host: CallHost, arguments: Mapping[str, Any]) -> Any:
        """Find out which call this is."""
        return Together(tagged(self.__class__.__name__, [repr((self.name, self._says, arguments)).encode()]).hex())

    def outcome(self, host: CallHost, call: Any) -> tuple[int, TaskRecord] | None:
        """Find nothing: its tasks are looked up one by one."""
        return None


class TemplateAction(_Several):
    """Makes the calls of a template."""

    noun = "parameter"

    def __init__(self, template: Template) -> None:
        self._template, self.name, self._says = template, template.name, template.text
        self.parameters: Mapping[str, Parameter] = template.signature.parameters
        self.takes_any = _takes_any(self.parameters)

    def beginning(self, plan: Plan) -> Callable[[Mapping[str, Any]], Underway]:
        """Make ready to add calls to a plan."""

        def begin(arguments: Mapping[str, Any]) -> Underway:
            before = len(plan)
            with joining(plan) as body:
                self._template.add_to(plan, **arguments)
            added = range(before, len(plan))
            return WithFlows(added, body.runs) if body.runs else Tasks(added)

        return begin


class FlowAction(_Several):
    """Pushes files into a flow: each is a run of it, beside what was pushed before.

    Its parameters are the segments without parents; functions among them get the values in a file's name by further
    parameters of these names.
    """

    noun, takes_any = "segment without parents", False

    def __init__(self, flow: Flow) -> None:
        self._flow, self.name, self._says = flow, flow.name, flow.graph.to_dot({})
        self._entrances = flow.entrances()
        needed_first = sorted(self._entrances.items(), key=lambda entrance: not entrance[1].is_needed)
        self.parameters: Mapping[str, Parameter] = {
            name: Parameter(
                identifier_of(name), Parameter.KEYWORD_ONLY, default=Parameter.empty if entrance.is_needed else None
            )
            for name, entrance in needed_first
        }

    def writes_as(self) -> set[str]:
        """Names of the pipes whose calls write its files."""
        return self._flow.pipe_names()

    def given(self, name: str, value: Any, values: Mapping[str, Any]) -> Any:
        """Make what is pushed into a segment; a list is pushed as it is, an item a task."""
        names = self._entrances[name].names
        further = {other: values[other] for other in names if other in values}
        free = [other for other in names if other not in further]
        return {**further, free[0]: value} if further and free else value

    def beginning(self, plan: Plan) -> Callable[[Mapping[str, Any]], Underway]:
        """Make ready to add calls to a plan; what runs for the segments is found once for all of them."""
        begin = self._flow.beginning(plan, self._entrances)

        def begin_one(arguments: Mapping[str, Any]) -> Underway:
            return InFlow(begin({n: own if isinstance(own, list) else [own] for n, own in arguments.items()}))

        return begin_one


@dataclass
class InFlow:
    """The tasks of a flow that was begun in a plan."""

    run: FlowRun

    @property
    def numbers(self) -> Sequence[int]:
        """The tasks that are known."""
        return self.run.places

    @property
    def grows(self) -> bool:
        """Whether further tasks may follow from these."""
        return self.run.grows

    @property
    def made(self) -> Sequence[int]:
        """The tasks of the last segments."""
        return self.run.last_places()

    @property
    def problem(self) -> BaseException | None:
        """What keeps segments from having all their tasks."""
        return next(iter(self.run.growth.problems.values()), None)


@dataclass
class WithFlows:
    """The calls that a template has made, and the flows that were begun among them."""

    added: Sequence[int]
    runs: Sequence[FlowRun]

    @property
    def numbers(self) -> Sequence[int]:
        """The tasks that are known."""
        return list(dict.fromkeys([*self.added, *(place for run in self.runs for place in run.places)]))

    @property
    def grows(self) -> bool:
        """Whether further tasks may follow from these."""
        return any(run.grows for run in self.runs)

    @property
    def made(self) -> Sequence[int]:
        """The last call of the template, or the tasks of the last segments where that is a flow."""
        last = self.added[-1]
        return next((run.last_places() for run in self.runs if last in run.places), [last])

    @property
    def problem(self) -> BaseException | None:
        """What keeps segments from having all their tasks."""
        return next((problem for run in self.runs for problem in run.growth.problems.values()), None)


def action_of(do: Pipe[Any] | Template | Flow) -> Action:
    """Make an action of what a rule is told to do."""
    if isinstance(do, Pipe):
        return PipeAction(do)
    return FlowAction(do) if isinstance(do, Flow) else TemplateAction(do)


def _takes_any(parameters: Mapping[str, Parameter]) -> bool:
    return any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters.values())
