"""Why something ran, what it would cost, and how things are set right: accept, mark, rerun, off."""

import linecache
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import rms_jupyter as rms
from rms_jupyter.naming import short_id

_count = 0


def define(session, source, name="f", /, options=None, **given):
    """Define a function as a notebook cell does, and make it a pipe."""
    global _count
    _count += 1
    filename = f"<cell {_count}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace = define.namespace
    namespace.update(given)
    exec(compile(source, filename, "exec"), namespace)
    return session.register_pipe(namespace[name], **(options or {}))


@pytest.fixture(autouse=True)
def notebook():
    define.namespace = {"__name__": "__main__", "Path": Path}
    return define.namespace


# Why ----------------------------------------------------------------------------------------------------------------


def test_a_rebound_global_is_named_with_both_values(s, notebook):
    late = define(s, "def late(x):\n    return x > CUTOFF", "late", CUTOFF=30)
    first = late(35)
    notebook["CUTOFF"] = 40
    why = s.why(late(35))
    assert why.reason == "input_changed CUTOFF 30 → 40"
    assert why.rows() == [{"what": "CUTOFF", "kind": "global", "before": "30", "after": "40"}]
    assert f"({short_id(first.task.id)})" in str(why) and "called again now: a hit" in str(why)
    rows = s.sql("SELECT name, before, after FROM differences WHERE task_id = (SELECT max(id) FROM tasks)").fetchall()
    assert rows == [("CUTOFF", "30", "40")]
    [(kind, detail, earlier)] = s.sql("SELECT kind, detail, earlier_id FROM reasons ORDER BY k DESC LIMIT 1").fetchall()
    assert (kind, detail, earlier) == ("input_changed", "CUTOFF 30 → 40", first.task.id)


def test_a_changed_function_is_shown_as_a_diff(s):
    f = define(s, "def helper(x):\n    return x + 1\n\ndef f(x):\n    return helper(x)")
    f(1)
    f = define(s, "def helper(x):\n    return x + 2\n\ndef f(x):\n    return helper(x)")
    would = s.why(f, 1)
    assert would.reason == "code_changed helper" and "would run" in str(would)
    assert "-    return x + 1" in would.diff and "+    return x + 2" in would.diff
    assert f(1).content == 3
    assert s.why(f, 1).reason == "" and "answered from the store" in str(s.why(f, 1))


def test_which_file_and_which_argument(s):
    Path("a.txt").write_text("a")
    read = define(s, "def read(path, k=1):\n    return Path(path).read_text() * k", "read")
    read("a.txt")
    Path("a.txt").write_text("b")
    assert s.why(read, "a.txt").reason.startswith("input_changed a.txt")
    read("a.txt")
    assert s.why(read, "a.txt", k=3).reason == "input_changed k 1 → 3"


def test_sixteen_changed_inputs_are_one_word(s, notebook):
    one = define(s, "def one(i):\n    return [i * FACTOR]", "one", FACTOR=2)
    total = define(s, "def total(parts):\n    return sum(map(sum, parts))", "total")
    total([one(i) for i in range(16)])
    notebook["FACTOR"] = 3
    assert s.why(total([one(i) for i in range(16)])).reason == "input_changed parts (16 items)"


def test_the_recorded_time_is_what_a_rerun_is_expected_to_take(s, notebook):
    slow = define(s, "import time\ndef slow(x):\n    time.sleep(0.2)\n    return x", "slow")
    slow(1)
    slow = define(s, "import time\ndef slow(x):\n    time.sleep(0.2)\n    return x + 0", "slow")
    assert 0.2 <= s.why(slow, 1).account.seconds < 2
    with s.plan() as plan:
        slow(1)
    [row] = plan.explain().to_dict("records")
    assert (row["status"], row["reason"]) == ("run", "code_changed slow") and row["seconds"] >= 0.2


def test_what_was_registered_was_not_computed(s):
    Path("in.txt").write_text("x")
    with pytest.raises(rms.RmsError, match="registered, not computed"):
        s.why(s.register_file("in.txt"))


def test_a_plot_is_changed_and_the_calculation_stays(s):
    """R20: changing only the plot does not repeat the calculation."""
    calc = define(s, "def calc(n):\n    return list(range(n))", "calc")
    plot = define(s, "def plot(data):\n    return f'{data} in blue'", "plot")
    plot(calc(3))
    plot = define(s, "def plot(data):\n    return f'{data} in red'", "plot")
    data = calc(3)
    assert data.task.hit and plot(data).content == "[0, 1, 2] in red"


