"""Which distribution lies in a folder, in which version, and what state are the files of one that has none in?"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import re
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from xxhash import xxh3_128

_SUFFIXES = (".py", ".so", ".pyd")
_STARTED = time.time_ns()
_FRESH_NS = 1_000_000_000
_PYC = struct.Struct("<4xLLL")  # Magic number, flags, time and size of the source.
_WHOLE = 0xFFFFFFFF
_FIRST_PART = re.compile(rb'^"?([^/,"\r\n]+)', re.MULTILINE)


class Distribution(NamedTuple):
    """What a folder's metadata says was installed to it."""

    name: str
    version: str


def distribution_at(home: str) -> Distribution | None:
    """Find the distribution that has put a package (its folder) or module (its file) where it is.

    The metadata of an editable install does not count: it lists no file of the package.
    """
    if not home:
        return None
    folder, name = os.path.split(home)
    try:
        modified = os.stat(folder).st_mtime_ns
    except OSError:
        return None
    return _distribution_of(folder, modified, name)


@functools.lru_cache(maxsize=4096)
def _distribution_of(folder: str, modified: int, name: str) -> Distribution | None:
    """Ask those first that are called as what they hold: the records of all that is installed are long."""
    namesakes = (path for path in _metadata_in(folder, modified) if path.name.partition("-")[0] == name)
    owner = next((path for path in namesakes if name in _installed_by(path)), None)
    owner = owner or _owners_in(folder, modified).get(name)
    return _about(owner) if owner else None


@functools.lru_cache(maxsize=256)
def _metadata_in(folder: str, modified: int) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.name.endswith(".dist-info")]
    except OSError:
        return []


@functools.lru_cache(maxsize=256)
def _owners_in(folder: str, modified: int) -> dict[str, Path]:
    return {name: path for path in _metadata_in(folder, modified) for name in _installed_by(path)}


def _about(path: Path) -> Distribution | None:
    """Read what metadata says of itself; nothing if it is damaged, so that the state of the files counts."""
    metadata = importlib.metadata.Distribution.at(path)
    try:
        return Distribution(metadata.metadata["Name"], metadata.version)
    except (KeyError, ValueError, OSError):
        return None


def _installed_by(path: Path) -> set[str]:
    """List the first parts of the paths in a distribution's record, which is a CSV file with thousands of lines."""
    try:
        record = (path / "RECORD").read_bytes()
    except OSError:
        return set()
    return {part.decode("utf-8", "surrogateescape") for part in _FIRST_PART.findall(record)}


@functools.lru_cache(maxsize=1024)
def code_files(home: str) -> tuple[str, ...]:
    """List the files of code in a package's folder, sorted; a module is its one file."""
    return tuple(_find_code(home))


def _find_code(home: str) -> list[str]:
    if not os.path.isdir(home):
        return [home] if os.path.isfile(home) else []
    found = []
    for folder, folders, names in os.walk(home):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [os.path.join(folder, name) for name in names if name.endswith(_SUFFIXES)]
    return sorted(found)


class _State(NamedTuple):
    """What the files of a package hold, and when that was looked at."""

    looked: int
    stats: tuple[tuple[str, int, int, int], ...]
    digest: str
    edited: str


_states: dict[str, _State] = {}


def state_of(home: str) -> str:
    """Digest the code in a package's folder as it is now: names and contents."""
    return _look(home).digest


def edited_files(home: str) -> str:
    """Name a file of a package that was edited since it was imported; '' if there is none."""
    return _look(home).edited


def _look(home: str) -> _State:
    """Look at all files at most once a second; read them only if one has changed."""
    known = _states.get(home)
    now = time.monotonic_ns()
    if known is not None and now - known.looked < _FRESH_NS:
        return known
    stats = tuple(_stats(_find_code(home)))
    if known is not None and known.stats == stats:
        digest = known.digest
    else:
        digest = _digest_of(home, [path for path, *_ in stats])
    _states[home] = _State(now, stats, digest, _edited(stats))
    return _states[home]


def _stats(paths: list[str]) -> Iterator[tuple[str, int, int, int]]:
    for path in paths:
        try:
            found = os.stat(path)
        except OSError:
            continue
        yield path, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _digest_of(home: str, paths: list[str]) -> str:
    content = xxh3_128()
    for path in paths:
        try:
            data = Path(path).read_bytes()
        except OSError:
            continue
        content.update(f"{os.path.relpath(path, home)}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
        content.update(data)
    return content.hexdigest()


def _edited(stats: tuple[tuple[str, int, int, int], ...]) -> str:
    """Find a module that was imported in this process from a file that has changed since."""
    recent = {path: (size, modified) for path, size, modified, _ in stats if modified >= _STARTED}
    if not recent:
        return ""
    loaded = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    return next((path for path in recent if path in loaded and not _is_compiled_from(path, *recent[path])), "")


def _is_compiled_from(path: str, size: int, modified: int) -> bool:
    """Whether the byte code beside a file, written when it was imported, was made from the file as it is."""
    try:
        header = Path(importlib.util.cache_from_source(path)).read_bytes()[: _PYC.size]
        flags, seconds, length = _PYC.unpack(header)
    except (OSError, ValueError, NotImplementedError, struct.error):
        return False
    is_same = (seconds, length) == (modified // 1_000_000_000 & _WHOLE, size & _WHOLE)
    return not flags and is_same
