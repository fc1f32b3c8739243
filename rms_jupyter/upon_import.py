"""What is done with a module once it is imported, be it now or later?"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Collection
from typing import Any


class UponImport:
    """Acts on modules that are called so: those that are imported, and those that will be.

    Parameters
    ----------
    names : collection of str
    act : callable
        Gets each module once it is there.
    """

    def __init__(self, names: Collection[str], act: Callable[[Any], None]) -> None:
        self._names, self._act = names, act
        self._found: set[str] = set()

    def listen(self) -> None:
        """Begin; no matter how often it is called."""
        if self not in sys.meta_path:
            for name in self._names:
                if name in sys.modules:
                    self._act(sys.modules[name])
            sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find one of the modules as others do, and act once it is there."""
        if name not in self._names or name in self._found:
            return None
        self._found.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._found.discard(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                self._act(module)

            with contextlib.suppress(AttributeError):
                spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