def test_older_versions_stay_on_record(s):
    """C4: another body is another version; the old result is kept and shown as made by the older one."""
    old = define(s, "def f(x):\n    return x + 1")(1)
    new = define(s, "def f(x):\n    return x + 2")(1)
    assert (old.content, new.content) == (2, 3) and old.task.pipe.version != new.task.pipe.version
    assert "x + 1" in old.task.pipe.source and "x + 2" in new.task.pipe.source
    again = define(s, "def f(x):\n    '''The same.'''\n    return (x\n        + 1)  # as before")
    assert again(1).id == old.id


# Diff and show ------------------------------------------------------------------------------------------------------


def test_diff_names_code_arguments_and_values(s):
    a = define(s, "def f(x, k):\n    return x + k")(1, k=1)
    b = define(s, "def f(x, k):\n    return x + 2 * k")(1, k=3)
    compared = s.diff(a, b)
    assert {(row["what"], row["before"], row["after"]) for row in compared.rows() if row["kind"] == "argument"} == {
        ("k", "1", "3")
    }
    assert "+    return x + 2 * k" in compared.diff
    assert str(compared).endswith("int: 2 → 7"), "what differs is told once, and in words"
    folded = compared._repr_html_().partition("<details>")
    assert a.digest[:8] not in folded[0] + str(compared) and a.digest in folded[2]


def test_diff_of_two_files_tells_their_sizes_or_that_they_look_alike(s, tmp_path):
    write = define(s, "def write(out, text):\n    Path(out).write_text(text)", "write", options={"outputs": ["out"]})
    a, b, c = (write(str(tmp_path / f"{n}.txt"), text) for n, text in enumerate(("one", "two", "three")))
    assert str(s.diff(a, b)).endswith(": 0.txt 3 B → 1.txt 3 B")
    assert str(s.diff(b, c)).endswith(": 1.txt 3 B → 2.txt 5 B")
    frame = define(s, "def frame(n):\n    return pd.DataFrame({'n': [n]})", "frame", pd=pd)
    told = str(s.diff(frame(1), frame(2)))
    assert "1 row × 1 column → 1 row × 1 column (other content)" in told and "row 0: 1 → 2" in told


FIGURE = """def plot(points, title):
    figure = Figure()
    axes = figure.subplots()
    axes.plot(range(points), range(points), color="red" if points > 6 else "black")
    axes.set_title(title)
    return figure"""
OBJECT = """def fit(width):
    found = Fit()
    found.model = {"widths": [1, width]}
    return found"""


class Fit:
    pass


def test_diff_of_two_figures_says_what_they_show_otherwise(s):
    plot = define(s, FIGURE, "plot", Figure=Figure)
    text = str(s.diff(plot(6, "before"), plot(27, "after")))
    assert "points of line 1: 6 → 27" in text and "colour of line 1: 'black' → 'red'" in text
    assert "title: 'before' → 'after'" in text and "_callbacks" not in text


def test_diff_of_two_objects_names_the_attribute(s):
    fit = define(s, OBJECT, "fit", Fit=Fit)
    assert ".model['widths'][1]: 2 → 3" in str(s.diff(fit(2), fit(3)))


def test_show_has_everything(s):
    f = define(s, "def f(x, name):\n    print('working')\n    return [x, name]")
    inner = define(s, "def g():\n    return [1]", "g")()
    shown = str(s.show(f(inner, "<b>&")))
    assert "f(g(), name=" in shown and "working" in shown and "return [x, name]" in shown and "ancestors(" in shown
    assert "<b>" not in s.show(f(inner, "<b>&"))._repr_html_().replace("<b>f(", "").replace("<div><b>", "")


def test_lineage_lists_the_parameters(s, notebook):
    f = define(s, "def f(x, k=3):\n    return [x * k * SCALE]", SCALE=2)
    g = define(s, "def g(y):\n    return y", "g")
    params = {(row["pipe"], row["name"]): row["value"] for row in s.lineage(g(f(1)), down=False).params()}
    assert params[("f", "k")] == 3 and params[("f", "SCALE")] == 2 and params[("f", "x")] == 1


# Accept -------------------------------------------------------------------------------------------------------------


def test_accepted_changes_keep_the_old_results(s, reopen):
    """C16: a changed function says so and shows the difference; `accept` keeps the old results."""
    f = define(s, "def f(x):\n    return x + 1")
    old = [f(i) for i in range(5)]
    f = define(s, "def f(x):\n    y = x\n    return y + 1")
    assert s.why(f, 0).reason == "code_changed f"
    told = s.accept(f)
    assert "5 results" in told and "--undo" in told
    assert [f(i).id for i in range(5)] == [r.id for r in old]
    assert not f(9).task.hit and [row["pipe"] for row in s.accepted()] == ["f"]
    later = reopen(s)
    f = define(later, "def f(x):\n    y = x\n    return y + 1")
    assert f(0).id == old[0].id
    later.accept("f", undo=True)
    assert not f(0).task.hit and f(9).task.hit and not later.accepted()


