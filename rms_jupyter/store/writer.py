"""Who writes a journal?  Its first line says."""

from __future__ import annotations

import os
import platform
import secrets
import socket
import time

from rms_jupyter import model
from rms_jupyter.version import __version__


def first_line(notebook: str) -> bytes:
    """Write who writes: this process, for a notebook; as no other has."""
    return model.encode(
        model.Writer(
            host=socket.gethostname(),
            pid=os.getpid(),
            python=platform.python_version(),
            version=__version__,
            started=time.time_ns() // 1000,
            notebook=notebook,
            unique=secrets.token_hex(8),
        )
    )
