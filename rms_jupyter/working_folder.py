"""In which folder does this process work?  It may have been deleted."""

from __future__ import annotations

import os


def working_folder() -> str:
    """Return the absolute path of the working directory; '' if it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""
