"""What does an isolated process do?  It runs the batches that it is sent until its parent closes the pipe.

Started by `child_process.Child` as ``python -m rms_jupyter.run.workers.child_main REQUESTS REPLIES LOGS``: the
descriptors of two pipes, and of a socket through which it hands over each file that it goes on printing to.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import IO

from rms_jupyter.run.task.descriptors import spool_from_now_on
from rms_jupyter.run.workers.child_process import OWN_PATH
from rms_jupyter.run.workers.offspring import adopt_orphans, end_with_parent
from rms_jupyter.run.workers.worker import run_batch

_LENGTH = struct.Struct("<Q")


def main() -> None:
    """Serve."""
    if own := os.environ.pop(OWN_PATH, ""):
        os.environ["PYTHONPATH"] = own
    else:
        del os.environ["PYTHONPATH"]
    logs = socket.socket(fileno=int(sys.argv[3]))
    logs.setblocking(False)
    spool_from_now_on(lambda file: socket.send_fds(logs, [b"\0"], [file]))
    adopt_orphans()
    end_with_parent()
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


if __name__ == "__main__":
    main()
