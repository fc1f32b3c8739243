"""The store is made smaller: what goes can be computed again, what cannot stays, and others work meanwhile."""

import os
import subprocess
import sys
import textwrap
import time
from datetime import timedelta

import numpy as np
import pytest

import rms_jupyter as rms
from rms_jupyter.errors import RmsError, StoreError
from rms_jupyter.session import Session
from rms_jupyter.store.upkeep.evict import alone
from rms_jupyter.views.wording import size

RUNS = []
LARGE = 20_000  # Numbers: an object of 160 kB.


def ramp(n):
    RUNS.append(n)
    time.sleep(0.001 * n)
    return np.arange(LARGE, dtype="f8") + n


def total(values):
    return float(values.sum())


@pytest.fixture(autouse=True)
def no_runs():
    RUNS.clear()


@pytest.fixture
def ramp_(s):
    return ramp_in(s)


def ramp_in(session, **options):
    return session.register_pipe(ramp, ignore=("RUNS", "LARGE"), **options)


def objects(session):
    return {path.name for path in (session.path / "objects").glob("??/*")}


def bytes_of(session):
    return sum(path.stat().st_size for path in (session.path / "objects").glob("??/*"))


def name(resource):
    return f"{resource.digest}.{resource._rms.record.format}"


# What goes -----------------------------------------------------------------------------------------------------------


def test_what_goes_first_saves_the_fewest_seconds_a_byte(s, ramp_):
    slow, _, middle = ramp_(60), ramp_(1), ramp_(30)
    before = bytes_of(s)
    report = s.gc(s.status()["bytes"] - 100_000)
    assert objects(s) == {name(slow), name(middle)} and bytes_of(s) < before
    assert report[0]["pipe"] == "ramp" and report[0]["results"] == 1 and "evicted 1 result" in report.headline
    s.gc(0)
    assert objects(s) == set()


def test_a_dry_run_says_what_would_go_and_what_it_costs(s, ramp_):
    ramp_(40)
    report = s.gc(0, dry_run=True)
    took = next(note for note in report.notes if note.startswith("the store would take"))
    assert took == f"the store would take {size(s.status()['bytes'] - bytes_of(s))}"
    assert "would evict 1 result" in repr(report) and "160 kB" in repr(report) and "ms" in report[0]["to get back"]
    assert len(objects(s)) == 1 and s.sql("FROM evictions").fetchall() == []


def test_an_evicted_result_is_computed_again_and_kept_again(s, ramp_):
    first = ramp_(3)
    again = total(first.content)
    s.gc(0)
    assert objects(s) == set()
    second = ramp_(3)
    assert total(second.content) == again and RUNS == [3, 3] and second.digest == first.digest
    assert objects(s) == {name(first)} and second.task.hit
    assert ramp_(3).task.hit and RUNS == [3, 3]


def test_a_call_that_gives_a_value_that_was_evicted_runs_and_is_kept_again(s):
    ramp_ = ramp_in(s, returns="value")
    first = rms.info(ramp_(3))
    s.gc(0)
    again = rms.info(ramp_(3))
    assert RUNS == [3, 3] and again.digest == first.digest and str(again.task.reason).startswith("output_missing")
    assert objects(s) == {name(first)}


def test_what_an_evicted_value_went_into_stays_a_hit(s, ramp_):
    total_ = s.register_pipe(total)
    result = total_(ramp_(3))
    s.gc(0)
    with s.plan() as plan:
        later = total_(ramp_(3))
    plan.run(n_jobs=1)
    assert later.replacement.content == result.content and RUNS == [3], "nothing needs the value in between"


def test_lineage_makes_an_evicted_value_again_in_another_session(s, ramp_, reopen):
    ident = ramp_(3).id
    s.gc(0)
    with reopen(s) as again:
        with pytest.raises(rms.NotRecomputable, match="no pipe ramp with the same code"):
            again.home.resource(ident).content
        shown = again.show(ident)
        assert "evicted" in shown.facts["content"] and "budget" in shown.facts["content"]
        ramp_in(again)
        assert total(again.home.resource(ident).content) == total(ramp(3))
        assert len(objects(again)) == 1 and "content" not in again.show(ident).facts


