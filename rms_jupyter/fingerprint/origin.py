"""Whose code is this: the user's, an installed package's, or Python's own?"""

from __future__ import annotations

import functools
import importlib.util
import sys
import sysconfig
from typing import Literal, NamedTuple

OURS = __name__.partition(".")[0]

_PATHS = sysconfig.get_paths()
_SITE = tuple({_PATHS["purelib"], _PATHS["platlib"]})
_STDLIB = tuple({_PATHS["stdlib"], _PATHS["platstdlib"]})


Kind = Literal["user", "package", "stdlib", "ours"]


class Origin(NamedTuple):
    """Where a module comes from, and the package and version that counts for it."""

    kind: Kind
    package: str = ""
    version: str = ""


def origin_of(module_name: str | None) -> Origin:
    """Tell whose code a module is, and in which version; the latter may take a look at all that is installed.

    Examples
    --------
    >>> origin_of("msgspec.json").package
    'msgspec'
    """
    kind = kind_of(module_name)
    if kind != "package" or not module_name:
        return Origin(kind)
    root = module_name.partition(".")[0]
    return Origin(kind, root, _version(root))


def kind_of(module_name: str | None) -> Kind:
    """Tell whose code a module is.

    Examples
    --------
    >>> kind_of("json.decoder"), kind_of("__main__"), kind_of("msgspec")
    ('stdlib', 'user', 'package')
    """
    if not module_name or module_name == "__main__":
        return "user"
    root = module_name.partition(".")[0]
    if root == OURS:
        return "ours"
    if root in sys.builtin_module_names or root in sys.stdlib_module_names:
        return "stdlib"
    path = _path_of(module_name) or _path_of(root) or _path_to_be(root)
    if "site-packages" in path or "dist-packages" in path or path.startswith(_SITE):
        return "package"
    return "stdlib" if path.startswith(_STDLIB) else "user"


def public_name(module_name: str, qualname: str) -> str:
    """Name something of a package without the private modules that it happens to be written in.

    Examples
    --------
    >>> public_name("numpy.linalg._linalg", "svd")
    'numpy.linalg.svd'
    """
    modules = [part for part in module_name.split(".") if not part.startswith("_")]
    return ".".join([*modules, qualname])


def _path_of(module_name: str) -> str:
    module = sys.modules.get(module_name)
    folders: list[str] = list(getattr(module, "__path__", ()))
    return getattr(module, "__file__", None) or (folders[0] if folders else "")


def _path_to_be(root: str) -> str:
    """Where a module would come from that is not imported yet."""
    try:
        spec = None if root in sys.modules else importlib.util.find_spec(root)
    except (ImportError, ValueError):
        spec = None
    return (spec.origin or "") if spec else ""


def _version(root: str) -> str:
    loaded = getattr(sys.modules.get(root), "__version__", None)
    return loaded if isinstance(loaded, str) else _installed_version(root)


@functools.cache
def _installed_version(root: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(root)
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(root, [])
        return importlib.metadata.version(names[0]) if names else "unknown"
