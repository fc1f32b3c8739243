"""Loaders (volatile pipes): run for those who need them, shared, and let go of as soon as they have served."""

import gc
import tempfile
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

import rms_jupyter as rms
from rms_jupyter.run.plan.scheduler import TaskState

loads = []  # A weak reference to each value that was loaded in this process, and what there was besides.


def alive():
    gc.collect()
    return sum(ref() is not None for ref, _, _ in loads)


def spooled():
    """Values on disk for the time of a run."""
    return [path for path in Path(tempfile.gettempdir()).glob("rms-run-*/*/*") if not path.name.startswith(".")]


def load(n):
    before = alive(), len(spooled())
    value = np.full(1000, n)
    loads.append((weakref.ref(value), *before))
    return value


def use(data, what="fine", k=0):
    if what == "fails":
        raise ValueError("no")
    if what == "slow":
        time.sleep(60)
    return int(data[0]) + k


@pytest.fixture(autouse=True)
def nothing_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    loads.clear()
    gc.collect()
    gc.freeze()  # What was there before the test is not looked through each time that garbage is collected.
    yield
    gc.unfreeze()


@pytest.fixture
def how(where):
    return {"n_jobs": 2, "executor": where}


@pytest.fixture
def let_go(monkeypatch):
    """Numbers of the loaders of a plan that were let go of."""
    from rms_jupyter.handles.plan import Plan

    numbers, release = [], Plan.release
    monkeypatch.setattr(Plan, "release", lambda plan, number: (numbers.append(number), release(plan, number)))
    return numbers


def pipes(s, **options):
    return s.register_pipe(load, volatile=True, ignore="loads"), s.register_pipe(use, **options)


def run(plan, how, **options):
    try:
        return plan.run(**how, **options).counts
    except rms.PlanFailed as failed:
        return failed.report.counts


def test_values_are_let_go_of_one_after_the_other(s, how):
    load_, use_ = pipes(s)
    with s.plan() as plan:
        data = [load_(n) for n in range(40)]
        results = [use_(x, k=k) for x in data for k in (1, 2)]
    assert run(plan, how) == {"done": 120} and [r.content for r in results[:4]] == [1, 2, 2, 3]
    assert len(loads) == 40 and alive() == 0 and not spooled()
    assert max(held for _, held, _ in loads) <= 12, "few are held at a time"
    assert max(files for _, _, files in loads) <= 12


def test_what_several_calls_load_is_loaded_once(s, how):
    load_, use_ = pipes(s)
    with s.plan() as plan:
        results = [use_(load_(7), k=k) for k in range(20)]
    assert run(plan, how) == {"done": 21, "hit": 19} and [r.content for r in results] == list(range(7, 27))
    assert len(loads) == 1 and alive() == 0


@pytest.mark.parametrize("what", ["fails", "slow"])
def test_a_consumer_that_fails_or_takes_too_long_does_not_hold_a_value(s, how, what, let_go):
    load_, use_ = pipes(s, timeout=1.0 if what == "slow" else 0)
    with s.plan() as plan:
        data = load_(1)
        good, bad = use_(data), use_(data, what)
        use_(bad)
    counts = run(plan, how)
    assert counts == {"done": 2, "failed" if what == "fails" else "timed_out": 1, "upstream_failed": 1}
    assert let_go == [0] and good.content == 1 and not spooled()
    if what == "slow":  # In this process, the traceback of an error holds what its frames held.
        assert alive() == 0


def test_a_consumer_that_is_not_reached_does_not_hold_a_value(s, how, let_go):
    load_, use_ = pipes(s)
    fails = s.register_pipe(lambda: 1 / 0, name="fails")
    with s.plan() as plan:
        data = load_(1)
        use_(data)
        use_(data, "fine", fails())
    assert run(plan, how) == {"done": 2, "failed": 1, "upstream_failed": 1}
    assert let_go == [0] and alive() == 0


def test_a_consumer_that_is_pruned_does_not_hold_a_value(s, how, let_go):
    load_, use_ = pipes(s)
    with s.plan() as plan:
        data = load_(1)
        use_(data)
        other = use_(data, k=5)
    plan.prune(other)
    assert run(plan, how) == {"done": 2, "pruned": 1} and let_go == [0] and alive() == 0


def test_a_run_that_is_stopped_holds_no_values(s, how, let_go):
    def load_quietly(n):  # Python forgets an interrupt that comes while garbage is collected.
        loads.append(n)
        return np.full(1000, n)

    load_ = s.register_pipe(load_quietly, volatile=True, ignore="loads")
    naps = s.register_pipe(lambda data, i: time.sleep(1.5), name="naps")
    with s.plan() as plan:
        data = [load_(n) for n in range(3)]
        kept = load_(9)
        for i in range(6):
            naps(data[i % 3], i)
    plan.run(**how, background=True)
    while not (snapshot := plan.snapshot()) or snapshot.pipes["load_quietly"][TaskState.DONE] < 3:
        time.sleep(0.01)
    plan.stop()
    counts = plan.wait(30).counts
    assert counts["cancelled"] >= 2 and set(let_go) == {0, 1, 2} and not spooled()
    del kept


def test_what_nobody_consumes_is_kept_for_the_user(s, how, let_go):
    load_, _ = pipes(s)
    with s.plan() as plan:
        data = load_(5)
    assert run(plan, how) == {"done": 1} and let_go == [] and data.content[0] == 5 and len(loads) == 1


def test_a_loader_of_a_loader_is_let_go_of_too(s, how):
    load_, use_ = pipes(s)

    def scale(data):
        value = data * 2
        loads.append((weakref.ref(value), 0, 0))
        return value

    scale_ = s.register_pipe(scale, volatile=True, ignore="loads")
    with s.plan() as plan:
        raw = [load_(n) for n in range(10)]
        data = [scale_(x) for x in raw]
        results = [use_(x) for x in data]
    assert run(plan, how) == {"done": 30} and [r.content for r in results] == list(range(0, 20, 2))
    assert len(loads) == 20 and alive() == 0 and max(held for _, held, _ in loads) <= 14
