"""What came of many calls: the table, and going on with those that succeeded."""

import contextlib
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.naming import short_id


def qc(sample, k=15):
    if sample in (3, 7):
        raise ValueError(f"{sample} has no reads")
    return sample * 2.5


def merge(qcs):
    return sum(qcs.values() if isinstance(qcs, dict) else qcs)


def fixed(sample, k=15):
    return sample * 2.5


SERIAL = {"n_jobs": 1}


def run(s, pipe, samples, how=SERIAL):
    with s.plan() as plan:
        results = [pipe(sample) for sample in samples]
    with contextlib.suppress(rms.PlanFailed):
        plan.run(**how)
    return results


def test_samples_fail_are_seen_left_out_and_taken_in_once_they_are_mended(s, how):
    """R21: some samples fail: the table shows them, the rest is merged, and those that failed are run once mended."""
    qc_, merge_ = s.register_pipe(qc, name="qc"), s.register_pipe(merge)
    results = run(s, qc_, range(40), how)
    table = rms.table(results)
    assert list(table.columns) == ["sample", "k", "status", "seconds", "value", "error", "id"]
    assert table["sample"].tolist() == list(range(40)) and len(table) == 40
    failed = table[table.status != "done"]
    assert failed["sample"].tolist() == [3, 7] and failed.error.tolist()[0] == "ValueError: 3 has no reads"
    assert set(table.status) == {"done", "failed"} and table.value.iloc[4] == 10.0
    ids = {short_id(ident) for (ident,) in s.sql("SELECT id FROM tasks WHERE pipe = 'qc'").fetchall()}
    assert set(table.id) == ids and (table.seconds[table.status == "done"] > 0).all()

    chosen = rms.done(results)
    assert len(chosen) == 38 and chosen.left_out == ("qc(3, k=15)", "qc(7, k=15)")
    assert repr(chosen) == "<38 of 40, left out: qc(3, k=15), qc(7, k=15)>"
    part = merge_(chosen)
    assert part.content == 2.5 * (sum(range(40)) - 10)
    assert "left out: qc(3, k=15)" in part.task.call and "left out" in str(s.lineage(part))
    lineage = s.lineage(part, down=False)
    assert len(lineage.tasks) == 39 and {e[0] for e in lineage.edges} >= {r._rms_ref().id for r in chosen}
    assert merge_(rms.done(results)).task.hit
    assert not merge_(list(chosen)).task.hit

    mended = s.register_pipe(fixed, name="qc")
    s.accept("qc")
    results = run(s, mended, range(40), how)
    assert s.sql("SELECT count(*) FROM tasks WHERE pipe = 'qc'").fetchall() == [(42,)]
    whole = merge_(rms.done(results))
    assert not whole.task.hit and whole.content == 2.5 * sum(range(40)) and rms.done(results).left_out == ()
    assert merge_(results).task.hit
    assert repr(rms.done(results[:1])) == "[<qc(0, k=15) = 0.0>]"


class Wordless(Exception):
    def __str__(self):
        raise ValueError("no words")


class Numbered(Exception):
    def __str__(self):
        return 5

    def __reduce__(self):
        raise RuntimeError("cannot be pickled")


@pytest.mark.parametrize("kind", [Wordless, Numbered])
def test_an_exception_that_cannot_be_put_into_words_ends_no_plan(s, how, kind):
    def work(i):
        if i == 1:
            raise kind
        return i

    pipe = s.pipe(work)
    with s.plan() as plan:
        results = [pipe(i) for i in range(4)]
    with pytest.raises(rms.PlanFailed, match=f"{kind.__name__}: .its message cannot be shown"):
        plan.run(**how)
    assert rms.table(results).status.tolist() == ["done", "failed", "done", "done"]
    assert rms.done(results) == [0, 2, 3]


def test_what_is_left_out_is_part_of_the_key_and_survives_a_new_kernel(s, reopen):
    qc_ = s.register_pipe(qc)
    three, seven = (run(s, qc_, [1, 2, bad]) for bad in (3, 7))
    merge_ = s.register_pipe(merge)
    assert not merge_(rms.done(three)).task.hit and not merge_(rms.done(seven)).task.hit
    assert not merge_({"a": rms.done(three)[0], "b": 1}).task.hit
    again = reopen(s)
    qc_, merge_ = again.register_pipe(qc), again.register_pipe(merge)
    result = merge_(rms.done(run(again, qc_, [1, 2, 3])))
    assert result.task.hit and "<2 of 3, left out: qc(3, k=15)>" in result.task.call
    rerun = again.rerun(result)
    assert rerun.content == 7.5 and merge_(rms.done(run(again, qc_, [1, 2, 3]))).id == rerun.id


