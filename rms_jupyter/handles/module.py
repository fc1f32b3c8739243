"""What stands for a module of which functions are pipes?  All that it has, with the pipes in their places."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from rms_jupyter.errors import RegistrationError
from rms_jupyter.handles.pipe import Pipe

Find = Callable[[str, str], Pipe[Any] | None]


class ModulePipes:
    """A module whose functions are pipes; made by `Session.register_module` and `Session.rmsimport`.

    Parameters
    ----------
    module : module
    find : callable
        Returns the pipe of a function, by the names of its module and its own.
    """

    def __init__(self, module: ModuleType, find: Find) -> None:
        self._module, self._find = module, find

    def __getattr__(self, name: str) -> Any:
        """Return the pipe of a function, what stands for a module inside, or what else the module has.

        Raises
        ------
        RegistrationError
            If it is a function that is not a pipe.
        AttributeError
            If the module has nothing of this name.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        inner = sys.modules.get(f"{self._module.__name__}.{name}")
        if inner is not None:
            return ModulePipes(inner, self._find)
        found = getattr(self._module, name)
        return pipe_of(found, self._find) if isinstance(found, (FunctionType, BuiltinFunctionType, Pipe)) else found

    def __dir__(self) -> list[str]:
        return dir(self._module)

    def __repr__(self) -> str:
        return f"<pipes of {self._module.__name__}>"


def pipe_of(function: Any, find: Find) -> Pipe[Any]:
    """Return the pipe of a function.

    Raises
    ------
    RegistrationError
        If it is none.
    """
    if isinstance(function, Pipe):
        return function
    module, name = function.__module__, function.__qualname__
    pipe = find(module, name)
    if pipe is None:
        raise RegistrationError(
            f"{module}.{name} is not a pipe", hint=f"s.register_module({module!r}), or s.register_pipe({name})"
        )
    return pipe
