"""How does one get rid of the wrapping, or past it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from rms_jupyter.fingerprint.nesting import unwrap

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
