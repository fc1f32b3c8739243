"""Which code does a script or notebook run?  Its own, and, transitively, that of the user's modules that it imports.

Modules are found as Python would find them for the script, without importing any: in its folder, on ``PYTHONPATH``,
then where this process finds them. Packages count by their versions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import NamedTuple

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.origin import kind_of, origin_of
from rms_jupyter.fingerprint.values import digest, tagged
from rms_jupyter.fingerprint.version import CodeVersion
from rms_jupyter.tracked.texts import ImportedName, TextSays, said_by, said_by_notebook

Stamp = tuple[int, int, int]  # Time of the last change (ns), size, inode.
_NOT_A_NOTEBOOK = ""  # The language of a file that is none: it fails before it reads anything.
_MOST_MODULES = 2000


class CodeFile(NamedTuple):
    """A file with code that a script rests on."""

    path: str
    stamp: Stamp
    said: TextSays


class CodeState(NamedTuple):
    """A file as it was read, and what its text comes to."""

    stamp: Stamp
    digest: str


class TrackedCode:
    """The code of a script or notebook as it is now.

    Parameters
    ----------
    path : str
        Absolute path.
    folder : str
        Where it runs.
    environment : mapping of str to (str or None)
        Variables that are set or (None) unset for it.

    Attributes
    ----------
    modules : dict of str to CodeFile
        By name; the script itself is ``''``.
    packages : dict of str to str
        Versions of the packages that it imports.

    Raises
    ------
    RmsError
        If it cannot be read.
    """

    def __init__(self, path: str, folder: str, environment: Mapping[str, str | None]) -> None:
        self.path, self._folder, self._environment = path, folder, environment
        self.modules: dict[str, CodeFile] = {"": read_code(path)}
        self.packages: dict[str, str] = {}
        self._language = self.modules[""].said.language
        self._search = _search_path(os.path.dirname(path) if path.endswith(".py") else folder, environment)
        self._seen: set[str] = set()
        if self._language == "python":
            self._follow()

    @property
    def states(self) -> dict[str, CodeState]:
        """The states of all files, as they were read here."""
        return {module.path: CodeState(module.stamp, module.said.digest) for module in self.modules.values()}

    def version(self, name: str, ignore: Sequence[str] = (), folder: str = "") -> CodeVersion:
        """Describe the code; `name` is what the script is called in that, `folder` the setting of where it runs."""
        version = CodeVersion()
        if folder:
            version.parts["working directory"] = os.path.normpath(folder)
        for label, module in self.modules.items():
            version.parts[label or name] = module.said.digest
            version.sources[label or name] = module.said.text
        version.parts |= self.packages
        for variable in sorted(self._variables()):
            value = self._environment.get(variable, os.environ.get(variable))
            version.parts[f"env {variable}"] = digest(value).hex() if variable in self._environment else _hidden(value)
        for label in ignore:
            version.parts.pop(label, None)
        version.digest = tagged("script", [f"{key}={value}".encode() for key, value in sorted(version.parts.items())])
        version.literals = sorted(self._file_names())
        if self._language not in ("python", _NOT_A_NOTEBOOK):
            version.obstacle = f"what a notebook in {self._language} reads is not seen"
        return version

    def _variables(self) -> set[str]:
        return {name for module in self.modules.values() for name in module.said.variables}

    def _file_names(self) -> Iterator[str]:
        """Files that the text names, also those that are not there yet; folders count by what is asked of them."""
        known = {module.path for module in self.modules.values()}
        for name in {name for module in self.modules.values() for name in module.said.names}:
            path = os.path.normpath(os.path.join(self._folder, name))
            if not os.path.isdir(path) and path not in known:
                yield path

    def _follow(self) -> None:
        waiting = [("", "", found) for found in self.modules[""].said.imports]
        while waiting and len(self.modules) < _MOST_MODULES:
            _, package, imported = waiting.pop()
            for name in _names_of(imported, package):
                if name in self._seen:
                    continue
                self._seen.add(name)
                spec = self._find(name)
                if spec is None:
                    continue
                if (module := self._of_the_user(name, spec)) is not None:
                    self.modules[name] = module
                    inner = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
                    waiting += [(name, inner, found) for found in module.said.imports]

    def _find(self, name: str) -> ModuleSpec | None:
        """Find a module as the import system would, its packages first."""
        search: Sequence[str] = self._search
        spec: ModuleSpec | None = None
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            try:
                spec = PathFinder.find_spec(".".join(parts[:end]), list(search))
            except (ImportError, ValueError, OSError):
                return None
            if spec is None or (end < len(parts) and spec.submodule_search_locations is None):
                return None
            search = list(spec.submodule_search_locations or ())
        return spec

    def _of_the_user(self, name: str, spec: ModuleSpec) -> CodeFile | None:
        """Read a module of the user's; note the version of any other package."""
        place = spec.origin if spec.has_location and spec.origin else ""
        root = name.partition(".")[0]
        if not place:
            return None
        if not place.startswith(os.path.join(self._search[0], "")) and kind_of(root) != "user":
            if kind_of(root) == "package":
                self.packages[root] = origin_of(root).version
            return None
        try:
            return read_code(place)
        except RmsError:
            return None


def _names_of(imported: ImportedName, package: str) -> Iterator[str]:
    """Names of modules that an import may load: the packages above, the module, and what is imported from it."""
    base = imported.module
    if imported.level:
        parts = package.split(".") if package else []
        parts = parts[: len(parts) - imported.level + 1]
        base = ".".join([*parts, *filter(None, [imported.module])])
    if not base:
        return
    parts = base.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    yield from (f"{base}.{name}" for name in imported.names if name != "*")


def _search_path(first: str, environment: Mapping[str, str | None]) -> list[str]:
    more = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH")) or ""
    named = [os.path.join(first, place) for place in more.split(os.pathsep) if place]
    return list(dict.fromkeys([first, *named, *filter(None, sys.path)]))


def read_code(path: str) -> CodeFile:
    """Read a file with code.

    Raises
    ------
    RmsError
        If it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            data = file.read()
    except OSError as error:
        raise RmsError(f"{path} cannot be read: {error.strerror}", hint="check the path, and its permissions") from None
    text = data.decode("utf-8", "backslashreplace")
    is_python = path.endswith((".py", ".pyw"))
    said = (
        said_by_notebook(text)
        if path.endswith(".ipynb")
        else said_by(text)
        if is_python
        else TextSays(digest(data).hex(), f"<{len(data):,} bytes>")
    )
    return CodeFile(path, (found.st_mtime_ns, found.st_size, found.st_ino), said)


def _hidden(value: str | None) -> str:
    """What stands for the value of a variable that is not listed: it may be a secret."""
    from rms_jupyter.store.upkeep.trust import concealed

    return concealed(digest(value)).hex()
