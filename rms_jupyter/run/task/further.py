"""What does a task return that asks for further calls?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rms_jupyter.model import Ref
from rms_jupyter.run.task.stand_in import StandsForFunction

if TYPE_CHECKING:
    from rms_jupyter.run.call.answer import Answer
    from rms_jupyter.store.store import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that is asked for: the pipe's name and the arguments."""

    pipe: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Later:
    """Further calls, which take the place of the result of the task that returns them.

    Attributes
    ----------
    calls : tuple of Asked
    is_list : bool
        Whether a list of results is meant.
    """

    calls: tuple[Asked, ...]
    is_list: bool = False


LATER = "rms_jupyter.Later"


def as_later(value: Any) -> Any:
    """Make one `Later` of a list of them; give anything else back as it is."""
    if type(value) in (list, tuple) and value and all(type(item) is Later for item in value):
        return Later(tuple(call for item in value for call in item.calls), is_list=True)
    return value


def asked_by(store: Store, answer: Answer) -> tuple[Later, Ref] | None:
    """Give what a task has asked for, and the origin of those calls; None if it gave a result."""
    out = answer.task.out
    if not out or out[0].type != LATER:
        return None
    later = answer.value if answer.has_value else store.restore(out[0])
    return later, Ref(answer.id + 1, out[0].digest, answer.task.site)


class PlainPipe(StandsForFunction):
    """A pipe where there is no session, in a worker: a plain function that can still ask for further calls."""

    own_attributes = frozenset({"func", "name"})

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self.name = name
        self.stand_for(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.func(*args, **kwargs)

    def later(self, *args: Any, **kwargs: Any) -> Later:
        """Ask for a call; for a task to return."""
        return Later((Asked(self.name, args, kwargs),))

    def __reduce__(self) -> Any:
        return PlainPipe, (self.name, self.func), self.attributes_given()
