"""How are rules alike made for one series after the other?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from rms_jupyter.errors import RmsError
from rms_jupyter.flows.flow import Flow
from rms_jupyter.flows.rules.context import rendered
from rms_jupyter.flows.rules.declaring import options_of, wrong
from rms_jupyter.harmless import fits_console, one_line
from rms_jupyter.run.call.cell_runtime import Cell
from rms_jupyter.service.rule import Given, Rule, RuleHost


class RuleFactory:
    """Makes a rule for each series, from a context; made by `rms_jupyter.rule_factory`.

    Parameters
    ----------
    name : str
        What its rules are called; ``{{ names }}`` of the context can be in it.
    given : mapping
        The options of its rules; see `Session.rule`.
    current : callable
        Returns the session whose rules they are, where none makes them.
    """

    def __init__(self, name: str, given: Mapping[str, Any], current: Callable[[], RuleHost] | None = None) -> None:
        options_of(given)
        self._name, self._given, self._next, self._current = name, dict(given), list[Any](), current

    @property
    def label(self) -> str:
        """What its rules are called where they follow another."""
        do = self._given.get("do")
        return self._name or getattr(do, "name", None) or getattr(do, "__name__", None) or str(do)

    @property
    def goes_after_failures(self) -> bool:
        """Whether its rules begin although calls of the rule before have failed."""
        return bool(self._given.get("after_failures"))

    @property
    def gathers(self) -> bool:
        """Whether its rules take all that the rule before has made as one list."""
        return bool(self._given.get("gather"))

    def check(self, host: RuleHost) -> None:
        """Refuse what could not begin when its turn comes: a rule that does nothing, or whose pipe is not there."""
        if (do := self._given.get("do")) is None:
            raise wrong("do", f"the rule{' ' * bool(self._name)}{self._name} does nothing", "do=measure")
        if isinstance(do, str):
            host.pipe_of_rule(do, {})
        for follower in (self._given.get("on_completion"), *self._next):
            if follower is not None:
                factory_of(follower).check(host)

    def chain(self, follower: Any) -> Self | Any:
        """Let another rule begin when one of these is done; see `Rule.chain`."""
        factory = factory_of(follower)
        self._next.append(factory)
        return factory

    def get_rule(
        self,
        context: Mapping[str, Any] | None = None,
        *,
        host: RuleHost | None = None,
        cell: Cell | None = None,
        given: Sequence[Given] | None = None,
        name: str = "",
    ) -> Rule:
        """Make the rule of a series, with those that follow it.

        Parameters
        ----------
        context : mapping
            What ``{{ names }}`` in the options stand for.

        Returns
        -------
        Rule
            To be started.
        """
        if host is None:
            if self._current is None:
                raise RmsError(f"{self!r} makes rules that follow others", hint="chain it, or use rms.rule_factory")
            host = self._current()
        options = options_of(self._given)
        whole = {**options.context, **(context or {})}
        if given is not None and options.data_complete is None and options.files is not None:
            options = options_of({**self._given, "data_complete": True})  # What the rule before writes is there.
        own = rendered(self._name, whole) if self._name else name or self.label
        rule = Rule(host, own, options, whole, cell or host.this_cell(), given)
        for follower in self._next:
            rule.chain(follower)
        return rule

    @fits_console
    def __repr__(self) -> str:
        return f"<rule factory {one_line(self.label, 60)}>"


def factory_of(what: Any) -> RuleFactory:
    """Take a factory, what a rule is to do, or the options of one.

    Raises
    ------
    RmsError
    """
    if isinstance(what, RuleFactory):
        return what
    if isinstance(what, Mapping):
        given = dict(what)
        return RuleFactory(given.pop("name", ""), given)
    if callable(what) or isinstance(what, (str, Flow)):
        return RuleFactory("", {"do": what})
    raise RmsError(f"{what!r} cannot follow a rule", hint="give rms.rule_factory(...), a pipe, a flow, or options")
