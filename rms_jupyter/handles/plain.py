"""How does one get rid of the wrapping, or past it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rms_jupyter.fingerprint.nesting import unwrap
from rms_jupyter.handles.resource import Resource

F = TypeVar("F", bound=Callable[..., Any])


def value(x: Any) -> Any:
    """Give values in place of resources, at any depth of lists, tuples, sets, dicts and dataclasses.

    Examples
    --------
    >>> value({"a": [1, 2]})
    {'a': [1, 2]}
    """
    return unwrap(x)


def plain(function: F) -> F:
    """Keep a function of a ``%%rms`` cell from becoming a pipe."""
    function.__rms_plain__ = True  # type: ignore[attr-defined]
    return function


class Info:
    """The attributes of a resource, where its value has attributes of the same names.

    Attributes
    ----------
    content, id, digest, task, files
    """

    def __init__(self, resource: Resource) -> None:
        state = resource._rms
        self.content, self.id, self.digest = state.take(), state.id, state.record.digest
        self.task = state.home.task_handle(state.task_id, state.task, state.hit, state.reason) if state.task else None
        self.files = state.home.files_of(state.task_id, state.task) if state.task else []


def info(resource: Resource) -> Info:
    """Give the attributes of a resource, whatever its value's attributes are called."""
    return Info(resource)