def test_a_worker_gets_an_evicted_value(s, ramp_):
    total_ = s.register_pipe(total)
    made = ramp_(5)
    s.gc(0)
    with s.plan() as plan:
        results = [total_(made), total_(ramp_(5))]
    plan.run(n_jobs=2)
    assert {r.replacement.content for r in results} == {total(ramp(5))}


def test_a_check_does_not_miss_what_was_evicted(s, ramp_):
    ramp_(3)
    s.gc(0)
    assert not s.check(full=True)


def test_all_of_a_pipe_or_of_an_age(s, ramp_):
    other_ = s.register_pipe(lambda n: np.zeros(LARGE) + n, name="other", ignore="LARGE")
    kept, _ = ramp_(1), other_(1)
    s.gc(pipe="other")
    assert objects(s) == {name(kept)}
    s.gc(older="1 hour")
    assert objects(s) == {name(kept)}
    time.sleep(0.02)
    s.gc(older=timedelta(milliseconds=1))
    assert objects(s) == set()
    for bad in ({"older": "soon"}, {"budget": "much"}, {"budget": -1}, {"pipe": "nobody"}):
        with pytest.raises(RmsError):
            s.gc(**bad)


def test_the_words_of_joblib(s, ramp_):
    for n in range(4):
        ramp_(n)
    s.reduce_size(items_limit=1)
    assert len(objects(s)) == 1
    s.reduce_size(bytes_limit="1k")
    assert len(objects(s)) == 0
    s.reduce_size(age_limit=timedelta(days=1))


def test_expired_results_go_by_themselves(s):
    brief_ = s.register_pipe(lambda n: np.zeros(LARGE) + n, name="brief", ignore="LARGE", expires_after=0.05)
    brief_(1), ramp_in(s)(2)
    time.sleep(0.1)
    report = s.gc()
    assert [row["pipe"] for row in report] == ["brief"] and len(objects(s)) == 1


def test_what_a_pipe_declares_now_counts(s, ramp_, reopen):
    ramp_(1)
    with reopen(s) as again:
        ramp_in(again, deterministic=False)
        again.gc(0)
        assert len(objects(s)) == 1
        ramp_in(again, expires_after=0.01)
        time.sleep(0.05)
        again.gc()
        assert len(objects(s)) == 0


# What stays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("marked", [{"pinned": True}, {"tag": "paper"}, {"note": "figure 2"}])
@pytest.mark.parametrize("what", ["resource", "task"])
def test_what_is_pinned_tagged_or_noted_stays(s, ramp_, marked, what):
    keep, _ = ramp_(1), ramp_(2)
    s.mark(keep if what == "resource" else keep.task, **marked)
    report = s.gc(0)
    assert objects(s) == {name(keep)} and "pinned, tagged or noted" in repr(report)
    if "pinned" in marked:
        s.mark(keep if what == "resource" else keep.task, pinned=False)
        s.gc(0)
        assert objects(s) == set()


def test_what_cannot_come_back_stays(s):
    other_ = ramp_in(s, name="other", deterministic=False)

    def draw(n):
        return np.random.random(n)

    draw_ = s.register_pipe(draw)
    a, b = other_(1), draw_(LARGE)
    total_ = s.register_pipe(total)
    total_(np.arange(LARGE) * 2.0)  # Its argument is kept.
    before = objects(s)
    assert len(before) == 3
    s.gc(0)
    assert {name(a), name(b)} < objects(s) == before


def test_content_that_several_name_goes_or_stays_as_a_whole(s, ramp_):
    total_ = s.register_pipe(total)
    made = ramp_(1)
    total_(np.arange(LARGE, dtype="f8") + 1)  # An equal value from the notebook: an argument.
    s.gc(0)
    assert objects(s) == {name(made)}
    twin_ = s.register_pipe(lambda n: np.arange(LARGE, dtype="f8") + n, name="twin", ignore="LARGE")
    other = ramp_(2)
    s.mark(twin_(2), tag="paper")
    s.gc(0)
    assert name(other) in objects(s)


