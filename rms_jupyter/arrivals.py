"""What is done with a module once it is imported, be it now or later?"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Collection
from typing import Any


def when_imported(names: Collection[str], act: Callable[[Any], None]) -> None:
    """Call `act` with each of the modules that are called so: those that are imported, and those that will be."""
    if any(isinstance(finder, _Finder) and finder.act is act for finder in sys.meta_path):
        return
    for name in names:
        if name in sys.modules:
            act(sys.modules[name])
    sys.meta_path.insert(0, _Finder(names, act))


class _Finder:
    """Finds modules as others do, and acts once they are there."""

    def __init__(self, names: Collection[str], act: Callable[[Any], None]) -> None:
        self._names, self.act = names, act
        self._found: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find one of the modules."""
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
                self.act(module)

            with contextlib.suppress(AttributeError):
                spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
