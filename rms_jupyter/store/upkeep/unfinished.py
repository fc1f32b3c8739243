"""Whose are the files that are still being written, and which will never be finished?

Their names say by which process, and on which machine, so that those of the dead can go and those of the living stay.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import threading
import time
from pathlib import Path

_OWNER = re.compile(r"(?P<host>[\w.-]*)~(?P<pid>\d+)~", re.ASCII)
_DAY = 24 * 3600.0


def name_while_written(name: str) -> str:
    """Name a file that this thread writes, until it has its own name."""
    return f"{_host()}~{os.getpid()}~{threading.get_ident()}~{name}"


def remove_unfinished(folder: Path) -> None:
    """Remove the files and folders that nobody will finish: of dead processes; of others' machines, after a day."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False) and _has_no_writer(entry):
                    os.unlink(entry)
                elif entry.is_dir(follow_symlinks=False) and _OWNER.match(entry.name) and _has_no_writer(entry):
                    shutil.rmtree(entry)


def _has_no_writer(entry: os.DirEntry[str]) -> bool:
    owner = _OWNER.match(entry.name)
    if owner is None or owner["host"] != _host():
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _DAY
    return not _is_alive(int(owner["pid"]))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _host() -> str:
    return re.sub(r"[^\w.-]", "_", platform.node(), flags=re.ASCII)
