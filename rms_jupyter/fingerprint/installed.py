"""Which distribution lies in a folder, in which version, and what state are the files of one that has none in?"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
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
    return _distributions_in(folder, modified).get(name)


@functools.lru_cache(maxsize=256)
def _distributions_in(folder: str, modified: int) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".dist-info")]
    except OSError:
        return found
    for name in names:
        metadata = importlib.metadata.Distribution.at(Path(folder, name))
        try:
            about = Distribution(metadata.metadata["Name"], metadata.version)
            found.update(dict.fromkeys({file.parts[0] for file in metadata.files or ()}, about))
        except (KeyError, ValueError, OSError):
            continue  # Damaged: the state of its files counts.
    return found


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
