"""The scheduler: every small graph with every set of failures, and larger ones at random."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_jupyter.run.call.demand import Demand
from rms_jupyter.run.plan.scheduler import Scheduler, TaskState


def drive(needs, failing, hits=frozenset(), workers=2, begin=None):
    """Run a plan to its end; gives the final states and the order of running.

    It begins with the first tasks, all if not given, and grows by two tasks after each batch.
    """
    groups = [f"g{n % 2}" for n in range(len(needs))]
    begin = len(needs) if begin is None else begin
    scheduler = Scheduler(needs[:begin], groups[:begin], capacity=Demand(workers))
    order = []
    while not scheduler.finished or scheduler.size < len(needs):
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
                scheduler.done({number: 0.001})
        grown = slice(scheduler.size, scheduler.size + 2)
        assert [*scheduler.grow(needs[grown], groups[grown])] == [*range(len(needs))][grown]
    return [scheduler.state(n) for n in range(len(needs))], order


def descendants(needs, roots):
    found = set()
    for number in range(len(needs)):
        if any(need in roots or need in found for need in needs[number]):
            found.add(number)
    return found


def check(needs, failing, hits=frozenset(), begin=None):
    failing = set(failing) - set(hits)
    states, order = drive(needs, failing, hits, begin=begin)
    effective = {n for n in failing if n not in descendants(needs, failing)}
    hopeless = descendants(needs, effective)
    for number, state in enumerate(states):
        if number in hopeless:
            assert state is TaskState.UPSTREAM_FAILED
        elif number in failing:
            assert state is TaskState.FAILED
        else:
            assert state is (TaskState.HIT if number in hits else TaskState.DONE)
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


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_every_small_graph_with_every_set_of_failures(size):
    """Exactly the descendants of failures are upstream_failed; a second run runs only what did not end well."""
    for needs in graphs(size):
        for failing in itertools.product((False, True), repeat=size):
            check_twice(needs, {n for n, fails in enumerate(failing) if fails})


def check_twice(needs, failing):
    check(needs, failing)
    states, _ = drive(needs, failing)
    done = {n for n, state in enumerate(states) if state is TaskState.DONE}
    again, order = drive(needs, set(), hits=done)
    assert sorted(order) == [n for n in range(len(needs)) if n not in done]
    assert all(state in (TaskState.HIT, TaskState.DONE) for state in again)


FATES = ["done", "raise", "kill", "hang", "flaky"]


@given(st.data())
def test_random_graphs_with_kills_timeouts_retries_and_a_cancel(data):
    """Whatever happens: every task ends once, nothing runs before its inputs, and the room is given back."""
    size = data.draw(st.integers(1, 50))
    needs = [sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=4))) if n else [] for n in range(size)]
    fates = data.draw(st.lists(st.sampled_from(FATES + ["done"] * 10), min_size=size, max_size=size))
    cancel_at = data.draw(st.none() | st.integers(0, 60))
    workers = data.draw(st.integers(1, 4))
    demands = {"g1": Demand(data.draw(st.integers(1, 6)), data.draw(st.integers(0, 20)))}
    demands = data.draw(st.sampled_from([{}, demands]))
    groups = [f"g{n % 2}" for n in range(size)]
    seconds = {"g0": 0.5, "g1": data.draw(st.sampled_from([1e-5, 0.01, 30.0]))}
    scheduler = Scheduler(needs, groups, None, Demand(workers, 10), demands, seconds)
    running, pausing, attempts, step = [], [], dict.fromkeys(range(size), 0), 0
    while not scheduler.finished:
        step += 1
        assert step < 1000, "it must come to an end"
        if step == cancel_at:
            scheduler.cancel()
            pausing.clear()
        scheduler.miss(*scheduler.take_ready(7))
        while batch := scheduler.next_batch():
            running.append(batch)
            for number in batch:
                assert all(scheduler.state(need) is TaskState.DONE for need in needs[number])
            assert not scheduler.is_alone(batch[0]) or len(batch) == 1
        used = [demands.get(groups[batch[0]], Demand()) for batch in running]
        assert sum(min(demand.cores, workers) for demand in used) <= workers
        assert sum(min(demand.memory, 10) for demand in used) <= 10
        if running:
            batch = running.pop(data.draw(st.integers(0, len(running) - 1)))
            killed = any(fates[number] == "kill" for number in batch) and not scheduler.is_alone(batch[0])
            for number in batch:
                attempts[number] += 1
                if killed:
                    scheduler.again(number, alone=True)
                elif fates[number] == "flaky" and attempts[number] < 3:
                    scheduler.pause(number)
                    pausing.append(number)
                elif fates[number] == "hang":
                    scheduler.failed(number, TaskState.TIMED_OUT)
                elif fates[number] in ("raise", "kill"):
                    scheduler.failed(number)
                else:
                    scheduler.done({number: 0.001})
        elif pausing:
            scheduler.again(pausing.pop())
    bad = {n for n in range(size) if fates[n] in ("raise", "kill", "hang")}
    for number in range(size):
        state = scheduler.state(number)
        below = number in descendants(needs, bad)
        if state is TaskState.CANCELLED:
            assert cancel_at is not None
        elif below:
            assert state is TaskState.UPSTREAM_FAILED
        else:
            good = (
                TaskState.DONE
                if number not in bad
                else TaskState.TIMED_OUT
                if fates[number] == "hang"
                else TaskState.FAILED
            )
            assert state is good or (cancel_at is not None and state is TaskState.CANCELLED)
    assert sum(scheduler.counts().values()) == size


def test_the_longest_way_to_the_end_goes_first():
    needs = [[], [], [1], [2]]
    scheduler = Scheduler(needs, ["short", "a", "b", "c"], seconds={"short": 1.0, "a": 0.1, "b": 5.0, "c": 1.0})
    scheduler.miss(*scheduler.take_ready(10))
    assert scheduler.next_batch() == [1]


def test_pruning_leaves_out_all_that_depends():
    scheduler = Scheduler([[], [0], [], [1, 2]], ["a"] * 4)
    assert sorted(scheduler.prune(0)) == [0, 1, 3]
    assert scheduler.take_ready(10) == [2]


@given(st.data())
def test_random_graphs(data):
    size = data.draw(st.integers(1, 50))
    needs = [sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=4))) if n else [] for n in range(size)]
    failing = data.draw(st.sets(st.integers(0, size - 1), max_size=5))
    hits = data.draw(st.sets(st.integers(0, size - 1)))
    hits = {n for n in hits if all(need in hits for need in needs[n])}
    check(needs, failing, hits, data.draw(st.none() | st.integers(0, size)))


def test_what_is_added_after_cancelling_is_cancelled():
    scheduler = Scheduler([[], []], ["a", "a"])
    scheduler.miss(*scheduler.take_ready(1))
    [running] = scheduler.next_batch()
    scheduler.cancel()
    added = scheduler.grow([[]], ["b"])
    scheduler.await_further(running, added)
    assert scheduler.finished and scheduler.counts() == {"cancelled": 3}


def test_what_is_needed_by_added_tasks_goes_by_what_became_of_it():
    scheduler = Scheduler([[], [], [1]], ["a", "b", "b"])
    scheduler.hit(0)
    scheduler.failed(1)
    assert [*scheduler.grow([[0], [0, 2], [3, 4]], ["c", "c", "c"])] == [3, 4, 5]
    assert [str(scheduler.state(n)) for n in (3, 4, 5)] == ["ready", "upstream_failed", "upstream_failed"]


def test_added_tasks_keep_to_what_their_pipe_demands():
    scheduler = Scheduler([[]], ["a"], capacity=Demand(2))
    scheduler.know("wide", Demand(2), None)
    scheduler.grow([[], []], ["wide", "wide"])
    scheduler.take_ready(1)
    scheduler.hit(0)
    scheduler.miss(*scheduler.take_ready(10))
    assert scheduler.next_batch() == [1] and scheduler.next_batch() == []


def test_cancelling_gives_up_what_has_not_begun():
    scheduler = Scheduler([[], [0], []], ["a", "a", "b"])
    scheduler.miss(*scheduler.take_ready(10))
    [running] = scheduler.next_batch()
    assert sorted(scheduler.cancel()) == [n for n in range(3) if n != running]
    assert not scheduler.finished
    scheduler.cancelled(running)
    assert scheduler.finished and scheduler.counts() == {"cancelled": 3}


def test_what_was_given_up_while_it_was_looked_up_stays_given_up():
    scheduler = Scheduler([[], []], ["a", "b"])
    taken = scheduler.take_ready(10)
    scheduler.cancel()
    scheduler.miss(*taken)
    assert scheduler.finished and scheduler.next_batch() == []


def test_batches_grow_with_tasks_that_prove_short():
    scheduler = Scheduler([[]] * 10_000, ["a"] * 10_000, capacity=Demand(2))
    scheduler.miss(*scheduler.take_ready(10_000))
    first = scheduler.next_batch()
    scheduler.done(dict.fromkeys(first, 1e-5))
    assert len(first) < 10 < 900 < len(scheduler.next_batch())


def test_only_what_is_wanted_takes_part():
    scheduler = Scheduler([[], [0], []], ["a", "a", "b"], wanted={0, 1})
    assert scheduler.take_ready(10) == [0]
    assert scheduler.counts() == {"waiting": 1, "ready": 1}


def test_lazy_tasks_run_one_by_one_right_before_those_that_need_them():
    """0, 1, 2 are loaded for 6, 7, 8 (0 through 3); 4 is not lazy, 5 stands alone."""
    needs = [(), (), (), (0,), (), (), (3, 4), (1,), (2, 1)]
    groups = ["load"] * 3 + ["scale", "other", "other", "use", "use", "use"]
    scheduler = Scheduler(needs, groups, seconds={"load": 1e-5, "use": 1e-5}, lazy={0, 1, 2, 3})
    order = []
    while not scheduler.finished:
        scheduler.miss(*scheduler.take_ready(10))
        batch = scheduler.next_batch()
        assert len(batch) == 1 or batch == [4, 5]
        order += batch
        scheduler.done(dict.fromkeys(batch, 1e-5))
    assert order == [4, 5, 0, 3, 6, 1, 7, 2, 8]