def test_accept_reaches_the_code_before_the_last_change_only(s):
    define(s, "def f(x):\n    return x + 1")(0)
    second = define(s, "def f(x):\n    return x + 2")(0)
    f = define(s, "def f(x):\n    return 2 + x")
    s.accept(f)
    assert f(0).id == second.id
    f = define(s, "def f(x):\n    return +2 + x")
    s.accept(f)
    assert f(0).id == second.id, "what was accepted for the accepted code counts as well"


def test_accept_with_globals_arrays_and_plans(s, notebook):
    f = define(s, "def f(x):\n    return x * FACTOR", FACTOR=np.arange(3))
    old = f(np.ones(3))
    f = define(s, "def f(x):\n    return FACTOR * x")
    s.accept("f")
    with s.plan() as plan:
        a, b = f(np.ones(3)), f(np.zeros(3))
    assert plan.run(n_jobs=1).counts == {"hit": 1, "done": 1}
    assert a.replacement.id == old.id and b.content.sum() == 0
    notebook["FACTOR"] = np.arange(4)[1:]
    assert not f(np.ones(3)).task.hit


def test_nothing_to_accept(s):
    f = define(s, "def f(x):\n    return x")
    with pytest.raises(rms.RmsError, match="f has no results of older code"):
        s.accept(f)
    with pytest.raises(rms.RmsError, match="no pipe 'g' is defined here"):
        s.accept("g")
    with pytest.raises(rms.RmsError, match="nothing was accepted for f"):
        s.accept(f, undo=True)


# Marks --------------------------------------------------------------------------------------------------------------


def chain(s):
    make = define(s, "def make(n, out):\n    Path(out).write_text('x' * n)", "make", options={"outputs": ["out"]})
    size = define(s, "def size(path):\n    return [len(Path(path).read_text())]", "size")
    double = define(s, "def double(sizes):\n    return sizes * 2", "double")
    return make, size, double


def test_deprecation_reaches_all_downstream_and_is_taken_back(s):
    """C11: a file and all downstream are deprecated, the next call runs anew; undoing works; groups may be empty."""
    make, size, double = chain(s)
    file = make(3, "a.txt")
    result, other = double(size(file)), double(size(make(4, "b.txt")))
    assert "6 deprecated" in s.mark(file, deprecated=True, note="wrong lot")
    assert [r.task.status for r in (file, result, other)] == ["deprecated", "deprecated", "done"]
    assert file.status == "deprecated" and other.task.status == "done"
    with pytest.raises(rms.StaleInputError, match="deprecated"):
        size(file)
    assert {row[0] for row in s.sql("SELECT pipe FROM tasks WHERE status = 'deprecated'").fetchall()} == {
        "make",
        "size",
        "double",
    }
    s.mark(file, deprecated=False)
    assert [r.task.status for r in (file, result)] == ["done", "done"] and double(size(file)).task.hit
    s.mark(file, deprecated=True)
    again = make(3, "a.txt")
    assert not again.task.hit and again.task.reason == "deprecated"
    assert double(size(again)).content == [3, 3]
    assert s.mark([], deprecated=True) == "0 deprecated"


def test_what_two_marks_cover_stays_until_both_are_gone(s):
    add = define(s, "def add(a, b):\n    return [*a, *b]", "add")
    one = define(s, "def one(i):\n    return [i, i]", "one")
    a, b = one(1), one(2)
    both = add(a, b)
    s.mark(a, deprecated=True)
    s.mark(b, deprecated=True)
    s.mark(b, deprecated=False)
    assert both.task.status == "deprecated" and b.task.status == "done"
    s.mark(a, deprecated=False)
    assert both.task.status == "done" and a.task.status == "done"


def test_tags_and_notes_are_found(s):
    one = define(s, "def one(i):\n    return [i, i]", "one")
    a, _ = one(1), one(2)
    s.mark(a, tag="figure3", note="the good one")
    assert [task.id for task in s.find("figure3")] == [a.id]
    assert [task.id for task in s.find("good one")] == [a.id]
    assert a.task.status == "done" and one(1).task.hit


@pytest.mark.parametrize("what", ["[n, 2]", "(n, 2)", "[]"])
def test_a_list_that_a_call_gave_is_one_result(s, what):
    give = s.pipe(define(s, f"def give(n):\n    return {what}", "give"))
    assert s.mark(give(1), tag="one") == "1 noted"
    assert s.mark([give(2), give(3)], tag="two") == "2 noted"
    assert len(s.find("one")) == 1 and len(s.find("two")) == 2


