"""What does `await` give of a handle?  The handle, at once: its call is finished, or is planned."""

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


def awaitable(result: Any) -> Any:
    """Make the handles that a call of an async pipe gives something that can be awaited."""
    return _Files(result) if type(result) is tuple else result