def test_what_calls_have_shown_is_shown_again(kernel):
    kernel.run("import rms_jupyter as rms")
    cell = (
        "%%rms\ndef show(n):\n    from IPython.display import HTML, display\n    display(HTML('<b>' + 'x' * 20000))\n"
    )
    kernel.run(cell + "show(1)")
    kernel.run("%rms gc --budget 0")
    assert any("xxxx" in str(shown) for shown in kernel.run(cell + "show(1)").displays)


def test_deprecated_results_go_first(s, ramp_):
    slow, quick = ramp_(60), ramp_(1)
    s.mark(slow, deprecated=True)
    s.gc(s.status()["bytes"] - 100_000)
    assert objects(s) == {name(quick)}


# What nothing names --------------------------------------------------------------------------------------------------


def test_content_that_nothing_names_goes_once_it_is_old(s, ramp_):
    made = ramp_(1)
    orphan = s.path / "objects" / "ab" / f"ab{'0' * 30}.npy"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"x" * 1000)
    partial = s.path / "objects" / "ab" / f".ab{'0' * 30}.123-456.npy"
    partial.write_bytes(b"y" * 1000)
    s.gc()
    assert orphan.exists() and partial.exists(), "somebody may be about to name it"
    os.utime(orphan, (1, 1))
    assert "1 files that nothing names" in repr(s.gc(dry_run=True))
    s.gc()
    assert not orphan.exists() and objects(s) >= {name(made)}


def test_foreign_files_are_left_alone(s, ramp_):
    ramp_(1)
    foreign = [s.path / "objects" / "notes.txt", s.path / "objects" / "ab" / "._x", s.path / "objects" / "ab" / "x.npy"]
    foreign[1].parent.mkdir(exist_ok=True)
    for path in foreign:
        path.write_text("mine")
        os.utime(path, (1, 1))
    (s.path / "objects" / "ac").symlink_to("/")
    s.gc(0)
    assert all(path.read_text() == "mine" for path in foreign)


# While others work ---------------------------------------------------------------------------------------------------

WORK = """
    import sys
    import numpy as np
    import rms_jupyter as rms

    def ramp(n):
        return np.arange(20_000, dtype="f8") + n

    with rms.open(sys.argv[1]) as s:
        ramp_ = s.register_pipe(ramp)
        total_ = s.register_pipe(lambda values, k: float(values.sum()) + k, name="total")
        print("ready", flush=True)
        for count in range(int(sys.argv[2])):
            n = count % 7
            made = ramp_(n)
            assert made.content[5] == n + 5, n
            assert total_(ramp_(n), count % 3).content == 20_000 * 19_999 / 2 + 20_000 * n + count % 3
            total_(np.full(20_000, float(count)), 0)
"""