def test_what_was_made_from_an_edited_file_is_obsolete(s):
    """Obsolete is computed: it goes when the file is again what it was."""
    size = define(s, "def size(path):\n    return [len(Path(path).read_text())]", "size")
    double = define(s, "def double(sizes):\n    return sizes * 2", "double")
    Path("in.txt").write_text("abc")
    old = double(size("in.txt"))
    Path("in.txt").write_text("abcdef")
    new = double(size("in.txt"))
    statuses = dict(s.sql("SELECT id, status FROM tasks WHERE pipe = 'double'").fetchall())
    assert statuses == {old.task.id: "obsolete", new.task.id: "done"} and old.task.status == "obsolete"
    Path("in.txt").write_text("abc")
    s.register_file("in.txt", force=True)
    statuses = dict(s.sql("SELECT id, status FROM tasks WHERE pipe = 'double'").fetchall())
    assert statuses == {old.task.id: "done", new.task.id: "obsolete"}


# Rerun --------------------------------------------------------------------------------------------------------------


def test_rerun_is_forced_and_keeps_the_old_one(s):
    f = define(s, "def f(x):\n    RUNS.append(x)\n    return x", options={"ignore": "RUNS"}, RUNS=[])
    first = f(1)
    second = s.rerun(first)
    assert second.task.reason == "forced" and second.id != first.id and second.content == 1
    assert define.namespace["RUNS"] == [1, 1] and f(1).id == second.id


def test_the_whole_chain_runs_again_from_a_replaced_input(s):
    size = define(s, "def size(path):\n    return [len(Path(path).read_text())]", "size")
    scale = define(s, "def scale(n):\n    return [n]", "scale")
    both = define(s, "def both(sizes, factors):\n    return [sizes[0] * factors[0]]", "both")
    Path("a.txt").write_text("abc")
    Path("b.txt").write_text("abcdef")
    result = both(size("a.txt"), scale(7))
    new = s.rerun(result, replace={"a.txt": "b.txt"})
    assert (result.content, new.content) == ([21], [42])
    assert result.task.status == "obsolete" and new.task.status == "done"
    assert s.lineage(new, down=False).files == [str(Path("b.txt").absolute())]
    assert scale(7).task.hit and result.content == [21]
    assert s.rerun(result, replace={"a.txt": "b.txt"}).id == new.id
    with pytest.raises(rms.RmsError, match="not made from"):
        s.rerun(scale(7), replace={"a.txt": "b.txt"})


def test_rerun_of_a_failure_for_the_debugger(s):
    f = define(s, "def f(x, k):\n    return x / k")
    with pytest.raises(ZeroDivisionError):
        f([4][0], 0)
    [failed] = s.tasks(status="failed")
    before = len(s.tasks())
    with pytest.raises(ZeroDivisionError):
        s.rerun(failed, debug=True)
    assert len(s.tasks()) == before
    define(s, "def f(x, k):\n    return x / (k or 1)")
    assert s.rerun(failed).content == 4


def test_off_runs_plain_functions(s):
    f = define(s, "def f(x):\n    RUNS.append(x)\n    return [x]", options={"ignore": "RUNS"}, RUNS=[])
    f(1)
    s.paused = True
    assert f(1).content == [1] and f(2).content[0] == 2
    s.paused = False
    assert define.namespace["RUNS"] == [1, 1, 2] and len(s.tasks()) == 1 and f(1).task.hit


def test_an_older_database_is_made_again(s, reopen):
    define(s, "def f(x):\n    return x")(1)
    s.sql("SELECT 1")
    with s.store.database.lease() as engine:
        engine.execute("DROP TABLE raw.accepts; COMMENT ON TABLE raw.ingested IS '1:older'")
    later = reopen(s)
    assert later.sql("SELECT count(*) FROM tasks").fetchall() == [(1,)] and not later.accepted()


# Invariants: which changes count -------------------------------------------------------------------------------------


def runs_again(s, options, change):
    """Call a pipe that reads a global and a file, change something, and tell whether it runs again."""
    Path("in.txt").write_text("abc")
    source = "def read(path):\n    return [Path(path).read_text(), LEVEL]"
    define(s, source, "read", options=options, LEVEL=1)("in.txt")
    read = define(s, change(source) or source, "read", options=options)
    return not read("in.txt").task.hit


def edit_code(source):
    return source.replace("LEVEL]", "LEVEL, 0]")


def edit_global(source):
    define.namespace["LEVEL"] = 2


def touch(source):
    os.utime("in.txt", ns=(1, 1))


def edit_file(source):
    Path("in.txt").write_text("xyz")


