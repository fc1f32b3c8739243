"""How are files taken in as they arrive?"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.calls import Call
from rms_jupyter.fingerprint.values import tagged
from rms_jupyter.flows.flow import Flow
from rms_jupyter.flows.rules.declaring import options_of, wrong
from rms_jupyter.flows.rules.ledger import RuleCounts
from rms_jupyter.flows.templates.template import Template
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.handles.plan import Plan
from rms_jupyter.model import TaskRecord
from rms_jupyter.run.call.answer import Answer
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.call.definition import Definition
from rms_jupyter.run.call.lookup import changed_file, find_hit
from rms_jupyter.service.rule import Rule
from rms_jupyter.service.status import RuleStatus
from rms_jupyter.session.calling import Calling
from rms_jupyter.session.core import Core
from rms_jupyter.store.ask.database import sql_text
from rms_jupyter.store.recent_index import key_mark
from rms_jupyter.views.results import Results

_FAILED = ("failed", "timed_out")


class KeyedCall(Protocol):
    """A call, of a pipe or a template."""

    @property
    def key(self) -> str:
        """What tells it from others."""


class Ruling:
    """Rules."""

    def __init__(self, core: Core, calling: Calling) -> None:
        self._core, self._calling = core, calling
        self._store, self._files, self._calls = core.store, core.file_digests, core.calls

    def rule(self, /, name: str, files: Any = None, do: Any = None, **options: Any) -> Rule:
        """Do something with files as they arrive; begins with ``.start()``.

        Each file is a call on record, with an edge from the file: what was done is not done again, in another kernel
        or after a restart, and what has arrived meanwhile is caught up with.

        Parameters
        ----------
        name : str
        files : str, list of str, or dict of them
            A pattern: ``"raw/{run}_{n:03d}.tif"``. The file goes to the first free parameter of `do`, what its name
            says (``run``, ``n``) to parameters of those names. A dict has a pattern for each of several parameters:
            files belong together whose wildcards of one name agree.
        do : pipe, function, template or flow
            A flow gets each file pushed into its segment without parents that takes something (or into the one that
            `files` names), as a run of its own; what was pushed into others before stays. With ``gather=True`` it is
            one run, and each result of the rule before it is an input.
        **options
            ``outputs, args, context, settle, marker, polling, release, index, data_complete, on_data_complete, prepare,
            on_completion, after_failures, gather, timeout, retries, number_outputs, n_jobs, executor``; see `Options`.

        Raises
        ------
        RmsError
            If an option is not right; the message names it.

        Examples
        --------
        >>> import pathlib, rms_jupyter as rms, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> s = rms.open(folder / "demo.rms")
        >>> for n in range(3):
        ...     _ = (folder / f"frame_{n:03d}.txt").write_text("7" * n)
        >>> def length(path, n):
        ...     return len(pathlib.Path(path).read_text())
        >>> rule = s.rule("lengths", files=f"{folder}/frame_{{n:03d}}.txt", do=length, data_complete=True, n_jobs=1)
        >>> rule.start().join(60).counts.done, [length.content for length in rule.results]
        (3, [0, 1, 2])
        >>> s.close()
        """
        self._core.refuse_closed()
        self._core.refuse_read_only()
        if str(name) != name or not name.strip():
            raise RmsError(f"a rule cannot be called {name!r}", hint="s.rule('frames', files=..., do=...)")
        known = options_of({"files": files, "do": do, **options})
        return Rule(self._core.as_host, name, known, known.context, self._core.place.cell)

    def rules(self) -> list[Rule]:
        """The rules of this session, those that were begun."""
        return [service for service in self._core.services.values() if isinstance(service, Rule)]

    def rules_table(self, words: str = "") -> Results[dict[str, Any]]:
        """List how the rules stand: those of this session, then those that others have left on record.

        Parameters
        ----------
        words : str
            Only those with all these words in their names.
        """
        rows = [status.row() for status in self.rule_statuses()]
        wanted = words.lower().split()
        return Results([row for row in rows if all(word in str(row["rule"]).lower() for word in wanted)], dict)

    def rule_statuses(self) -> list[RuleStatus]:
        """Say how the rules stand: those of this session, then those that others have left on record."""
        self._core.refuse_closed()
        statuses = [rule.status() for rule in self.rules()]
        known = {status.rule for status in statuses}
        for name, done, failed, last in self._store.fetch(sql_text("queries/rules.sql")):
            if name not in known:
                at = last.replace(tzinfo=datetime.UTC).timestamp()
                statuses.append(RuleStatus(name, "on record", RuleCounts(done=done, failed=failed), at))
        return statuses

    def this_cell(self) -> Cell:
        """The cell that is being run."""
        return self._core.place.cell

    def pipe_of_rule(self, do: Any, options: Mapping[str, Any]) -> Pipe[Any] | Template | Flow:
        """Make a pipe of what a rule is to do, with options of its own; templates and flows are left as they are."""
        if isinstance(do, str):
            if do not in self._core.pipes:
                raise wrong("do", f"there is no pipe or function {do!r}", "run the cell that defines it")
            do = self._core.pipes[do]
        if isinstance(do, (Flow, Template)):
            if options:
                kind = "flow" if isinstance(do, Flow) else "template"
                raise wrong(next(iter(options)), f"a {kind}'s calls have the options of its pipes", "leave it out")
            return do
        if not isinstance(do, Pipe):
            if not callable(do):
                raise wrong("do", f"{do!r} is not a pipe or function")
            pipe: Pipe[Any] = self._calling.pipe(do, **options)
            return pipe
        if not options:
            return do
        contract = msgspec.structs.replace(do.contract, **options)
        return Pipe(Definition(do.body, contract, do.output_function), lambda: self._core.as_host)

    def keep_rule(self, rule: Rule) -> None:
        """Remember a rule by its name, in the place of one that has it."""
        before = self._core.services.get(rule.name)
        if before is not None and before is not rule:
            before.stop()
        self._core.services[rule.name] = rule

    def forget_rule(self, rule: Rule) -> None:
        """Remember a rule no more."""
        if self._core.services.get(rule.name) is rule:
            del self._core.services[rule.name]

    def show_rule(self, rule: Rule, cell: Cell) -> None:
        """Show the user how a rule goes on, under a cell."""
        self._core.front_end.show_rule(rule, cell)

    def plan_of_rule(self, rule: str, cell: Cell) -> Plan:
        """Begin a plan of a rule that was made in a cell."""
        plan = Plan(self._core.as_host, self._core.enter_plan, self._core.leave_plan, rule)
        plan.rule = rule, cell
        return plan

    def identify_call(self, pipe: Pipe[Any], arguments: Mapping[str, Any]) -> Call:
        """Find out which call this is."""
        definition = pipe._definition
        version = self._calls.version(definition)
        return self._calls.identify(definition, version, definition.binder.bind(**arguments))

    def claim_call(self, call: KeyedCall) -> bool:
        """Claim a call for a rule, if no other kernel has it; the plan that runs it claims its key."""
        return self._store.claims.take(_mark(call), wait=False)

    def let_go_of_call(self, call: KeyedCall) -> None:
        """Give the claim back."""
        self._store.claims.release(_mark(call))

    def outcome_of_call(self, pipe: Pipe[Any], call: Call) -> tuple[int, TaskRecord] | None:
        """Find the task that answers a call, or with which it has failed as it would again."""
        found = find_hit(self._store, self._files, call)
        if isinstance(found, tuple) or found is None:
            return found
        failed = self._store.find(call.key) if found.kind == "failed_before" else None
        is_same = failed is not None and failed[1].status in _FAILED and not changed_file(self._files, call, failed[1])
        return failed if is_same else None

    def pipe_that_wrote(self, path: str) -> str:
        """Name the pipe whose call has written a file; '' if none has."""
        found = self._store.find_path(path)
        if found is None:
            return ""
        place, record = self._store.record(found[0])
        is_output = isinstance(record, TaskRecord) and found[0] - place <= len(record.out)
        return self._store.pipe_name(record.pipe) if is_output and isinstance(record, TaskRecord) else ""

    def result(self, ident: int) -> Any:
        """Make the resource that a task has made."""
        place, record = self._store.record(ident)
        assert isinstance(record, TaskRecord)
        return self._core.home.result_of(Answer(place, record, True, None))


def _mark(call: KeyedCall) -> int:
    return key_mark(tagged("by a rule", [call.key.encode()]).hex())
