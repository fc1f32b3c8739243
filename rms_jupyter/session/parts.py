"""How does a session do what one of its parts does?"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


def done_by(part: str, method: Callable[Concatenate[Any, Given], Result]) -> Callable[Concatenate[Any, Given], Result]:
    """Make a method of a session of one of its parts.

    Parameters
    ----------
    part : str
        The attribute that the part is.
    method : callable
        Of the part's class; signature and documentation stay.

    Examples
    --------
    >>> class Counting:
    ...     def count(self, to):
    ...         return list(range(to))
    >>> class Whole:
    ...     def __init__(self):
    ...         self.counting = Counting()
    ...     count = done_by("counting", Counting.count)
    >>> Whole().count(3)
    [0, 1, 2]
    """

    @functools.wraps(method)
    def method_of_session(session: Any, /, *args: Given.args, **kwargs: Given.kwargs) -> Result:
        __tracebackhide__ = True
        return method(getattr(session, part), *args, **kwargs)

    return method_of_session
