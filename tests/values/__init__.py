"""Values as notebooks have them, a module a family of packages; what is not installed is left out.

A module's `VALUES` holds one expression a line. Each is evaluated anew wherever it is needed, all are different, and
each has a digest that holds. Those of `NO_DIGEST` have none, and say so.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

Make = Callable[[], Any]


def families() -> list[Any]:
    """Import the modules whose packages are installed."""
    found = []
    for module in (m for m in pkgutil.iter_modules(__path__) if m.name != "__main__"):
        try:
            found.append(importlib.import_module(f"{__name__}.{module.name}"))
        except ImportError as error:
            if error.name and error.name.startswith("tests"):
                raise
    return found


def table(name: str) -> dict[str, Make]:
    """Give ``VALUES`` or ``NO_DIGEST`` of all families: what makes each value, by its expression."""
    return {text: make for family in families() for text, make in _read(getattr(family, name, ""), vars(family))}


def _read(lines: str, names: dict[str, Any]) -> Iterator[tuple[str, Make]]:
    for text in map(str.strip, lines.splitlines()):
        if text:
            code = compile(text, f"<{text}>", "eval")
            yield text, lambda code=code: eval(code, names)
