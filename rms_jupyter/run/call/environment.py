"""In which environment does a run happen: Python, its packages, and those of conda?

Nothing but what is listed here is looked at: no variables of the environment, no settings. Names and versions are read
from the names of the folders that installers write; they are listed again only when one of these folders has changed.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from xxhash import xxh3_128_hexdigest

from rms_jupyter.model import Environment
from rms_jupyter.store.store import Store
from rms_jupyter.working_folder import working_folder

_STARTED = time.time()
_INSTALLED = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_CONDA = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.json")

Stamps = tuple[tuple[str, int], ...]


class Environments:
    """Puts the environment of now on record, where it is not yet.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stamps: Stamps = ()
        self._digest = ""

    def now(self) -> str:
        """Return the digest of the environment as it is now."""
        stamps = tuple(_stamps())
        if stamps != self._stamps:
            environment = look()
            if self._store.find_environment(environment.digest) is None:
                self._store.append(msgspec.structs.replace(environment, k=self._store.next_k()))
            self._stamps, self._digest = stamps, environment.digest
        return self._digest


def look() -> Environment:
    """Describe the environment as it is now."""
    system = platform.uname()
    conda = conda_packages(sys.prefix)
    found = Environment(
        digest="",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{system.system} {system.release} {system.machine}",
        packages=dict(sorted(_packages().items())),
        conda=os.path.basename(sys.prefix) if conda else "",
        conda_packages=dict(sorted(conda.items())),
    )
    return msgspec.structs.replace(found, digest=xxh3_128_hexdigest(msgspec.json.encode(found)))


def _folders() -> list[str]:
    """Where packages may be installed; the folder that is worked in is none of them."""
    here = {"", working_folder()}
    return [folder for folder in dict.fromkeys(sys.path) if folder not in here]


def _stamps() -> Iterator[tuple[str, int]]:
    for folder in (*_folders(), conda_folder(sys.prefix)):
        try:
            yield folder, os.stat(folder).st_mtime_ns
        except (OSError, ValueError):
            continue


def _packages() -> dict[str, str]:
    """List what is installed here by name, and its version; one that was imported before counts as it was then."""
    entries = [entry for folder in _folders() for entry in _entries(folder)]
    found = _installed(entries)
    return {name: _loaded_version(entry) or version for name, (version, entry) in found.items()}


def installed_in(folders: Iterable[str]) -> dict[str, str]:
    """List the packages of Python in some folders by name, and their versions."""
    entries = [entry for folder in folders for entry in _entries(folder)]
    return {name: version for name, (version, _) in _installed(entries).items()}


def _installed(entries: Iterable[os.DirEntry[str]]) -> dict[str, tuple[str, os.DirEntry[str]]]:
    """Find packages by their metadata; of two of one name Python finds the first."""
    found: dict[str, tuple[str, os.DirEntry[str]]] = {}
    for entry in entries:
        if match := _INSTALLED.fullmatch(entry.name):
            found.setdefault(_canonical(match["name"]), (match["version"], entry))
    return found


def _canonical(name: str) -> str:
    """Spell a name as package indexes do.

    Examples
    --------
    >>> _canonical("typing_Extensions")
    'typing-extensions'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _loaded_version(entry: os.DirEntry[str]) -> str:
    """Return the version that was imported before this one was installed; '' if none was."""
    try:
        if entry.stat().st_ctime < _STARTED:
            return ""
    except OSError:
        return ""  # It is being replaced.
    files = importlib.metadata.Distribution.at(Path(entry.path)).files or ()
    modules = (sys.modules.get(name.removesuffix(".py")) for name in {file.parts[0] for file in files})
    versions = (getattr(module, "__version__", "") for module in modules)
    return next((version for version in versions if version and type(version) is str), "")


def conda_folder(prefix: str) -> str:
    """Where an environment of conda says what is installed in it."""
    return os.path.join(prefix, "conda-meta")


def conda_packages(prefix: str) -> dict[str, str]:
    """List the packages of an environment of conda by name, with their versions and builds."""
    matches = (_CONDA.fullmatch(entry.name) for entry in _entries(conda_folder(prefix)))
    return {match["name"]: f"{match['version']} {match['build']}" for match in matches if match}


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (OSError, ValueError):
        return []
