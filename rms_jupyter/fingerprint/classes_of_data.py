"""Is a class a dataclass?  One whose metaclass answers whatever it is asked for is none."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_dataclass(cls: Any) -> TypeGuard[Any]:
    """Tell dataclasses.

    Examples
    --------
    >>> class Anything(type):
    ...     def __getattr__(cls, name):
    ...         return 1
    >>> is_dataclass(Anything("Mock", (), {}))
    False
    """
    try:
        return isinstance(getattr(cls, "__dataclass_fields__", None), dict)
    except Exception:
        return False
