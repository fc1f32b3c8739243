"""Whose code is this: the user's, a package's, or Python's own?

What decides is where a module lies. Python's own folder and the folders that packages are installed to are known; a
package that was put elsewhere (``pip install --target``) has its metadata beside it. All else is the user's, but for
large packages outside of the project (on ``PYTHONPATH``, or an editable install): they count by the state of their
files, because nobody reads hundreds of files for one call.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import site
import sys
import sysconfig
import types
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rms_jupyter.fingerprint.installed import code_files, distribution_at, edited_files, state_of
from rms_jupyter.working_folder import working_folder

OURS = __name__.partition(".")[0]

_PATHS = sysconfig.get_paths()
_STDLIB = tuple({_PATHS["stdlib"], _PATHS["platstdlib"]})
_SITE = tuple(
    folder + os.sep
    for folder in {_PATHS["purelib"], _PATHS["platlib"], *site.getsitepackages(), site.getusersitepackages()}
)
_SITE_NAMES = frozenset({"site-packages", "dist-packages"})
_MOST_FILES = 100
DYNAMIC = "<dynamic-code>"  # What cloudpickle calls the file of code that it has rebuilt, wherever that was from.

_projects: set[str] = set()

Kind = Literal["user", "package", "stdlib", "ours"]


class ModuleOrigin(NamedTuple):
    """Where a module comes from, and the package and version that counts for it.

    `edited` names a file of the package that was edited since it was imported: what runs is not what the version says.
    """

    kind: Kind
    package: str = ""
    version: str = ""
    edited: str = ""


def add_project(folder: str | os.PathLike[str]) -> None:
    """Take a folder for the user's own: all code in it counts by what it says, however much there is.

    The home folder and the root are too wide to be one.
    """
    folder = os.path.abspath(folder)
    if folder not in (os.path.expanduser("~"), os.path.abspath(os.sep)) and folder not in _projects:
        _projects.update((folder, os.path.realpath(folder)))
        _kind_at.cache_clear()


def origin_of(module_name: str | None) -> ModuleOrigin:
    """Say whose code a module is, and in which version; the latter may take a look at all that is installed.

    Examples
    --------
    >>> origin_of("msgspec.json").package
    'msgspec'
    """
    kind = kind_of(module_name)
    if kind != "package" or not module_name:
        return ModuleOrigin(kind)
    root = module_name.partition(".")[0]
    if not (version := _version(root)):
        home = _home_of(root)
        return ModuleOrigin(kind, root, state_of(home), edited_files(home))
    return ModuleOrigin(kind, root, version)


def kind_of(module_name: str | None) -> Kind:
    """Say whose code a module is.

    Examples
    --------
    >>> kind_of("json.decoder"), kind_of("__main__"), kind_of("msgspec")
    ('stdlib', 'user', 'package')
    """
    if not isinstance(module_name, str) or module_name in ("", "__main__"):
        return "user"
    root = module_name.partition(".")[0]
    if root == OURS:
        return "ours"
    path = _path_of(module_name) or _path_of(root) or _path_to_be(root)
    if not os.path.isabs(path):
        return "stdlib" if root in sys.builtin_module_names or root in sys.stdlib_module_names else "user"
    return _kind_at(path, root)


def kind_of_class(cls: type) -> Kind:
    """Say whose code a class is: one that is made while the program runs is the user's, whatever module it names.

    Examples
    --------
    >>> import dataclasses, fractions
    >>> kind_of_class(fractions.Fraction), kind_of_class(dataclasses.make_dataclass("Point", ["x"]))
    ('stdlib', 'user')
    """
    module = cls.__module__
    kind = kind_of(module)
    if kind in ("user", "ours") or "<locals>" in cls.__qualname__:
        return kind
    found: Any = sys.modules.get(module)
    for part in cls.__qualname__.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type):
        return kind
    functions = (member for member in vars(cls).values() if isinstance(member, types.FunctionType))
    return "user" if module == "types" or any(kind_of_function(made) == "user" for made in functions) else kind


def kind_of_function(function: types.FunctionType) -> Kind:
    """Say whose code a function is: text that is run (``exec``) is the user's, whatever module it is run in."""
    kind = kind_of(function.__globals__.get("__name__"))
    filename = function.__code__.co_filename
    is_text = filename.startswith("<") and not filename.startswith(("<frozen ", DYNAMIC))
    return "user" if is_text and kind != "ours" else kind


@functools.lru_cache(maxsize=16_384)
def _kind_at(path: str, root: str) -> Kind:
    path = os.path.normpath(path)
    if not _SITE_NAMES.isdisjoint(Path(path).parts) or path.startswith(_SITE):
        return "package"
    if path.startswith(_STDLIB):
        return "stdlib"
    home = _home_of(root)
    if distribution_at(home) is not None:
        return "package"
    if any(place.startswith(folder + os.sep) for folder in _projects for place in (path, os.path.realpath(path))):
        return "user"
    return "package" if len(code_files(home)) > _MOST_FILES else "user"


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


def _home_of(root: str) -> str:
    """Where a top-level module lies: the folder of a package, or the file of a single module."""
    path = _path_of(root) or _path_to_be(root)
    return os.path.normpath(os.path.dirname(path) if os.path.basename(path).startswith("__init__.") else path)


def _version(root: str) -> str:
    """What a package calls its version; '' where it says nothing, or lies where anyone may edit it."""
    distribution = distribution_at(_home_of(root))
    if distribution is not None:
        return distribution.version
    path = _path_of(root) or _path_to_be(root)
    if _SITE_NAMES.isdisjoint(Path(path).parts) and not path.startswith(_SITE):
        return ""
    loaded = getattr(sys.modules.get(root), "__version__", None)
    return loaded if isinstance(loaded, str) else _installed_version(root)


@functools.cache
def _installed_version(root: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(root)
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(root, [])
        return importlib.metadata.version(names[0]) if names else ""


add_project(working_folder() or os.path.expanduser("~"))
