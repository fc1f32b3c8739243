"""Finished work that a run would repeat only because code was changed is named before it starts."""

import linecache
import re
import time

import pytest

import rms_jupyter as rms


def function(code, name="qc"):
    """Define a function as a notebook does."""
    namespace = {"time": time}
    source = f"def {name}(i):\n    time.sleep(0.03)\n    return {code}\n"
    filename = f"<{name} {code}>"
    linecache.cache[filename] = len(source), None, source.splitlines(keepends=True), filename
    exec(compile(source, filename, "exec"), namespace)
    return namespace[name]


def plan_of(s, pipe, *numbers):
    with s.plan() as plan:
        results = [pipe(number) for number in numbers]
    return plan, results


def watched(plan, **options):
    """Run a plan; gives the snapshots that were shown."""
    import copy

    snapshots = []
    plan.run(watch=lambda snapshot: snapshots.append(copy.deepcopy(snapshot)), **options)
    return snapshots


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_it_is_said_before_anything_runs_and_names_what_would_be_kept(s, n_jobs):
    plan_of(s, s.register_pipe(function("i")), *range(50))[0].run(n_jobs=n_jobs)
    qc = s.register_pipe(function("i + 1"))
    first, *_, last = watched(plan_of(s, qc, *range(45), *range(100, 110))[0], n_jobs=n_jobs)
    assert first.headline.startswith("45 finished tasks run again: qc changed, about 1.")
    assert first.headline.endswith("; to keep them: stop, then s.accept('qc')")
    assert "-    return i\n+    return i + 1" in first.diff and first.counts["done"] == first.counts["running"] == 0
    assert last.headline == first.headline and last.finished
    again = watched(plan_of(s, qc, *range(50))[0], n_jobs=n_jobs)
    assert not again[0].headline, "the 5 that are left took less than a second"
    assert again[-1].counts["done"] == 5


def test_what_was_accepted_or_never_done_is_not_named(s):
    plan_of(s, s.register_pipe(function("i")), *range(40))[0].run(n_jobs=2)
    qc = s.register_pipe(function("i + 1"))
    assert not watched(plan_of(s, qc, *range(100, 140))[0], n_jobs=2)[0].headline
    s.accept("qc")
    shown = watched(plan_of(s, qc, *range(140))[0], n_jobs=2)
    assert not any(snapshot.headline for snapshot in shown) and shown[-1].counts["hit"] == 80


def test_work_below_hits_and_several_pipes_are_counted(s):
    """What is ready only once its inputs are found is counted, too."""

    def load(i):
        return i

    def plan_with(one, two):
        load_ = s.register_pipe(load)
        qc, trim = s.register_pipe(function(one)), s.register_pipe(function(two, "trim"))
        with s.plan() as plan:
            for i in range(600):
                load_(i)
            for i in range(36):
                qc(load_(i)), trim(load_(i))
        return plan

    plan_with("i", "-i").run(n_jobs=2)
    first, *_ = watched(plan_with("i + 1", "-i - 1"), n_jobs=2)
    assert first.headline.startswith("72 finished tasks run again: qc changed, trim changed, about 2.")
    assert first.headline.endswith("s.accept('qc'), s.accept('trim')")


def test_a_stopped_run_says_it_again_and_accepting_keeps_what_is_left(s):
    plan_of(s, s.register_pipe(function("i")), *range(60))[0].run(n_jobs=2)
    qc = s.register_pipe(function("i + 1"))
    plan, _ = plan_of(s, qc, *range(60))
    seen = []

    def stop(snapshot):
        seen.append(snapshot.headline)
        if snapshot.ended > 2:
            plan.stop()

    plan.run(n_jobs=1, watch=stop)
    done = plan_of(s, qc, *range(60))[0].explain().status.value_counts()["hit"]
    assert seen[0].startswith("60 finished") and 2 < done < 30
    plan, _ = plan_of(s, qc, *range(60))
    plan.run(n_jobs=1, watch=lambda snapshot: (seen.append(snapshot.headline), plan.stop()))
    assert seen[-1].startswith(f"{60 - done} finished tasks run again")
    s.accept("qc")
    assert plan_of(s, qc, *range(60))[0].run(n_jobs=1).counts == {"hit": 60}


def test_a_script_is_warned(s):
    plan_of(s, s.register_pipe(function("i")), *range(40))[0].run(n_jobs=2)
    qc = s.register_pipe(function("i + 1"))
    with pytest.warns(rms.RmsWarning, match="40 finished tasks run again: qc changed"):
        plan_of(s, qc, *range(40))[0].run(n_jobs=2)


def test_a_plan_without_edited_pipes_asks_nothing(s, monkeypatch):
    pipe = s.register_pipe(function("i"))
    plan_of(s, pipe, 1, 2)[0].run(n_jobs=1)
    asked = []
    monkeypatch.setattr(s.store, "fetch", lambda *args: asked.append(args))
    assert plan_of(s, pipe, 1, 2, 3)[0].run(n_jobs=1).counts == {"hit": 2, "done": 1} and asked == []


def test_in_a_notebook(kernel):
    kernel.run("%%rms\nimport time\ndef qc(i):\n    time.sleep(0.05)\n    return i")
    kernel.run("%%rms run -j 2\nrs = [qc(i) for i in range(30)]")
    kernel.run("%%rms\ndef qc(i):\n    time.sleep(0.05)\n    return -i  # <b>")
    ran = kernel.run("%%rms run -j 2\nrs = [qc(i) for i in range(30)]")
    lines = [bundle.get("text/plain", "").split("\n")[0] for bundle in ran.seen]
    at_least = r"rms: 30 finished tasks run again: qc changed, about (1\.[5-9]|[2-9]|\d\d)"  # 30 of 0.05 s
    [place, *_, last] = [n for n, line in enumerate(lines) if re.match(at_least, line)]
    assert lines[place].endswith("to keep them: stop, then --accept qc") and lines[place] == lines[last]
    [ended] = [n for n, bundle in enumerate(ran.seen) if "30 of 30: 30 done" in bundle.get("text/plain", "")]
    assert place < ended == last and ran.seen[last] in ran.displays
    for at in (place, last):
        assert "+    return -i" in ran.seen[at]["text/html"] and "return -i  # <b>" not in ran.seen[at]["text/html"]
    kernel.run("%%rms\ndef qc(i):\n    time.sleep(0.05)\n    return 2 * i")
    ran = kernel.run(
        "import rms_jupyter as rms\ns = rms.current()\nwith s.plan() as plan:\n    rs = [qc(i) for i in range(30)]\n"
        "plan.run(n_jobs=2)\nprint('after')"
    )
    assert "30 finished tasks run again" in ran.shown
    kernel.run("%%rms\ndef qc(i):\n    time.sleep(0.05)\n    return 3 * i")
    ran = kernel.run("%%rms run -j 2 --accept qc\nrs = [qc(i) for i in range(30)]")
    assert "30 hit" in ran.shown and "run again" not in ran.shown
