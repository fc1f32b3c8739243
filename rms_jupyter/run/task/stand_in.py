"""How does an object stand for a function, so that whoever looks at it finds what the function has?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from types import FunctionType
from typing import Any, ClassVar, cast

_TELLING = frozenset("__code__ __defaults__ __kwdefaults__ __globals__ __closure__".split())
_NAMING = frozenset("__name__ __qualname__ __module__ __doc__ __annotations__".split())


class StandsForFunction:
    """Has the attributes of the function that it stands for, and puts there what is put on it.

    Attributes
    ----------
    func : callable
        The function.
    """

    own_attributes: ClassVar[Collection[str]] = frozenset({"func"})
    func: Callable[..., Any]

    def stand_for(self, function: Callable[..., Any]) -> None:
        """Take the name and the texts of a function; its attributes stay where they are, as it may change them."""
        vars(self).pop("func", None)  # What is set without one is set here only.
        functools.update_wrapper(cast(Any, self), function, updated=())
        self.func = function

    def attributes_given(self) -> dict[str, Any]:
        """What the user has put on this, as on any function, unless the function itself has it."""
        return {
            name: value for name, value in vars(self).items() if name not in self.own_attributes and not _special(name)
        }

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)  # It has failed: raise that again.
        if (_special(name) and name not in _TELLING) or "func" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        return getattr(self.func, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _NAMING and type(function := vars(self).get("func")) is FunctionType:
            setattr(function, name, value)
        object.__setattr__(self._holder(name), name, value)
        if name in _TELLING:
            self.told_anew()

    def told_anew(self) -> None:
        """Do what is to be done once the function takes other arguments."""

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self._holder(name), name)

    def _holder(self, name: str) -> Any:
        """What holds an attribute: the function, where it is a plain one and the attribute the user's."""
        is_own = name in self.own_attributes or hasattr(type(self), name) or (_special(name) and name not in _TELLING)
        function = None if is_own else vars(self).get("func")
        return function if type(function) is FunctionType else self


def _special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