def edit_file_quietly(source):
    before = os.stat("in.txt")
    Path("in.txt").write_text("xyz")
    os.utime("in.txt", ns=(before.st_atime_ns, before.st_mtime_ns))


ALL = {"function", "parameter", "file_time", "file_checksum"}


@pytest.mark.parametrize(
    ("left_out", "change", "runs"),
    [
        (set(), edit_code, True),
        (set(), edit_global, True),
        (set(), touch, False),
        (set(), edit_file, True),
        ({"function"}, edit_code, False),
        ({"function"}, edit_global, True),
        ({"parameter"}, edit_global, False),
        ({"parameter"}, edit_code, True),
        ({"file_checksum"}, touch, True),
        ({"file_checksum"}, edit_file, True),
        ({"file_checksum"}, edit_file_quietly, False),
        ({"file_time"}, touch, False),
        ({"file_time"}, edit_file, True),
        ({"file_time"}, edit_file_quietly, True),
        ({"file_time", "file_checksum"}, edit_file, False),
        (ALL, edit_code, False),
    ],
)
def test_single_reasons_can_be_switched_off(s, left_out, change, runs):
    options = {"invariants": sorted(ALL - left_out)} if left_out else {}
    assert runs_again(s, options, change) is runs


def test_an_unknown_invariant_is_refused(s):
    with pytest.raises(rms.RegistrationError, match="weather"):
        s.register_pipe(len, invariants="weather")


# In a notebook ------------------------------------------------------------------------------------------------------


def test_accept_mark_rerun_diff_show_in_a_notebook(kernel):
    kernel.run("import rms_jupyter as rms")
    kernel.run("%%rms\ndef f(x):\n    return [x + 1]\na = f(1)")
    kernel.run("%%rms\ndef f(x):\n    y = x\n    return [y + 1]")
    assert "code_changed f" in kernel.run("b = f(2)\nc = f(1)").shown
    assert "+    y = x" in kernel.run("%rms diff a c").shown
    alike = kernel.run("%rms diff a a").shown
    assert "the same content" in alike and "(none)" not in alike
    kernel.run("%%rms\ndef f(x):\n    z = x\n    return [z + 1]")
    assert "results of the code before (f) count again" in kernel.run("%rms accept f").shown
    assert kernel.value("rms.info(f(1)).task.hit") == "True"
    assert "f  " in kernel.run("%rms accept").shown
    assert "deprecated" in kernel.run("%rms mark c --deprecated --note 'wrong'").shown
    assert kernel.value("rms.info(f(1)).task.hit") == "False"
    assert "current again" in kernel.run("%rms mark c --current").shown
    assert kernel.run("d = %rms rerun c").ok
    assert kernel.value("rms.info(d).task.reason") == "'forced'"
    assert "z + 1" in kernel.run("%rms show d").shown
    assert (
        kernel.run("%rms off").ok
        and kernel.value("f(33)") == "[34]"
        and "no resource" in kernel.run("rms.info(f(33))").error
    )
    assert kernel.run("%rms on").ok and kernel.value("rms.info(f(1)).task.hit") == "True"
    assert "x" in kernel.run("%rms lineage d --params").shown
    ran = kernel.run("%rms mark c")
    assert not ran.ok and "--deprecated" in ran.error
    assert "accept" in kernel.complete("%rms acc")


def test_an_edit_says_what_it_will_cost(kernel):
    kernel.run("%%rms\nimport time\ndef slow(x):\n    time.sleep(0.6)\n    return x\nslow(1), slow(2)")
    ran = kernel.run("%%rms\ndef slow(x):\n    time.sleep(0.6)\n    return x + 0")
    assert "2 finished tasks of slow would run again: slow changed, about 1.2 s" in ran.shown
    assert "%rms accept slow" in ran.shown
    assert (
        "would run again"
        not in kernel.run("%%rms\ndef slow(x):\n    # a word\n    time.sleep(0.6)\n    return x").shown
    )


def test_one_name_in_two_cells_is_pointed_out(kernel):
    """C17: both versions are known, the latest is used, and a hint says so."""
    kernel.run("%%rms\ndef f(x):\n    return x + 1\nf(1)", cell="one")
    ran = kernel.run("%%rms\ndef f(x):\n    return x + 2\nf(1)", cell="two")
    assert "f is defined in cell [2] too" in ran.shown and "3" in ran.shown
    ran = kernel.run("%%rms\ndef f(x):\n    return x + 3\nf(1)", cell="two")
    assert "is defined in cell" not in ran.shown
    assert kernel.value("len(__import__('rms_jupyter').current().pipe_versions('f'))") == "3"


