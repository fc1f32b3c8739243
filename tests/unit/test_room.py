"""The room of a worker: in the order of coming, and only for those who still want it."""

import threading
import time

import pytest

from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.workers.reservation import Room

THERE = Demand(2, 10)


def hold(room, need, order, name, release, is_wanted=lambda: True):
    def wait():
        try:
            with room.held(need, THERE, is_wanted):
                order.append(name)
                release.wait(10)
        except InterruptedError:
            order.append(f"not {name}")

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    return thread


def test_who_needs_much_is_not_overtaken_for_ever():
    room, order, first, rest = Room(), [], threading.Event(), threading.Event()
    threads = [hold(room, Demand(1, 4), order, "a", first), hold(room, Demand(2, 0), order, "large", rest)]
    threads.append(hold(room, Demand(1, 0), order, "small", rest))
    assert order == ["a"] and room.taken == Demand(1, 4)
    first.set()
    time.sleep(0.1)
    assert order == ["a", "large"] and room.taken == Demand(2, 0)
    rest.set()
    for thread in threads:
        thread.join()
    assert order == ["a", "large", "small"] and room.taken == Demand(0, 0)


def test_who_asks_for_more_than_there_is_gets_all():
    room = Room()
    with room.held(Demand(9, 99), THERE):
        assert room.taken == THERE
    with room.held(Demand(1, 99), Demand(2, 0)):
        assert room.taken == Demand(1, 0), "memory that is not limited is not counted"


def test_what_nobody_wants_any_more_does_not_wait():
    room, order, release = Room(), [], threading.Event()
    threads = [hold(room, Demand(2, 0), order, "a", release)]
    threads.append(hold(room, Demand(1, 0), order, "b", release, lambda: False))
    threads[1].join(10)
    assert order == ["a", "not b"]
    release.set()
    threads[0].join(10)
    assert room.taken == Demand(0, 0)


def test_what_fails_gives_its_room_back():
    room = Room()
    with pytest.raises(ValueError), room.held(Demand(2, 5), THERE):
        raise ValueError
    assert room.taken == Demand(0, 0)
