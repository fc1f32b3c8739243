"""How does one wait for another thread, so that an interrupt is heard?

In short spells: a signal that the system hands to another thread, or that comes just before a wait begins, is not heard
by Python's main thread until that wait is over.
"""

from __future__ import annotations

import math
import threading
import time

_LISTEN_EVERY = 0.5


def wait_for(event: threading.Event, timeout: float | None = None) -> bool:
    """Wait until an event is set; return whether it is, after `timeout` seconds at the latest.

    Raises
    ------
    KeyboardInterrupt
        Within half a second of an interrupt.

    Examples
    --------
    >>> event = threading.Event()
    >>> wait_for(event, 0.01)
    False
    """
    give_up = time.monotonic() + (math.inf if timeout is None else timeout)
    while not event.wait(max(0.0, min(_LISTEN_EVERY, give_up - time.monotonic()))):
        if time.monotonic() >= give_up:
            return False
    return True