def test_shapes_are_kept(s):
    good, bad = run(s, s.register_pipe(qc), [1, 3])
    result = good.replacement
    assert rms.done({"a": good, "b": bad, "c": [bad, good]}) == {"a": result, "c": [result]}
    assert rms.done([(good, bad), (good, 1), 5]) == [(result, 1), 5]
    assert rms.done(bad) == [] and rms.done(good) == [result] and rms.done([]) == []
    assert rms.done(r for r in (good, bad)) == [result]
    plain, failed = run(s, s.pipe(qc), [1, 3])
    assert rms.done({"a": plain, "b": failed, "c": (plain, 5)}) == {"a": 2.5, "c": (2.5, 5)}
    assert s.register_pipe(merge)(rms.done({"a": good, "b": bad})).content == 2.5


def test_items_are_counted_whatever_holds_the_results(kernel):
    kernel.run("%load_ext rms_jupyter\nimport rms_jupyter as rms")
    kernel.run("%%rms\ndef inverse(x):\n    return 1 / x")
    ran = kernel.run(
        "%%rms run -j 1\npairs = [(n, inverse(n)) for n in (0, 1, 2, 4)]\nlists = {n: [inverse(n), 8] for n in (0, 8)}"
    )
    assert "PlanFailed" in ran.error
    ran = kernel.run("rms.done(pairs)")
    assert "taken: 3 of 4, left out: inverse(0)" in ran.shown
    assert ran.result == "[(1, 1.0), (2, 0.5), (4, 0.25)]\n<3 of 4, left out: inverse(0)>"
    ran = kernel.run("rms.done(lists)")
    assert "taken: 3 of 4" in ran.shown and ran.result.startswith("{0: [8], 8: [0.125, 8]}")


def test_taking_what_has_not_run_is_refused(s):
    qc_ = s.register_pipe(qc)
    with s.plan() as plan:
        results = [qc_(i) for i in range(3)]
        with pytest.raises(rms.NotComputedYet, match="next cell"):
            rms.done(results)
    plan.run(n_jobs=1, only=results[:1])
    assert rms.done(results).left_out == ("qc(1, k=15)", "qc(2, k=15)")


def test_a_table_of_a_plan_in_every_state(s, how):
    qc_, merge_ = s.register_pipe(qc), s.register_pipe(merge)
    with s.plan() as plan:
        results = [qc_(i) for i in (1, 3)]
        after = merge_(results)
        later = merge_([after])
        other = qc_(5)
    everything = [*results, after, later, other]
    assert rms.table(everything).status.tolist() == ["not_run"] * 5
    with pytest.raises(rms.PlanFailed):
        plan.run(**how, only=later)
    table = rms.table(everything)
    assert table.status.tolist() == ["done", "failed", "upstream_failed", "upstream_failed", "not_run"]
    assert table["pipe"].tolist() == ["qc", "qc", "merge", "merge", "qc"]
    assert table.id.isna().tolist() == [False, False, True, True, True]


def test_what_was_pruned_and_what_still_runs(s):
    qc_ = s.register_pipe(qc)
    with s.plan() as plan:
        results = [qc_(i) for i in range(3)]
    plan.prune(results[1], "not needed")
    plan.run(n_jobs=1, background=True)
    assert [r.content for r in rms.done(results)] == [0.0, 5.0]
    assert rms.table(results).status.tolist() == ["done", "pruned", "done"]


class Nasty:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    __hash__ = None