def test_a_run_accepts_and_may_be_repeated(kernel):
    kernel.run("import rms_jupyter as rms")
    kernel.run("%%rms\ndef f(x):\n    return [x + 1]\nold = [f(i) for i in range(3)]")
    kernel.run("%%rms\ndef f(x):\n    y = x\n    return [y + 1]")
    run = "%%rms run -j 1 --accept f\nnew = [f(i) for i in range(4)]"
    assert "3 results of the code before" in kernel.run(run).shown
    assert kernel.value("[rms.info(r).task.hit for r in new]") == "[True, True, True, False]"
    assert kernel.run(run).ok and kernel.value("[rms.info(r).task.hit for r in new]") == "[True, True, True, True]"


def test_items_of_one_loop_are_new_and_not_changed(s, how, tmp_path):
    """Other arguments in the same run are other calls; the same call after a change of what it reads is not."""
    for n in range(4):
        (tmp_path / f"{n}.txt").write_text(str(n))
    read = s.register_pipe(lambda path: path.read_text(), name="read")
    total = s.register_pipe(sum, name="total")
    with s.plan() as plan:
        for n in range(4):
            read(tmp_path / f"{n}.txt")
            total([n, n])
    plan.run(**how)
    rows = s.sql("SELECT t.reason, args FROM raw.tasks t ORDER BY args").fetchall()
    assert {reason for reason, _ in rows} == {"never_run"}
    assert all(any(f'{n}.txt"' in args for _, args in rows) for n in range(4))


def test_one_item_more_in_a_plan_is_new_and_not_changed(kernel):
    kernel.run("%%rms\ndef scaled(name):\n    return 3 * name")
    kernel.run("%%rms run -j 1\nx = [scaled(name) for name in 'abcd']")
    ran = kernel.run("%%rms run -j 1\nx = [scaled(name) for name in 'abcde']").shown
    assert "scaled 4 hits" in ran and "1 new" in ran and "input_changed" not in ran
    assert "name 'e' → 'z'" in kernel.run("%%rms run -j 1\nx = [scaled(name) for name in 'z']").shown


def test_new_items_are_counted_under_the_cell(kernel):
    kernel.run("%%rms\nSCALE = 1\ndef scaled(values):\n    return [SCALE * v for v in values]")
    assert "scaled ran 3×" in (ran := kernel.run("x = [scaled([n]) for n in range(3)]").shown) and " new" not in ran
    assert "scaled 3 hits" in (ran := kernel.run("x = [scaled([n]) for n in range(46)]").shown) and "43 new" in ran
    assert "SCALE 1 → 2" in kernel.run("SCALE = 2\nx = scaled([0])").shown


# Causes -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def story(s, notebook):
    """Thirty files that are loaded, cleaned and merged; gives what merges them anew."""
    Path("raw").mkdir()
    for n in range(30):
        Path(f"raw/{n}.csv").write_text(str(n))
    load = define(s, "def load(path):\n    return [int(Path(path).read_text())]", "load")
    clean = define(s, "def clean(df, least=0):\n    return [*df, TMAX, least]", "clean", TMAX=8)
    table = define(s, "def table(parts):\n    return [sum(map(sum, parts))]", "table")

    def merged(**options):
        return table([clean(load(f"raw/{n}.csv"), **options) for n in range(30)])

    return merged


def test_why_names_what_differs_furthest_up(s, notebook, story):
    first = story()
    notebook["TMAX"] = 5
    why = s.why(second := story())
    assert why.causes == ["TMAX 8 → 5, read by clean (30 calls)"] and why.reason == "input_changed parts (30 items)"
    text = str(why)
    assert "TMAX 8 → 5, read by clean (30 calls)" in text.splitlines()[0] and "TMAX 8 → 5" in why._repr_html_()
    assert why.rows() == [{"what": "parts", "kind": "content", "before": "", "after": "30 items differ"}]
    assert not re.search(r"#?[0-9a-f]{8}", text.replace(str(first.task.id), "")), "no digests"
    assert s.diff(first, second).causes == why.causes and "TMAX 8 → 5" in str(s.diff(first, second))


def test_the_cause_is_an_argument_a_file_or_code(s, notebook, story):
    first = story()
    assert s.diff(first, story(least=1)).causes == ["least 0 → 1, given to clean (30 calls)"]
    Path("raw/7.csv").write_text("70")
    [cause] = s.diff(first, story()).causes
    assert cause.endswith("raw/7.csv has other content, read by load (1 call)")
    clean = define(s, "def clean(df, least=0):\n    return [*df, TMAX, -least]", "clean")
    last = define(s, "def last(part):\n    return part[-1:]", "last")
    load = s.pipes["load"]
    old = last(define(s, "def clean(df, least=0):\n    return [*df, TMAX, least]", "clean")(load("raw/1.csv"), 3))
    new = last(clean(load("raw/1.csv"), 3))
    assert s.diff(old, new).causes == ["the code of clean changed (1 call)"]