@pytest.fixture
def worker(tmp_path):
    script = tmp_path / "work.py"
    begun = []

    def begin(store, times, text=WORK):
        script.write_text(textwrap.dedent(text))
        process = subprocess.Popen(
            [sys.executable, script, store, str(times)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        begun.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_another_kernel_works_while_content_goes(s, worker):
    other = worker(s.path, 30)
    evicted = 0
    while other.poll() is None:
        evicted += sum(row["results"] for row in s.gc(0))
    assert other.returncode == 0, other.communicate()[1]
    assert evicted > 0
    s.refresh()
    missing = [
        resource.digest
        for _, resource in s.store.holdings().objects.values()
        if s.store.objects.lacks(name_of_record(resource))
    ]
    known = {digest for (digest,) in s.sql("SELECT digest FROM evictions").fetchall()}
    assert set(missing) <= known, "each was put on record before it went"
    given = s.sql("SELECT digest, format FROM resources WHERE kind = 'given'").fetchall()
    assert given and not any(s.store.objects.lacks(f"{digest}.{format}") for digest, format in given)


def name_of_record(resource):
    return f"{resource.digest}.{resource.format}"


CLEAR = """
    import sys
    import rms_jupyter as rms

    with rms.open(sys.argv[1]) as s:
        print("ready", flush=True)
        while True:
            s.gc(0)
"""


def slow_total(values, k):
    time.sleep(0.05)
    return float(values.sum()) + k


def test_a_plan_runs_while_another_kernel_clears_out(s, worker, ramp_):
    other = worker(s.path, 0, CLEAR)
    total_ = s.register_pipe(slow_total)
    with s.plan() as plan:
        totals = [total_(ramp_(n), k) for n in range(4) for k in range(8)]
    plan.run(n_jobs=2)
    expected = [total(ramp(n)) + k for n in range(4) for k in range(8)]
    assert [one.replacement.content for one in totals] == expected
    assert other.poll() is None and s.sql("SELECT count(*) FROM evictions").fetchall()[0][0] > 0


def test_one_kernel_at_a_time_clears_out(s, ramp_):
    ramp_(1)
    with alone(s.store), Session(s.path) as other:
        with pytest.raises(StoreError, match="another kernel"):
            other.gc(0)
        other.gc(0, dry_run=True)
    s.gc(0)


def test_the_database_is_made_again_while_another_kernel_asks(s, worker, ramp_):
    ramp_(1)
    other = worker(s.path, 8)
    while other.poll() is None:
        s.gc(compact=True)
        assert s.sql("SELECT count(*) FROM tasks WHERE pipe = 'ramp'").fetchall()[0][0] >= 1
    assert other.returncode == 0, other.communicate()[1]
    expected = s.sql("SELECT count(*), sum(k) FROM tasks").fetchall()
    for path in s.path.glob("provenance.duckdb*"):
        path.unlink()
    assert s.sql("SELECT count(*), sum(k) FROM tasks").fetchall() == expected
    assert not list((s.path / "staging").glob("compact-*")) and not list(s.path.glob("*damaged*"))


def test_a_killed_clearing_out_loses_nothing(s, ramp_):
    made = ramp_(1)
    path = s.store.objects.path(*name(made).split(".", 1))
    aside = path.with_name(f".{name(made)}.4711.evicted")
    path.rename(aside)  # Killed between two steps.
    two_days = time.time() - 2 * 86_400
    os.utime(aside, (two_days, two_days))
    s.gc()
    assert total(ramp_(1).content) == total(ramp(1))


# The budget ----------------------------------------------------------------------------------------------------------


def test_a_session_with_a_budget_keeps_to_it(tmp_path):
    with rms.open(tmp_path / "a.rms", budget="2 MB") as s:
        ramp_ = ramp_in(s)
        for n in range(20):
            ramp_(n)
        assert bytes_of(s) > 3_000_000
    with rms.open(tmp_path / "a.rms") as again:
        assert again.status()["bytes"] < 2_100_000
        assert again.sql("SELECT count(*) FROM tasks").fetchall() == [(20,)]


def test_magics(kernel):
    kernel.run("import numpy as np")
    kernel.run("%%rms\ndef ramp(n):\n    return np.arange(20_000) + n\na, b = ramp(1), ramp(2)")
    assert "1 pinned" in kernel.run("%rms mark a --pin").shown
    assert "would evict 1 result" in kernel.run("%rms gc --budget 0 -n").shown
    assert "evicted 1 result" in kernel.run("%rms gc --budget 0").shown
    assert "pinned, tagged or noted" in kernel.run("%rms gc --older 30d").shown
    assert "no longer pinned" in kernel.run("%rms mark a --unpin").shown
    assert "evicted 1 result" in kernel.run("%rms gc --pipe ramp").shown
    assert "is not an amount of memory" in kernel.run("%config RMSMagics.budget = 'much'").shown
    assert "is not an amount" in kernel.run("%rms gc --budget much").shown
    assert kernel.run("%config RMSMagics.budget = '2 GB'").ok
    assert "of 2.0 GB" in kernel.run("%rms status").shown
