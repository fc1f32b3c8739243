"""What of a worker's cores and memory is free for another batch?"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator

from rms_jupyter.run.call.demand import Demand

_LOOK_EVERY = 0.5  # Seconds until it is noticed that nobody wants what waits.


class Room:
    """Cores and memory of a process, of which its threads hold parts.

    Examples
    --------
    >>> room = Room()
    >>> with room.held(Demand(1, 6), there=Demand(4, 8)):
    ...     room.taken
    Demand(cores=1, memory=6)
    """

    def __init__(self) -> None:
        self.taken = Demand(0, 0)
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextlib.contextmanager
    def held(self, need: Demand, there: Demand, is_wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
        """Hold a part for the time of a block; waits until it is free, and those who came before have theirs.

        Parameters
        ----------
        need, there : Demand
            What is asked for, and all there is (memory 0: not limited). Who asks for more than there is gets all of it.
        is_wanted : callable
            Asked now and then while it waits.

        Raises
        ------
        InterruptedError
            If nobody wants it any more.
        """
        need = Demand(min(need.cores, there.cores), min(need.memory, there.memory) if there.memory else 0)
        me = object()
        with self._changed:
            self._waiting.append(me)
            try:
                while self._waiting[0] is not me or not self._fits(need, there):
                    self._changed.wait(_LOOK_EVERY)
                    if not is_wanted():
                        raise InterruptedError("nobody wants it any more")
                self._take(need, 1)
            finally:
                self._waiting.remove(me)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._take(need, -1)
                self._changed.notify_all()

    def _fits(self, need: Demand, there: Demand) -> bool:
        cores, memory = self.taken
        return cores + need.cores <= there.cores and (not there.memory or memory + need.memory <= there.memory)

    def _take(self, need: Demand, times: int) -> None:
        self.taken = Demand(self.taken.cores + times * need.cores, self.taken.memory + times * need.memory)
