"""Is a call on record, what clears it, and when does it expire?  What users of joblib and RMS look for."""

import datetime
import time

import pytest

import rms_jupyter as rms


def half(x):
    return x / 2


def test_lookup_finds_what_would_be_a_hit_and_runs_nothing(s):
    pipe = s.pipe(half)
    assert pipe.lookup(3) is None and s.tasks() == []
    pipe(3)
    found = pipe.lookup(3)
    assert found.content == 1.5 and found.task.hit and pipe.lookup(x=3) == found and pipe.lookup(4) is None
    assert len(s.tasks()) == 1


def test_lookup_does_not_change_the_arguments(s):
    def double(xs):
        xs *= 2
        return len(xs)

    pipe = s.pipe(double)
    pipe([1])
    mine = [1]
    assert pipe.lookup(mine).content == 2 and mine == [1]
    with pytest.raises(TypeError):
        pipe.lookup()


def test_one_pipe_is_cleared_and_others_stay(s):
    pipe, other = s.pipe(half), s.pipe(lambda x: x + 1, name="other")
    pipe(3), pipe(4), other(3)
    pipe.clear()
    assert pipe.lookup(3) is None and other.lookup(3) is not None
    other(pipe(5))
    with pytest.raises(rms.RmsError, match="other"):
        pipe.clear()
    pipe.clear(dependants=True)
    assert pipe.lookup(5) is None and other.lookup(2.5) is None and other.lookup(3) is not None


@pytest.mark.parametrize("age", [0.2, "0.2 s", datetime.timedelta(seconds=0.2), "0.2 seconds"])
def test_results_expire(s, age):
    pipe = s.pipe(half, expires_after=age)
    assert rms.info(pipe(3)).task.hit is False and rms.info(pipe(3)).task.hit
    time.sleep(0.3)
    again = rms.info(pipe(3)).task
    assert not again.hit and again.reason.startswith("expired") and rms.info(pipe(3)).task.hit


@pytest.mark.parametrize(
    ("text", "seconds"), [("7 days", 604_800), ("12h", 43_200), ("1 week", 604_800), ("5 min", 300)]
)
def test_spans_of_time(s, text, seconds):
    assert s.pipe(half, expires_after=text).contract.expires_after == seconds


def test_a_span_that_is_none_is_refused(s):
    with pytest.raises(rms.RegistrationError, match="'soon' is not a span of time"):
        s.pipe(half, expires_after="soon")


def test_options_as_rms_spells_them(s):
    contract = s.register_pipe(half, return_volatile=True, is_deterministic=False).contract
    assert contract.volatile and not contract.deterministic and contract.returns == "resource"