class Silent(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_a_table_never_raises(s):
    good, bad = run(s, s.register_pipe(qc), [1, 3])
    loop = [good]
    loop.append(loop)

    def broken():
        yield good
        raise ValueError("in the middle")

    odd = [
        [], {}, None, 5, "text", "\ud800", b"bytes", Nasty(), Silent(), ValueError("two\nlines"), good, bad, loop,
        {"a": [good, {"b": (bad, 1)}]}, np.arange(5), pd.DataFrame({"a": [1]}), {1, 2}, 2**70, math.nan, broken(), rms,
    ]  # fmt: skip
    for item in [*odd, odd]:
        assert isinstance(rms.table(item), pd.DataFrame)
    assert list(rms.table([]).columns) == ["status", "seconds", "value", "error", "id"]
    assert rms.table(broken()).error.tolist() == ["", "ValueError: in the middle"]
    assert rms.table([Silent()]).status.tolist() == ["failed"]
    s.close()
    assert len(rms.table([good, bad, 5])) == 3


def test_values_and_columns_of_the_same_names(s, tmp_path):
    def odd(status, value, path=None):
        return np.zeros((3, 4)) if value else None

    def write(left, right):
        Path(left).write_text("l")
        Path(right).write_text("r")

    odd_ = s.register_pipe(odd)
    table = rms.table([odd_("new", 1), odd_("new", 0), odd_(status=np.arange(1000), value=2)])
    assert list(table.columns) == ["args.status", "args.value", "path", "status", "seconds", "value", "error", "id"]
    assert table["args.status"].tolist() == ["new", "new", "<int64 (1000,)>"]
    assert table.value.fillna("").tolist() == ["float64 (3, 4)", "", "float64 (3, 4)"]
    both = s.register_pipe(write, outputs=["left", "right"])("l.txt", "r.txt")
    table = rms.table([both, (odd_("new", 1), odd_("new", 1))])
    assert len(table) == 3 and table.value[0] == f"{tmp_path / 'l.txt'}, {tmp_path / 'r.txt'}"
    Path("in.txt").write_text("x")
    assert rms.table(s.register_file("in.txt")).status.tolist() == ["current"]


def test_in_a_notebook(kernel):
    kernel.run("import rms_jupyter as rms")
    kernel.run(
        "%%rms\ndef qc(i):\n    if i in (2, 5):\n        raise ValueError('no reads')\n    return i\n"
        "def merge(xs):\n    return sum(xs)"
    )
    ran = kernel.run("%%rms run -j 2\nrs = [qc(i) for i in range(8)]\nrms.done(rs)")
    assert not ran.ok and "take rms.done(...) in the next cell" in ran.error
    assert not kernel.run("%%rms run -j 2\nrs = [qc(i) for i in range(8)]").ok
    assert kernel.value("rms.table(rs).error.tolist()[2]") == "'ValueError: no reads'"
    ran = kernel.run("part = merge(rms.done(rs))")
    assert "taken: 6 of 8, left out: qc(2), qc(5)" in ran.shown and "merge ran" in ran.shown
    kernel.run("%%rms\ndef qc(i):\n    return i")
    ran = kernel.run("%%rms run -j 2 --accept qc\nrs = [qc(i) for i in range(8)]")
    assert ran.ok and "6 hit" in ran.shown and "2 done" in ran.shown
    ran = kernel.run("merge(rms.done(rs))")
    assert "merge ran" in ran.shown and "28" in ran.result and "left out" not in ran.shown


def test_a_table_of_a_large_plan_that_has_failed_looks_at_the_plan_once(s, monkeypatch):
    qc_, merge_ = s.register_pipe(qc), s.register_pipe(merge)
    with s.plan() as plan:
        bad = qc_(3)
        results = [merge_([bad, i]) for i in range(20_000)]
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=1)
    looks = []
    unrun = type(plan).unrun
    monkeypatch.setattr(type(plan), "unrun", lambda self: looks.append(self) or unrun(self))
    table = rms.table([bad, *results])
    assert table.status.value_counts().to_dict() == {"upstream_failed": 20_000, "failed": 1} and looks == [plan]
    assert len(rms.done([bad, *results]).left_out) == 20_001


def test_placeholders_of_another_plan_are_refused(s):
    qc_ = s.register_pipe(qc)
    with s.plan() as first:
        a = qc_(1)
    with s.plan() as second:
        b = qc_(2)
    for wrong in (a, [b, a], 5, None):
        with pytest.raises(rms.RmsError, match="placeholders of this plan"):
            second.prune(wrong)
    with pytest.raises(rms.RmsError, match="placeholders of this plan"):
        second.run(n_jobs=1, only=a)
    second.prune(b)
    assert first.run(n_jobs=1).counts == {"done": 1}
    assert second.run(n_jobs=1).counts == {"pruned": 1}


