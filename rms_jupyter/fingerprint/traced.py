"""How can a number be told from its equals?  Python shares one object for each small one; these are their own objects.

They are whole numbers in every respect but identity: they print, compare, hash, pickle and compute as `int`, and their
type equals `int`.
"""

from __future__ import annotations

from typing import Any


class _LikeInt(type):
    """Compares and hashes as `int`, so that ``type(n) == int`` holds, and tables by type find it."""

    def __eq__(cls, other: object) -> bool:
        return other is int or other is cls

    def __hash__(cls) -> int:
        return hash(int)


class TracedInt(int, metaclass=_LikeInt):
    """A whole number that a call has returned.

    Examples
    --------
    >>> n = TracedInt(3)
    >>> n, n + 1, type(n) == int, {3: "three"}[n]
    (3, 4, True, 'three')
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return int, (int(self),)


TracedInt.__name__ = TracedInt.__qualname__ = "int"
TracedInt.__module__ = "builtins"


def is_shared(number: int) -> bool:
    """Whether Python keeps one object for all whole numbers of this value."""
    return -5 <= number <= 256


def copy_of_scalar(value: Any) -> Any:
    """Return an equal object that is another one, so that the value lives no longer than its holders want.

    Examples
    --------
    >>> text = "a long text"
    >>> copy_of_scalar(text) == text, copy_of_scalar(text) is text
    (True, False)
    """
    kind = type(value)
    if kind is str:
        return value[:1] + value[1:]
    return value * 1 if kind in (int, float) else value


def untraced(value: Any) -> int:
    """Return the plain number; a hook for encoders that know exact types only.

    Raises
    ------
    TypeError
        For anything else.
    """
    if isinstance(value, TracedInt):
        return int(value)
    raise TypeError(f"{type(value).__qualname__} cannot be encoded")