def test_why_a_call_would_run_names_the_cause(s, notebook, story):
    story()
    notebook["TMAX"] = 5
    clean, load, table = (s.pipes[name] for name in ("clean", "load", "table"))
    why = s.why(table, [clean(load(f"raw/{n}.csv")) for n in range(30)])
    assert why.causes == ["TMAX 8 → 5, read by clean (30 calls)"] and "would run" in str(why)


def test_why_names_an_argument_that_was_changed_further_up(s, story):
    """The calls below have other arguments' results: none is the same call, and the nearest one is compared with."""
    story(least=1)
    why = s.why(story(least=2))
    assert why.causes == ["least 1 → 2, given to clean (30 calls)"] and why.reason == "never_run"
    text = str(why)
    assert "least 1 → 2, given to clean (30 calls)" in text.splitlines()[0] and "the nearest earlier call" in text
    assert 'table([clean(load("' in text and "… 29 more])" in text and "never_run" not in text


def test_of_many_calls_of_an_earlier_run_the_one_that_stood_in_its_place_is_compared_with(s, reopen):
    def total_of_each(session, skip):
        load = define(session, "def load(n, skip):\n    return [n, skip, 0.5]", "load")
        total = define(session, "def total(xs):\n    return [sum(xs)]", "total")
        return [total(load(n, skip)) for n in range(300)]

    total_of_each(s, 0)
    later = reopen(s)
    again = total_of_each(later, 2)
    assert [later.why(again[n]).causes for n in (0, 3, 298)] == [["skip 0 → 2, given to load (1 call)"]] * 3
    later.close()


def test_what_was_made_from_another_file_is_new(s, story):
    Path("a.txt").write_text("1")
    Path("b.txt").write_text("2")
    clean, load = s.pipes["clean"], s.pipes["load"]
    clean(load("a.txt"), 3)
    why = s.why(clean(load("b.txt"), 3))
    assert why.reason == "never_run" and not why.causes and not why.account.earlier
    assert s.why(clean(load("b.txt"), 4)).causes == [] and s.why(clean, load("b.txt"), 4).reason == ""


