"""What does `await` give where the call is finished already?  Its result, at once."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any


class Awaitable:
    """Gives itself when it is awaited, so that ``await load(x)`` reads as it does for any async function."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Any]:
        return self
        yield


class _Files(Awaitable, tuple[Any, ...]):
    """Several files of one call."""

    __slots__ = ()


class _Finished:
    """A plain value, to be awaited."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, None, Any]:
        return self._value
        yield


def awaitable(result: Any) -> Any:
    """Make the result of an async pipe's call something that can be awaited."""
    if isinstance(result, Awaitable):
        return result
    return _Files(result) if type(result) is tuple else _Finished(result)
