"""Which programs does a command rest on, and in which versions?

Each word of its text that names a program on the search path is taken for one: rather one too many than one too few. A
program of a Debian package counts by the version of that, which covers the files that it needs beside itself; any other
one by its content.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
from pathlib import Path

from rms_jupyter.fingerprint.files import FileDigests

_WORD = re.compile(r"(?<![\w$/.-])[A-Za-z_\[][\w.+-]*(?![\w/])")
_PROGRAM = re.compile(rb"^/(?:usr/)?s?bin/[^/\n]+$", re.M)
_VERSION = re.compile(r"^Package: (\S+)\n(?:.+\n)*?Version: (\S+)$", re.M)
_PACKAGES = Path("/var/lib/dpkg")
_files = FileDigests()


def programs_in(text: str, path: str) -> dict[str, str]:
    """Find the programs that a text names, and where they are.

    Examples
    --------
    >>> list(programs_in("sort -k2 | no-such-program", os.defpath))
    ['bash', 'sort']
    """
    words = dict.fromkeys(["bash", *_WORD.findall(text)])
    return {word: found for word in words if (found := shutil.which(word, path=path))}


def mark_of(program: str) -> tuple[int, ...]:
    """Return what changes when a program is replaced."""
    try:
        found = os.stat(program)
    except OSError:
        return ()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def version_of(program: str) -> str:
    """Return the version of a program: that of its package, or the digest of its content."""
    return _package_version(program, _stamp()) or _files.state(os.path.realpath(program)).digest


def _stamp() -> int:
    """When a package was installed or removed last; 0 where there are none."""
    try:
        return os.stat(_PACKAGES / "status").st_mtime_ns
    except OSError:
        return 0


@functools.lru_cache(maxsize=1024)
def _package_version(program: str, stamp: int) -> str:
    places = (program, os.path.realpath(program))
    # What lies in /usr/bin may be listed under /bin.
    named = (name for place in places for name in (place, place.removeprefix("/usr")))
    package = next((_owners(stamp)[name] for name in named if name in _owners(stamp)), "")
    return _versions(stamp).get(package, "")


@functools.lru_cache(maxsize=1)
def _owners(stamp: int) -> dict[str, str]:
    """Find the packages that programs are from."""
    found: dict[str, str] = {}
    for path in (_PACKAGES / "info").glob("*.list"):
        with contextlib.suppress(OSError):
            programs = map(os.fsdecode, _PROGRAM.findall(path.read_bytes()))
            found.update(dict.fromkeys(programs, path.name.removesuffix(".list").partition(":")[0]))
    return found


@functools.lru_cache(maxsize=1)
def _versions(stamp: int) -> dict[str, str]:
    with contextlib.suppress(OSError):
        text = (_PACKAGES / "status").read_text(encoding="utf-8", errors="replace")
        return dict(_VERSION.findall(text))
    return {}
