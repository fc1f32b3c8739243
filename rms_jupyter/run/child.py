"""What does an isolated process do?  It runs the batches that it is sent until its parent closes the pipe.

Started by `isolation.Child` as ``python -m rms_jupyter.run.child REQUESTS REPLIES`` (file descriptors).
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import time
from typing import IO

from rms_jupyter.run.descriptors import spool_from_now_on
from rms_jupyter.run.worker import run_batch

_LENGTH = struct.Struct("<Q")
_LOOK_EVERY = 1.0  # seconds


def main() -> None:
    """Serve."""
    spool_from_now_on()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with os.fdopen(int(sys.argv[1]), "rb") as requests, os.fdopen(int(sys.argv[2]), "wb") as replies:
        while head := requests.read(_LENGTH.size):
            batch = requests.read(_LENGTH.unpack(head)[0])
            result = run_batch(batch, echo=True, begin=lambda: _send(b"", replies))
            sys.stdout.flush()
            sys.stderr.flush()
            _send(result, replies)


def _send(result: bytes, replies: IO[bytes]) -> None:
    replies.write(_LENGTH.pack(len(result)) + result)
    replies.flush()


def _end_with(parent: int) -> None:
    """End, with all that was started from here, when the parent is gone, even in the middle of a task."""
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
