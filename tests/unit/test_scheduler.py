"""The scheduler: every small graph with every set of failures, and larger ones at random."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_jupyter.run.scheduler import Demand, Scheduler, State


def drive(needs, failing, hits=frozenset(), workers=2):
    """Run a plan to its end; gives the final states and the order of running."""
    scheduler = Scheduler(needs, [f"g{n % 2}" for n in range(len(needs))], capacity=Demand(workers))
    order = []
    while not scheduler.finished:
        for number in scheduler.take_ready(2):
            if number in hits:
                scheduler.hit(number)
            else:
                scheduler.miss(number)
        batch = scheduler.next_batch()
        for number in batch:
            order.append(number)
            if number in failing:
                scheduler.failed(number)
            else:
                scheduler.done(number, 0.001)
    return [scheduler.state(n) for n in range(len(needs))], order


def descendants(needs, roots):
    found = set()
    for number in range(len(needs)):
        if any(need in roots or need in found for need in needs[number]):
            found.add(number)
    return found


def check(needs, failing, hits=frozenset()):
    failing = set(failing) - set(hits)
    states, order = drive(needs, failing, hits)
    effective = {n for n in failing if n not in descendants(needs, failing)}
    hopeless = descendants(needs, effective)
    for number, state in enumerate(states):
        if number in hopeless:
            assert state is State.UPSTREAM_FAILED
        elif number in failing:
            assert state is State.FAILED
        else:
            assert state is (State.HIT if number in hits else State.DONE)
    for place, number in enumerate(order):
        assert all(need in order[:place] or need in hits for need in needs[number])


def graphs(size):
    pairs = [(a, b) for b in range(size) for a in range(b)]
    for chosen in itertools.product((False, True), repeat=len(pairs)):
        needs = [[] for _ in range(size)]
        for (a, b), used in zip(pairs, chosen, strict=True):
            if used:
                needs[b].append(a)
        yield needs


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_every_small_graph_with_every_set_of_failures(size):
    for needs in graphs(size):
        for failing in itertools.product((False, True), repeat=size):
            check(needs, {n for n, fails in enumerate(failing) if fails})


@given(st.data())
def test_random_graphs(data):
    size = data.draw(st.integers(1, 50))
    needs = [sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=4))) if n else [] for n in range(size)]
    failing = data.draw(st.sets(st.integers(0, size - 1), max_size=5))
    hits = data.draw(st.sets(st.integers(0, size - 1)))
    hits = {n for n in hits if all(need in hits for need in needs[n])}
    check(needs, failing, hits)


def test_cancelling_gives_up_what_has_not_begun():
    scheduler = Scheduler([[], [0], []], ["a", "a", "b"])
    for number in scheduler.take_ready(10):
        scheduler.miss(number)
    [running] = scheduler.next_batch()
    assert sorted(scheduler.cancel()) == [n for n in range(3) if n != running]
    assert not scheduler.finished
    scheduler.cancelled(running)
    assert scheduler.finished and scheduler.counts() == {"cancelled": 3}


def test_batches_grow_with_tasks_that_prove_short():
    scheduler = Scheduler([[]] * 10_000, ["a"] * 10_000, capacity=Demand(2))
    for number in scheduler.take_ready(10_000):
        scheduler.miss(number)
    first = scheduler.next_batch()
    for number in first:
        scheduler.done(number, 1e-5)
    assert len(first) < 10 < 900 < len(scheduler.next_batch())


def test_only_what_is_wanted_takes_part():
    scheduler = Scheduler([[], [0], []], ["a", "a", "b"], wanted={0, 1})
    assert scheduler.take_ready(10) == [0]
    assert scheduler.counts() == {"waiting": 1, "ready": 1}
