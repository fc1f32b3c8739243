"""What does the user hold of a rule?  It is begun, asked how it stands, waited for, stopped; another can follow it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, Self

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.flow import Flow
from rms_jupyter.flows.rules.declaring import Options, declare, wrong
from rms_jupyter.flows.rules.joining import Joining, Match
from rms_jupyter.flows.templates.template import Template
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.harmless import fits_console, one_line
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.run.task.waiting import wait_for
from rms_jupyter.service.actions import action_of
from rms_jupyter.service.arrivals import Arrivals
from rms_jupyter.service.batches import Batches, EndedCall, Host
from rms_jupyter.service.doing import Doing
from rms_jupyter.service.serving import Serving
from rms_jupyter.service.status import RuleStatus
from rms_jupyter.working_folder import in_short

Given = tuple[tuple[Any, ...], Match]


class RuleHost(Host, Protocol):
    """What a rule asks of the session."""

    def this_cell(self) -> Cell:
        """The cell that is being run."""

    def pipe_of_rule(self, do: Any, options: Mapping[str, Any]) -> Pipe[Any] | Template | Flow:
        """Make a pipe of what a rule is to do, with options of its own; templates and flows are left as they are."""

    def keep_rule(self, rule: Rule) -> None:
        """Remember a rule by its name, in the place of one that has it."""

    def forget_rule(self, rule: Rule) -> None:
        """Remember a rule no more."""

    def show_rule(self, rule: Rule, cell: Cell) -> None:
        """Show the user how a rule goes on, under a cell."""


class Rule:
    """Does something with files as they arrive; made by ``s.rule``.

    Parameters
    ----------
    host : RuleHost
        The session.
    name : str
    options : Options
    context : mapping
        What ``{{ names }}`` in the options stand for.
    cell : Cell
        In which it was made.
    given : sequence of (key, Match), optional
        What the rule before it has made; it works on that if it has no patterns.

    Attributes
    ----------
    followers : list of Rule
        The rules that have begun because this one was done.

    Raises
    ------
    WrongOption
    """

    def __init__(
        self,
        host: RuleHost,
        name: str,
        options: Options,
        context: Mapping[str, Any],
        cell: Cell,
        given: Sequence[Given] | None = None,
    ) -> None:
        self._host, self.name, self._options, self._context, self.cell = host, name, options, dict(context), cell
        self._given = given if options.files is None else None
        self._declared = declare(options, self._context, os.getcwd())
        self._serving: Serving | None = None
        self._next: list[Any] = []
        self._held_back = ""
        self.followers: list[Rule] = []
        if options.do is None:
            raise wrong("do", f"the rule {name} does nothing", "do=measure")
        if options.files is None and self._given is None and not callable(options.release):
            raise wrong("files", f"the rule {name} has neither files nor release", "files='raw/{run}_{n:03d}.tif'")
        self._find_index()
        own = {key: value for key in ("timeout", "retries") if (value := getattr(options, key)) is not None}
        self._doing = self._make_doing(own)
        if self._doing.output_names and not self._doing.action.declares_outputs:
            self._doing = self._make_doing({**own, "outputs": self._doing.output_names})
        if options.on_completion is not None:
            try:
                self.chain(options.on_completion)
            except RmsError as error:
                raise wrong("on_completion", f"on_completion: {error.message}", error.hint) from None

    def start(self) -> Self:
        """Begin: what is there already is looked at first, then what arrives.

        Returns
        -------
        Rule
            Itself.
        """
        if self._serving is not None and not self._serving.ended.is_set():
            return self
        self._prepare()
        options = {"n_jobs": self._options.n_jobs, "executor": self._options.executor}
        batches = Batches(self._host, self.name, self.cell, self._doing, self._options.number_outputs, options)
        self._serving = Serving(self, self._declared, batches, self._given, self._follow)
        self._host.keep_rule(self)
        self._serving.start()
        self._host.show_rule(self, self.cell)
        return self

    push = start

    def chain(self, follower: Any) -> Any:
        """Let another rule begin when this one is done.

        Parameters
        ----------
        follower : RuleFactory, pipe or function
            One without `files` works on what this rule has made, call by call, or on all of it with ``gather=True``.
            It does not begin if calls have failed, unless it has ``after_failures=True``.

        Returns
        -------
        RuleFactory
            That of the follower, to chain more to it.

        Raises
        ------
        RmsError
            If it is no such thing, or there is no pipe of its name.
        """
        from rms_jupyter.service.factory import factory_of

        factory = factory_of(follower)
        factory.check(self._host)
        self._next.append(factory)
        return factory

    def status(self) -> RuleStatus:
        """Say how it stands; see `RuleStatus`."""
        if self._held_back:
            return RuleStatus(self.name, "held back", why=self._held_back)
        return self._serving.status() if self._serving is not None else RuleStatus(self.name, "not started")

    def join(self, timeout: float | None = None) -> RuleStatus:
        """Wait until it is done or stopped, and the rules that follow it.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        TimeoutError
            If that takes longer.
        RmsError
            If it never ends by itself, or was not begun; whatever has ended it.
        """
        if self._held_back:
            return self.status()
        if self._serving is None:
            raise RmsError(f"the rule {self.name} was not started", hint="rule.start()")
        if timeout is None and self._is_endless:
            raise RmsError(
                f"the rule {self.name} goes on for ever",
                hint="give join a timeout; or say when all data is there: data_complete=, rule.declare_complete()",
            )
        if not wait_for(self._serving.ended, timeout):
            raise TimeoutError(f"the rule has not ended after {timeout:g} s: {self.status()}")
        self._host.show_rule(self, self.cell)
        if self._serving.error is not None:
            raise self._serving.error
        for follower in self.followers:
            follower.join(timeout)
        return self.status()

    def stop(self) -> RuleStatus:
        """End it, and what follows it; what has finished is kept, and begun again it goes on from there."""
        if self._serving is not None:
            self._serving.stop()
        for follower in self.followers:
            follower.stop()
        return self.status()

    def declare_complete(self) -> None:
        """Say that all data is there: it is done when all calls are."""
        if self._serving is None:
            raise RmsError(f"the rule {self.name} was not started", hint="rule.start()")
        self._serving.complete()

    def retry(self) -> int:
        """Run the calls that have failed again; return how many there are."""
        return self._serving.retry() if self._serving is not None else 0

    def cleanup(self) -> None:
        """Stop it, and forget it; results and files stay."""
        self.stop()
        self._host.forget_rule(self)
        self._serving = None

    def watch(self) -> None:
        """Show how it goes on, here."""
        self._host.show_rule(self, self._host.this_cell())

    @property
    def output_files(self) -> list[str]:
        """The files that its calls have written until now."""
        return [path for ended in self._ended() for path in ended.files]

    @property
    def results(self) -> list[Any]:
        """What its calls have made until now, as resources."""
        return [self._host.result(task) for ended in self._ended() for task in ended.tasks]

    @property
    def data_complete(self) -> bool:
        """Whether all data is there."""
        return self.status().phase in ("finishing", "done")

    @property
    def complete(self) -> bool:
        """Whether it has done everything."""
        return self.status().phase == "done"

    @property
    def context(self) -> dict[str, Any]:
        """What ``{{ names }}`` in its options stand for."""
        return dict(self._context)

    def matches(self) -> list[dict[str, Any]]:
        """List the calls that the files which are there now make; nothing is run."""
        joining = Joining(self._declared.files)
        calls: dict[tuple[str, ...], Match] = {}
        for path, stamp in Arrivals(joining.patterns, polling=False).everything():
            if stamp is not None:
                calls.update({match.key: match for match in joining.add(path)})
        return [{**_shown(match), **self._doing.outputs(match)} for _, match in sorted(calls.items())]

    @property
    def _is_endless(self) -> bool:
        is_told = self._serving is not None and self._serving.is_complete
        says = self._declared.data_complete not in (None, False) or self._given is not None
        return not (is_told or says) and self.status().phase == "watching"

    def _ended(self) -> list[EndedCall]:
        calls = self._serving.done() if self._serving is not None else []
        return [call.outcome for call in calls if isinstance(call.outcome, EndedCall)]

    def _make_doing(self, own: Mapping[str, Any]) -> Doing:
        action = action_of(self._host.pipe_of_rule(self._options.do, own))
        return Doing(action, self._declared, self._given is not None)

    def _find_index(self) -> None:
        """Find the wildcard, or parameter, that is the number of a call."""
        if not callable(self._options.release) or self._declared.index:
            return
        numbers = [
            name for each in self._declared.files.values() for p in each for name in p.names if p.kind_of(name) is int
        ]
        if self._declared.files and len(set(numbers)) != 1:
            found = f"it has {', '.join(sorted(set(numbers)))}" if numbers else "it has none: write {n:d} or {n:03d}"
            raise wrong("index", "which wildcard is the number that release is about?", f"{found}; index='n'")
        self._declared = replace(self._declared, index=numbers[0] if numbers else "n")

    def _prepare(self) -> None:
        """Call the user's function; the mapping that it may return joins the context."""
        if self._options.prepare is None:
            return
        more = self._options.prepare(self)
        if isinstance(more, Mapping):
            self._context |= more
            self._declared = replace(declare(self._options, self._context, os.getcwd()), index=self._declared.index)
            self._doing = Doing(self._doing.action, self._declared, self._given is not None)

    def _follow(self) -> None:
        """Begin the rules that follow."""
        from rms_jupyter.service.factory import factory_of

        failed = self.status().counts.failed
        for what in self._next:
            factory = factory_of(what)
            follower = factory.get_rule(
                {**self._context, "previous": self.name, "outputs": self.output_files},
                host=self._host,
                cell=self.cell,
                given=self._gathered() if factory.gathers else self._one_by_one(),
                name=f"{self.name}.{factory.label}",
            )
            self.followers.append(follower)
            if failed and not factory.goes_after_failures:
                follower._held_back = f"it did not begin: {failed:,} call{'s' * (failed > 1)} of {self.name} failed"
                self._host.keep_rule(follower)
                self._host.show_rule(follower, self.cell)
            else:
                follower.start()

    def _one_by_one(self) -> list[Given]:
        calls = self._serving.done() if self._serving is not None else []
        found: list[Given] = []
        for call in calls:
            if isinstance(call.outcome, EndedCall):
                for task in call.outcome.tasks:
                    made = self._host.result(task)
                    parts = made if isinstance(made, tuple) else (made,)
                    found += [((task, n), Match({}, call.match.values, part)) for n, part in enumerate(parts)]
        return found

    def _gathered(self) -> list[Given]:
        return [(("all",), Match({}, {}, [match.given for _, match in self._one_by_one()]))]

    @fits_console
    def __repr__(self) -> str:
        status = self.status()
        if status.phase == "not started":
            return f"<rule {one_line(self.name, 60)}, not started>\n→ rule.start()"
        return f"<rule {status!r}>"


def _shown(match: Match) -> dict[str, Any]:
    return {**{label or "file": in_short(path) for label, path in match.files.items()}, **match.values}