def test_what_a_user_does_after_400_samples_of_which_3_failed(kernel):
    """R21, with every command that comes to mind on the way."""
    kernel.run("import rms_jupyter as rms\nfrom pathlib import Path\nPath('raw').mkdir()")
    kernel.run("for i in range(400):\n    Path(f'raw/{i}.txt').write_text('' if i in (17, 230, 399) else 'ACGT' * i)")
    kernel.run(
        "%%rms\ndef qc(path, k=15):\n    text = Path(path).read_text()\n    if not text and '/0.' not in path:\n"
        "        raise ValueError(f'{path} has no reads')\n    return len(text)\n"
        "def trim(path, score):\n    return score * 2\ndef merge(scores):\n    return sum(scores)"
    )
    cell = (
        "%%rms run -j 2 {}\nrs = [qc(f'raw/{{i}}.txt') for i in range(400)]\nby_name = {{'s_17': rs[17]}}\n"
        "trimmed = [trim(f'raw/{{i}}.txt', r) for i, r in enumerate(rs)]\ntotal = merge(trimmed)"
    )
    ran = kernel.run(cell.format(""))
    assert not ran.ok and "(and 2 more)" in ran.error and "%rms logs --failed" in ran.error
    for what in ("rs[17]", "by_name[s_17]", 'by_name["s_17"]', "rs[-383]"):
        ran = kernel.run(f"%rms logs {what}")
        assert 'qc("raw/17.txt", k=15) · failed' in ran.result, what
        assert "    raise ValueError(f'{path} has no reads')\nValueError: raw/17.txt" in ran.result, "the line of code"
    for command in ("show", "why", "lineage"):
        assert "raw/17.txt" in kernel.run(f"%rms {command} rs[17]").shown, command
    assert "rs has no item [400]" in kernel.run("%rms show rs[400]").error
    ran = kernel.run("rs[17].content")
    assert "ValueError: raw/17.txt has no reads" in ran.error and "--debug" in ran.error and "settled" not in ran.error
    assert kernel.run("rs[17].content").error.count("\n") == ran.error.count("\n")
    assert "did not run" in kernel.run("total").result
    ran = kernel.run("total.content")
    assert 'did not run: it needs qc("raw/17.txt", k=15) (and 2 more), which failed: ValueError' in ran.error
    assert 'needs qc("raw/230.txt", k=15), which failed' in kernel.run("trimmed[230] + 1").error
    ran = kernel.run("%rms rerun --debug rs[17]")
    assert "ValueError: raw/17.txt has no reads" in ran.error and "rms_jupyter" not in ran.error
    assert kernel.run("%rms tasks --failed").result.count("has no reads") == 3

    kernel.run("Path('raw/17.txt').write_text('ACGT' * 17)")
    ran = kernel.run(cell.format(""))
    assert "2 done, 794 hit, 2 failed, 3 upstream_failed" in ran.shown
    assert kernel.run("%rms tasks --failed").result.count("has no reads") == 2
    kernel.run("%%rms\ndef qc(path, k=15):\n    return len(Path(path).read_text())")
    ran = kernel.run(cell.format("-n"))
    assert ran.ok and "code_changed qc" in ran.result and "[801 rows x 5 columns]" in ran.result
    ran = kernel.run(cell.format("--accept qc"))
    assert ran.ok and "796 hit" in ran.shown and "5 done" in ran.shown and "398 results of the code before" in ran.shown
    assert kernel.run("%rms tasks --failed").result == "(none)"
    assert kernel.value("total") == str(2 * sum(4 * i for i in range(400) if i not in (230, 399)))
    assert kernel.value("rms.table(rs).status.unique().tolist()") == "['done']"
    assert kernel.value("len(rms.current().tasks(status='failed'))") == "4"


THIRTY = """
from pathlib import Path
Path("raw").mkdir()
for day in range(30):
    Path(f"raw/{day:02}.csv").write_text("carrier\\nUA\\n" if day % 10 == 7 else f"delay\\n{day}\\n{day + 1}\\n")
"""
CLEAN = """%%rms
import pandas as pd
TMAX = 8
def load(path):
    return pd.read_csv(path)
def clean(flights, low=0):
    return flights[flights.delay.between(low, TMAX)]
def mean(flights):
    return float(flights.delay.mean())
"""
MEANS = "%%rms run -j 1\nmeans = [mean(clean(load(str(path)))) for path in sorted(Path('raw').glob('*.csv'))]"


