"""How do functions of a module become pipes, all at once, and how are they imported?"""

from __future__ import annotations

import importlib
from types import FunctionType, ModuleType
from typing import Any

from rms_jupyter.errors import RegistrationError
from rms_jupyter.handles.module import ModulePipes, pipe_of
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.session.calling import Calling
from rms_jupyter.session.core import Core


class Importing:
    """Pipes of modules."""

    def __init__(self, core: Core, calling: Calling) -> None:
        self._core, self._calling = core, calling

    def register_module(self, /, module: ModuleType | str, **options: Any) -> ModulePipes:
        """Make all functions that a module defines pipes, but for those whose names begin with ``_``.

        They are called like in Python, ``genomictools.align``; the module itself stays as it is.

        Parameters
        ----------
        module : module or str
            Or its name.
        **options
            As for `register_pipe`; calls give values, unless ``returns="resource"`` is said.

        Returns
        -------
        ModulePipes
            Stands for the module.

        Raises
        ------
        RegistrationError
            If it defines no function.

        Examples
        --------
        >>> import rms_jupyter as rms, tempfile
        >>> s = rms.open(tempfile.mkdtemp() + "/demo.rms")
        >>> colorsys = s.register_module("colorsys")
        >>> colorsys.rgb_to_yiq(0, 0, 0), s.rmsimport("colorsys", "rgb_to_yiq")
        ((0.0, 0.0, 0.0), <pipe colorsys.rgb_to_yiq(r, g, b)>)
        >>> s.close()
        """
        self._core.refuse_closed()
        module = importlib.import_module(module) if isinstance(module, str) else module
        name = module.__name__
        functions = [
            found
            for label, found in vars(module).items()
            if isinstance(found, FunctionType) and found.__module__ == name and not label.startswith("_")
        ]
        if not functions:
            raise RegistrationError(f"{name} defines no function", hint="s.register_module of the module that does")
        for function in functions:
            self._calling.pipe(function, name=f"{name}.{function.__qualname__}", **options)
        return ModulePipes(module, self._pipe_in)

    def rmsimport(self, moduleobj: str, varname: str = "", return_first_module: bool = False) -> Any:
        """Import pipes as Python imports functions; `compat.rms.convert_import_str` writes such calls.

        Parameters
        ----------
        moduleobj : str
            The name of a module.
        varname : str
            The function whose pipe is returned; without it, what stands for the module.
        return_first_module : bool
            Whether that is of the first part of the name, as ``import x.y`` gives ``x``.

        Raises
        ------
        RegistrationError
            If it is not a pipe, or the module has none.
        ImportError
            If there is no such module.
        """
        self._core.refuse_closed()
        module = importlib.import_module(moduleobj)
        if varname:
            if not hasattr(module, varname):
                raise ImportError(f"cannot import name {varname!r} from {moduleobj!r}")
            found = getattr(module, varname)
            return pipe_of(found, self._pipe_in) if callable(found) else found
        inside = f"{moduleobj}."
        if not any(f"{pipe.func.__module__}.".startswith(inside) for pipe in self._core.pipes.values()):
            raise RegistrationError(f"no function of {moduleobj} is a pipe", hint=f"s.register_module({moduleobj!r})")
        first = importlib.import_module(moduleobj.partition(".")[0])
        return ModulePipes(first if return_first_module else module, self._pipe_in)

    def _pipe_in(self, module: str, name: str) -> Pipe[Any] | None:
        """Find the pipe of a function by the names of its module and its own, the latest first."""
        fitting = (
            pipe
            for pipe in reversed(self._core.pipes.values())
            if (getattr(pipe.func, "__module__", ""), getattr(pipe.func, "__qualname__", "")) == (module, name)
        )
        return next(fitting, None)
