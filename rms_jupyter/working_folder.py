"""In which folder does this process work?  It may have been deleted."""

from __future__ import annotations

import os


def working_folder() -> str:
    """Return the absolute path of the working directory; '' if it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def in_short(path: str) -> str:
    """Write a path as it is from the working directory, where it lies in that."""
    return path.removeprefix(os.path.join(working_folder(), "")) if path.startswith(os.sep) else path