def test_results_of_two_files_differ_by_the_file_and_not_by_its_content(s, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for n in (1, 2):
        Path(f"{n}.txt").write_text("ACGT" * n)
    read = define(s, "def read(path):\n    return Path(path).read_text() * 300", "read", {"returns": "value"})
    length = define(s, "def length(text):\n    return len(text) + 0.5", "length", {"returns": "value"})
    one, two = (length(read(f"{n}.txt")) for n in (1, 2))
    compared = str(s.diff(one, two))
    assert 'length(read("1.txt")) → length(read("2.txt"))' in compared
    assert "path 1.txt → 2.txt, given to read (1 call)" in compared and "other content, read" not in compared
    [row] = s.diff(read("1.txt"), read("2.txt")).rows()
    assert row == {"what": "path", "kind": "argument", "before": "1.txt", "after": "2.txt"}
    Path("1.txt").write_text("AAAA")
    assert "1.txt has other content, read by read (1 call)" in str(s.why(length(read("1.txt"))))


def test_text_that_looks_like_a_name_and_is_too_long_for_one_has_its_lineage(s):
    sequence = define(s, "def sequence(n):\n    return 'ACGT' * n", "sequence", {"returns": "value"})
    assert rms.info(sequence(10)).task.call == "sequence(10)"
    with pytest.raises(rms.RmsError, match="this str is not on record"):
        s.ident("ACGT" * 2000)


def test_a_part_of_a_result_that_did_not_change_is_no_difference(s, notebook):
    both = define(s, "def both():\n    return {'a': [1.5, 2.5], 'b': [0.5]}", "both", {"returns": "value"})
    total = define(s, "def total(items, power):\n    return sum(items) ** power + 0.5", "total", {"returns": "value"})
    three, two = (total(both()["a"], power) for power in (3, 2))
    assert [row["what"] for row in s.diff(three, two).rows()] == ["power"]


def test_a_cell_names_the_variable_that_changed(kernel):
    kernel.run("%load_ext rms_jupyter")
    kernel.run("%%rms cell\nnumbers, others = [1.5, 2.5], [7]\n")
    kernel.run("power = 3")
    cell = "%%rms cell\ntotal = sum(n ** power for n in numbers)"
    kernel.run(cell)
    kernel.run("power = 2")
    assert "input_changed power 3 → 2" in kernel.run(cell).shown
    assert "input_changed power 3 → 2" in kernel.run("%rms why total").shown


def test_after_a_restart_why_says_what_it_ran_for_and_that_it_is_a_hit(s, reopen, notebook):
    def chain(session, least):
        begin = define(session, "def begin(n, least):\n    return [n, least]", "begin")
        end = define(session, "def end(xs):\n    return xs[1:]", "end")
        return end(begin(1, least))

    chain(s, 1)
    chain(s, 2)
    later = reopen(s)
    text = str(later.why(chain(later, 2)))
    assert "least 1 → 2, given to begin (1 call); this call was answered from the store" in text.splitlines()[0]
    assert text.splitlines()[-1] == "called again now: a hit"


def test_dicts_arrays_and_frames_that_were_given_are_compared(kernel):
    kernel.run("import numpy as np, pandas as pd, rms_jupyter as rms")
    kernel.run("%%rms\ndef fitted(x):\n    return repr(x)")
    kernel.run("fit = {'tmax': 8, 'steps': list(range(40)), 'inner': {'a': 1, 'b': 2}}; array = np.arange(12.0)")
    kernel.run("frame = pd.DataFrame({'late': [1, 2, 3], 'day': list('abc')})")
    rows = "[(r['what'], r['before'], r['after']) for r in rms.current().why(new).rows()]"
    kernel.run("old = fitted(fit)")
    for new, row in [
        ("(fit := fit | {'tmax': 5})", ("x.tmax", "8", "5")),
        ("(fit := fit | {'inner': {'a': 1, 'b': 3}})", ("x.inner.b", "2", "3")),
        ("(fit := fit | {'steps': [*range(39), 7]})", ("x.steps[39]", "39", "7")),
    ]:
        kernel.run(f"new = fitted({new})")
        assert kernel.value(rows) == repr([row])
    for old, new, text in [
        ("array", "array + (array == 7)", "1 of 12 elements differ, by at most 1, first at [7]: 7.0 → 8.0"),
        ("frame", "frame.assign(late=[1, 9, 3])", "column late: 1 of 3 elements differ, by at most 7, first in row 1: 2 → 9"),
    ]:  # fmt: skip
        kernel.run(f"%%rms\ndef {old}_of(x):\n    return len(x)\nold = {old}_of({old})")
        kernel.run(f"new = {old}_of({new})")
        assert kernel.value(rows) == repr([("x", "", text)])


def test_the_cause_is_found_at_the_far_end_of_a_chain(s, notebook):
    """A chain of 20 calls, 60 wide; all differ, and one global is why."""
    begin = define(s, "def begin(n):\n    return [n + START]", "begin", START=1)
    step = define(s, "def step(xs):\n    return [xs[0] + 1]", "step")
    gather = define(s, "def gather(all_of):\n    return [sum(xs[0] for xs in all_of)]", "gather")

    def run():
        lanes = [begin(1000 * n) for n in range(60)]
        for _ in range(19):
            lanes = [step(xs) for xs in lanes]
        return gather(lanes)

    run()
    notebook["START"] = 1000_000
    assert s.why(run()).causes == ["START 1 → 1000000, read by begin (60 calls)"]


def test_results_are_compared_by_key_row_and_place(s):
    def compared(old, new):
        same = define(s, "def same(x):\n    return x", "same")
        return str(s.diff(same(old), same(new)))

    assert "['mean']: 1.5 → 2.5" in (text := compared({"mean": 1.5, "n": 3}, {"mean": 2.5, "n": 3, "sd": 1}))
    assert "new key 'sd'" in text
    array = np.arange(12.0).reshape(3, 4)
    changed = array.copy()
    changed[1, 2] = 60
    assert "1 of 12 elements differ, by at most 54, first at [1, 2]: 6.0 → 60.0" in compared(array, changed)
    frame = pd.DataFrame({"late": [1, 2, 3], "day": list("abc")})
    assert "column late: 1 of 3 elements differ, by at most 7, first in row 1: 2 → 9" in compared(
        frame, frame.assign(late=[1, 9, 3])
    )


def test_why_in_a_cell_names_the_parameter(kernel):
    kernel.run(
        "%%rms\nTMAX = 8\ndef clean(n):\n    return [n * TMAX]\ndef table(parts):\n    return [len(parts)] + parts"
    )
    kernel.run("t = table([clean(n + 1) for n in range(16)])")
    kernel.run("TMAX = 5\nt = table([clean(n + 1) for n in range(16)])")
    shown = kernel.run("%rms why table").shown
    assert "TMAX 8 → 5, read by clean (16 calls)" in shown and "16 items differ" in shown and "parts[3]" not in shown