def test_which_of_thirty_files_failed_is_said_wherever_a_call_is_named(kernel):
    kernel.run(THIRTY + "import rms_jupyter as rms")
    kernel.run(CLEAN)
    ran = kernel.run(MEANS)
    failed = [f'clean(load("raw/{day}.csv"), low=0)' for day in ("07", "17", "27")]
    assert f"PlanFailed: {failed[0]} failed: AttributeError" in ran.error and "(and 2 more)" in ran.error
    assert all(call in ran.shown for call in failed), "each failure under the cell"
    listed = kernel.run("%rms tasks --failed").result
    assert all(call in listed for call in failed)
    assert f"taken: 27 of 30, left out: mean({failed[0]}), mean({failed[1]}), mean({failed[2]})" in (
        kernel.run("kept = rms.done(means)").shown
    )
    rows = "rms.table(means).query('status != \"done\"')[['flights', 'origin', 'status', 'error']].values.tolist()"
    assert kernel.value(f"{rows}[0]") == repr(
        [
            failed[0],
            'load("raw/07.csv")',
            "upstream_failed",
            f"{failed[0]} failed: AttributeError: 'DataFrame' object has no attribute 'delay'",
        ]
    )
    assert kernel.value(f"[row[1] for row in {rows}]") == str([f'load("raw/{day}.csv")' for day in ("07", "17", "27")])
    alike = "sorted(Path('raw').glob('*.csv'))[:2]; [path.write_text('delay\\n1\\n') for path in alike]"
    kernel.run(f"alike = {alike}")
    kernel.run("%%rms run -j 1\nsame = [clean(load(str(path))) for path in alike]")
    assert kernel.value("rms.table().query('pipe == \"clean\"').origin.tolist()") == str(
        [f'load("raw/{day}.csv")' for day in ("00", "01")]
    ), "not that of the call which has answered it"
    short = re.search(r"^t[0-9a-f]{7}", listed, re.M)[0]
    for command in ("logs", "show", "why", "lineage"):
        assert "raw/27.csv" in kernel.run(f"%rms {command} {short}").shown, command
    assert "%rms rerun t" in ran.shown and re.search(r"%rms logs \d{10}", ran.shown) is None
    assert "nothing is called 't00000000'" in kernel.run("%rms why t00000000").error


SPLIT = """%%rms
def split(n):
    return list(range(n)), [n]
def size(part):
    return len(part)
def both(parts):
    return len(parts)
"""


def test_a_call_is_named_by_the_part_of_a_result_that_it_was_given(kernel):
    kernel.run(SPLIT)
    kernel.run("parts = split(3); train, rest = parts; sizes = {('a', 1): size(train), 'b c': size(rest)}; both(parts)")
    listed = kernel.run("%rms tasks").result
    assert "size(split(3)[0])" in listed and "size(split(3)[1])" in listed and "both(split(3))" in listed
    kernel.run("%%rms run -j 1\nagain = [both([train, rest]), size(train * 2)]")
    assert "size(split(3)[1])" in kernel.run("%rms why sizes['b c']").shown


@pytest.mark.parametrize("item", ["('a', 1)", "'a', 1", '"a",1', "'b c'", "b c"])
def test_an_item_is_named_as_in_python(kernel, item):
    kernel.run(SPLIT)
    kernel.run("sizes = {('a', 1): size([1, 2]), 'b c': size([3])}; words = 'in [quotes]'")
    ran = kernel.run(f"%rms show sizes[{item}]" if item != "b c" else '%rms show "sizes[b c]"')
    assert ("size([1, 2])" if "1" in item else "size([3])") in ran.shown and ran.ok


def test_of_a_container_of_results_an_item_is_asked_about(kernel):
    kernel.run(SPLIT)
    kernel.run("sizes = {('a', 1): size([1, 2])}; several = [5, size([3])]")
    for command in ("why", "lineage", "show", "diff several[1]"):
        error = kernel.run(f"%rms {command} sizes").error
        assert "sizes is no result, it holds some" in error and "ask about one of them: sizes[('a', 1)]" in error
    assert "several[1]" in kernel.run("%rms why several").error


def test_results_that_are_dicts_or_lists_count_as_one_each_and_stay_what_they_are(s):
    @s.pipe
    def fit(degree):
        if degree == 2:
            raise ValueError("no such degree")
        return {"slope": degree / 2, "points": [degree] * 3}

    with s.plan() as plan:
        planned = [fit(degree) for degree in range(5)]
    with pytest.raises(rms.PlanFailed):
        plan.run(**SERIAL)
    fits = [fit(degree) for degree in (0, 1)] + planned[2:3]
    chosen = rms.done(fits)
    assert repr(chosen) == "<2 of 3, left out: fit(2)>"
    assert chosen[0] is fits[0] and chosen[1] is fits[1]
