"""Drafts: what is to run, written by anyone, and added to while it runs."""

import pytest

import rms_jupyter as rms
from rms_jupyter.handles.virtual_resource import VirtualResource


def split(text):
    return text.split()


def measure(word):
    if word == "bad":
        raise ValueError("no length")
    return len(word)


def gather(lengths):
    return sum(lengths)


def flow(s, text):
    """A flow in little: a call of `measure` for each word that `split` gives, as soon as it is known, then `gather`."""
    split_, measure_, gather_ = (s.register_pipe(function) for function in (split, measure, gather))
    plan = s.plan()
    draft = plan.draft

    def grow(number):
        if number == first:
            words = plan.result(first).content
            lengths = [draft.add(measure_._definition, (word,), {first}) for word in words]
            parts = [VirtualResource(plan, length) for length in lengths]
            draft.add(gather_._definition, (parts,), set(lengths))

    first = draft.add(split_._definition, (text,), on_done=grow)
    return plan


def test_a_draft_grows_while_it_runs(s, how):
    plan = flow(s, "some are known")
    assert plan.run(**how).counts == {"done": 5}
    assert plan.result(4).content == 12
    assert {node.pipe for node in s.lineage(plan.result(4), down=False).tasks} >= {"gather", "measure"}


def test_what_is_added_is_answered_from_the_store(s):
    flow(s, "some are known").run(n_jobs=1)
    assert flow(s, "some are known").run(n_jobs=1).counts == {"hit": 5}
    assert flow(s, "some are slow").run(n_jobs=1).counts == {"hit": 2, "done": 3}


def test_a_failure_among_what_is_added_stops_what_needs_it(s, how):
    with pytest.raises(rms.PlanFailed, match="no length") as failed:
        flow(s, "one bad apple").run(**how)
    assert failed.value.report.counts == {"done": 3, "failed": 1, "upstream_failed": 1}


def test_nothing_is_added_once_a_run_is_to_stop(s):
    with pytest.raises(rms.PlanFailed) as failed:
        flow(s, "bad apple").run(n_jobs=1, on_error="stop")
    assert failed.value.report.counts == {"done": 1, "failed": 1, "cancelled": 1, "upstream_failed": 1}


def test_a_call_that_cannot_be_made_fails_in_its_turn(s):
    measure_ = s.register_pipe(measure)
    plan = s.plan()
    good, refused = (plan.draft.add(measure_._definition, (word,)) for word in ("good", "none"))
    needs_it = plan.draft.add(measure_._definition, (VirtualResource(plan, refused),), {refused})
    plan.draft.refused[refused] = rms.RmsError("there is no such word", hint="mend it")
    with pytest.raises(rms.PlanFailed, match="there is no such word") as failed:
        plan.run(n_jobs=1)
    assert failed.value.report.counts == {"done": 1, "failed": 1, "upstream_failed": 1}
    assert plan.result(good).content == 4
    with pytest.raises(rms.RmsError, match="did not run"):
        plan.result(needs_it)
