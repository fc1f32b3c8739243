"""The magics on a real kernel: what cells do, show and say."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient


def notebook(cells, folder, allow_errors=False):
    """Run a notebook headless; gives its cells with outputs."""
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    client = NotebookClient(book, resources={"metadata": {"path": str(folder)}}, allow_errors=allow_errors, timeout=120)
    client.execute()
    return book.cells


def seen(cell):
    """What one sees of a cell, as text."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            parts.append(output.text)
        elif output.output_type == "error":
            parts.append(f"{output.ename}: {output.evalue}")
        else:
            parts.append(output.data.get("text/plain", ""))
    return "\n".join(parts)


def test_functions_of_the_cell_become_pipes(kernel):
    ran = kernel.run("""%%rms
import time
CUTOFF = 30
def load(n):
    return list(range(n))
def late(xs, times=1):
    return [x for x in xs if x > _limit(times)]
def _limit(times):
    return CUTOFF * times
delayed = late(load(35))
""")
    assert ran.ok and "load ran" in ran.shown and "late ran" in ran.shown
    assert "opened by itself" in ran.shown
    assert kernel.value("delayed") == "[31, 32, 33, 34]"
    kernel.run("import rms_jupyter as rms")
    assert kernel.value("rms.info(delayed)") == "<late(load(35), times=1) = [31, 32, 33, 34]>"
    assert kernel.value("type(_limit).__name__, type(load).__name__") == "('function', 'Pipe')"
    kernel.run("CUTOFF = 32")
    ran = kernel.run("delayed = late(load(35)); delayed")
    assert ran.result == "[33, 34]"
    assert "load hit" in ran.shown and "late ran" in ran.shown and "input_changed CUTOFF 30 → 32" in ran.shown


def test_code_changed_is_said_and_what_is_below_is_a_hit_where_content_is_the_same(kernel):
    kernel.run("%%rms\ndef a(x):\n    return x // 10\ndef b(x):\n    return -x")
    kernel.run("b(a(25))")
    kernel.run("%%rms\ndef a(x):\n    return int(x / 10)\n")
    ran = kernel.run("b(a(25))")
    assert "a ran" in ran.shown and "code_changed a" in ran.shown and "b hit" in ran.shown


def test_only_the_named_functions_become_pipes(kernel):
    kernel.run(
        "%%rms pipe one --ignore verbose --returns value\ndef one(x, verbose=0):\n    return x\ndef two(x):\n    return x"
    )
    assert kernel.value("type(one).__name__, type(two).__name__") == "('Pipe', 'function')"
    kernel.run("one(1, verbose=1)")
    ran = kernel.run("one(1, verbose=2)")
    assert "one hit" in ran.shown and ran.result == "1"


def test_options_without_names_are_for_all_functions(kernel):
    kernel.run("%%rms --returns value --timeout 5\ndef one(x):\n    return x\ndef two(x):\n    return x")
    assert kernel.value("one.contract.timeout, two.contract.returns") == "(5.0, 'value')"
    assert "unrecognized arguments: --bogus" in kernel.run("%%rms --bogus\ndef one(x):\n    return x").error


def test_a_failing_cell_is_shown_as_it_was_typed(kernel):
    ran = kernel.run("%%rms\nfrom __future__ import annotations\ndef one(x):\n    return 1 / x\none(0)")
    assert "----> 4     return 1 / x" in ran.error and "rms_jupyter/" not in ran.error
    ran = kernel.run("%%rms\nfrom __future__ import annotations\n1 / 0")
    assert "1 '%%rms'\n" in ran.error and "----> 3 1 / 0" in ran.error


@pytest.mark.parametrize(
    ("names", "hint"), [("oen", "did you mean one?"), ("one,two", "with spaces between them"), ("zip", "names of its")]
)
def test_a_name_that_the_cell_does_not_define_is_told_before_it_runs(kernel, names, hint):
    ran = kernel.run(f"%%rms pipe {names}\nfrom __future__ import annotations\nran = 1\ndef one(x):\n    return x")
    assert f"the cell does not define '{names}'" in ran.error and hint in ran.error
    assert kernel.value("'ran' in globals()") == "False"


def test_a_run_in_which_no_pipe_is_called_says_so(kernel):
    kernel.run("def f(x): return x")
    assert "no pipe was called in this cell" in kernel.run("%%rms run -j 1\nx = f(1)").shown
    kernel.run("%%rms\ndef f(x): return x")
    assert "no pipe" not in kernel.run("%%rms run -j 1\nx = f(1)").shown


def test_a_decorators_options_win_over_the_lines(kernel):
    kernel.run("import rms_jupyter as rms")
    kernel.run("%%rms pipe one --returns value --ignore a\n@rms.pipe(returns='resource')\ndef one(a):\n    return a\n")
    assert kernel.value("one.contract.returns, one.contract.ignore") == "('resource', ('a',))"


def test_rms_plain_keeps_a_function_out(kernel):
    kernel.run("import rms_jupyter as rms\nrms.plain")
    kernel.run("%%rms\n@rms.plain\ndef out(x):\n    return x\ndef inside(x):\n    return x")
    assert kernel.value("type(out).__name__, type(inside).__name__") == "('function', 'Pipe')"


def test_output_functions_by_name(kernel):
    kernel.run("""%%rms
def write(path, x):
    with open(path, "w") as f:
        f.write(str(x))
def OUTPUT_write(path, x):
    return [path]
made = write("out.txt", 5)
""")
    assert kernel.value("made.content.name, open(made).read()") == "('out.txt', '5')"


def test_tracebacks_and_await_are_as_usual(kernel):
    ran = kernel.run("%%rms\ndef f(x):\n    return 1 / x\n\nf(0)")
    assert not ran.ok and "ZeroDivisionError" in ran.error
    assert "----> 3     return 1 / x" in ran.error and "----> 5 f(0)" in ran.error
    assert "rms_jupyter" not in ran.error
    ran = kernel.run("%%rms\nimport asyncio\nx = await asyncio.sleep(0, 'slept')\nx")
    assert ran.result == "'slept'"


def test_magics_work_inside_the_cell(kernel):
    ran = kernel.run("%%rms\n%pwd\nfolder = !echo hello\ndef f(x):\n    return x\nf(folder[0])")
    assert ran.ok and ran.result == "'hello'"


def test_a_run_shows_progress_and_ends_with_a_line(kernel):
    ran = kernel.run("""%%rms run -j 2
import rms_jupyter as rms
@rms.pipe
def slow(i):
    import time
    time.sleep(0.02)
    return i * 2
results = [slow(i) for i in range(10)]
total = {"sum": slow(results[9])}
results[4]
""")
    assert ran.ok, ran.error
    assert "11 of 11: 11 done" in ran.shown
    [stays] = [bundle for bundle in ran.displays if "application/vnd.rms.run.v1+json" in bundle]
    assert "11 done" in stays["text/html"] and "widget" not in "".join(stays)
    assert "8" in ran.result
    assert kernel.value("[type(r) == int for r in results[:2]], total['sum'] + 1") == "([True, True], 37)"
    ran = kernel.run("%%rms run -j 2\nagain = [slow(i) for i in range(10)]")
    assert "10 of 10: 10 hit" in ran.shown


def test_reading_a_result_too_early_says_when(kernel):
    kernel.run("%%rms\ndef f(i):\n    return i")
    ran = kernel.run("%%rms run\na = f(1)\nif a > 0:\n    print('yes')")
    assert not ran.ok and "not computed until the cell ends" in ran.error and "next cell" in ran.error
    assert "rms_jupyter" not in ran.error


def test_a_run_with_a_failure(kernel):
    kernel.run("%%rms\ndef odd(i):\n    if i == 3:\n        raise ValueError('three')\n    return i")
    ran = kernel.run("%%rms run -j 2\nrs = [odd(i) for i in range(5)]")
    assert not ran.ok and "PlanFailed: odd(3) failed: ValueError: three" in ran.error
    assert "1 failed" in ran.shown and "first failure: odd(3) ValueError: three" in ran.shown
    assert kernel.value("rs[2] + 1") == "3"


def test_a_dry_run_runs_nothing(kernel):
    kernel.run("%%rms\ndef f(i):\n    return i")
    ran = kernel.run("%%rms run -n\nf(1), f(2)")
    assert "run" in ran.shown and "f(1)" in ran.shown
    assert kernel.run("%rms tasks").result == "(none)"


def test_sql(kernel):
    kernel.run("%%rms\ndef f(i):\n    return i\nfor i in range(25): f(i)")
    assert kernel.run("%rms sql n << SELECT count(*) AS n FROM tasks").shown.strip() == ""
    assert kernel.value("int(n.n[0])") == "25"
    kernel.run("limit = 3")
    kernel.run("few = %rms sql SELECT * FROM params WHERE number < $limit")
    assert kernel.value("len(few)") == "3"
    kernel.run("%%rms sql big << --as duckdb\nSELECT pipe,\n  count(*) AS n\nFROM tasks GROUP BY pipe")
    assert kernel.value("big.fetchall()") == "[('f', 25)]"
    kernel.run("import pandas as pd\nlabels = pd.DataFrame({'i': [1, 2], 'name': ['one', 'two']})")
    ran = kernel.run("%rms sql SELECT l.name FROM labels l JOIN params p ON p.number = l.i ORDER BY 1")
    assert "one" in ran.result and "two" in ran.result
    kernel.run("t = %rms sql --as polars SELECT 1 AS x")
    assert kernel.value("type(t).__module__.split('.')[0]") == "'polars'"
    ran = kernel.run("%rms sql SELECT $nothing")
    assert "there is no variable nothing" in ran.error
    ran = kernel.run(
        "%rms sql answer << SELECT i, sum(i) AS total, CASE WHEN i > 1 THEN i END AS some, nullif(i, 1) * 0.5 AS half,"
        " nullif(name, 'one') AS name, sum(CASE WHEN i > 1 THEN i END) AS none, 'NaN' AS word, '<b>' AS html"
        " FROM labels GROUP BY ALL ORDER BY i\nanswer"
    )
    html = ran.displays[0]["text/html"]
    assert [re.findall("<td>(.*?)</td>", row) for row in html.split("</tr>")[1:3]] == [
        ["1", "1", "", "", "", "", "NaN", "&lt;b&gt;"],
        ["2", "2", "2", "1.0", "two", "2", "NaN", "&lt;b&gt;"],
    ]
    kinds = kernel.value("[str(answer[name].dtype) for name in ('i', 'total', 'some', 'half', 'none')]")
    assert kinds == "['int64', 'int64', 'Int64', 'float64', 'Int64']"
    assert (
        kernel.value("type(answer) is pd.DataFrame and answer.total.sum() == 3 and bool(answer.half.isna()[0])")
        == "True"
    )
    assert kernel.run("answer.head(1)").displays[0]["text/html"].count("<td>NaN</td>") > 1, "as any other frame"
    ran = kernel.run("%rms sql SELECT sum(9007199254740993::HUGEINT) AS large")
    assert kernel.value("int(_.large[0]) == 9007199254740993") == "True"
    assert kernel.run("%%rms\ndef rows(frame):\n    return len(frame)\nrows(answer)").ok
    assert "rows hit" in kernel.run("again = %rms sql SELECT * FROM answer\nimport copy\nrows(copy.copy(answer))").shown


def test_lineage_why_tasks_files_pipes_status(kernel):
    kernel.run("open('in.txt', 'w').write('a b c')")
    kernel.run(
        "%%rms\ndef load(path):\n    return open(path).read()\ndef size(text):\n    return len(text)\nn = size(load('in.txt'))"
    )
    assert "load(path=" in kernel.run("%rms lineage n").result
    assert "size(" in kernel.run("%rms lineage in.txt").result
    assert "size(" in kernel.run("%rms lineage size --up").result
    kernel.run("import rms_jupyter as rms")
    digest = kernel.value("rms.info(n).digest").strip("'")
    assert "size(" in kernel.run(f"%rms lineage {digest[:10]}").result
    assert re.search(r"size\(.*\) ran .*: never_run\ncalled again now: a hit", kernel.run("%rms why n").shown)
    assert "size(" in kernel.run("%rms tasks size").result
    assert "in.txt" in kernel.run("%rms files in.txt").result
    assert "load" in kernel.run("%rms pipes").result
    assert "2 done, 0 failed, by 2 pipes" in kernel.run("%rms status").result
    assert "%rms lineage" in kernel.run("%rms").result


def test_open_makes_a_store_current(kernel, tmp_path):
    kernel.run("where = 'mine'")
    ran = kernel.run("%rms open {where}.rms")
    assert f"store {tmp_path / 'mine.rms'}" in ran.shown
    kernel.run("%%rms\ndef f(i):\n    return i\nf(1)")
    assert (tmp_path / "mine.rms" / "journal").exists() and not (tmp_path / ".rms").exists()
    ran = kernel.run("%rms open mine.rms --read-only\nf(1)")
    assert "read-only" in ran.shown and "f hit" in ran.shown


def test_completion(kernel):
    kernel.run("%%rms\ndef align(i):\n    return i\naligned = align(1)")
    assert kernel.complete("%rms li") == ["lineage"]
    assert set(kernel.complete("%%rms r")) == {"rule", "run"}
    assert kernel.complete("%%rms --ti") == ["--timeout"] and "--returns" in kernel.complete("%%rms --timeout 3 --r")
    assert "--depth" in kernel.complete("%rms lineage --d")
    assert set(kernel.complete("%rms why al")) >= {"align", "aligned"}
    kernel.run("open('reads.fq', 'w').close()")
    assert "reads.fq" in kernel.complete("%rms lineage rea")
    kernel.run("%%rms\ndef plot(path):\n    open(path, 'wb').write(b'<svg/>')\nplot('late.svg')")
    offered = kernel.complete("%rms lineage ")
    assert offered[0] == "late.svg" and offered.index("align") < offered.index("aligned") < offered.index("reads.fq")
    assert offered.count("late.svg") == 1 and offered.index("--depth") > offered.index("reads.fq")
    assert "--on-error" in kernel.complete("%%rms run --on")
    assert kernel.complete("import js")[0].startswith("js")


def test_a_session_offers_what_users_call(kernel):
    kernel.run("%%rms\ndef align(i):\n    return i\naligned = align(1)")
    kernel.run("import rms_jupyter as rms\ns = rms.current()")
    offered = kernel.complete("s.")
    assert {"sql", "why", "lineage", "plan", "results"} <= set(offered)
    assert not {"claim_call", "leave_plan", "keep_flow", "mind_budget"} & set(offered)


def test_settings(kernel):
    kernel.run("%%rms\ndef f(i):\n    return i")
    kernel.run("%config RMSMagics.feedback = False")
    assert "f ran" not in kernel.run("f(1)").shown
    assert kernel.run("f(1)").result == "1"
    kernel.run("%%rms --returns resource\ndef g(i):\n    return i + 0")
    assert kernel.value("g(1)") == "<g(1) = 1>" and "g(1)" in kernel.run("g(1)").result
    kernel.run("%config RMSMagics.sql_as = 'duckdb'")
    assert "DuckDBPyRelation" in kernel.value("type(get_ipython().run_line_magic('rms', 'sql SELECT 1')).__name__")


def test_unloading_takes_everything_back(kernel):
    kernel.run("%%rms\ndef f(i):\n    return i\nf(1)")
    assert kernel.run("%unload_ext rms_jupyter").ok
    assert not kernel.run("%rms status").ok or "not found" in kernel.run("%rms status").shown
    assert "f ran" not in kernel.run("f(2)").shown
    assert kernel.run("%load_ext rms_jupyter").ok
    assert "2 done" in kernel.run("%rms status").result


def test_a_cell_that_is_a_pipe(tmp_path):
    cells = [
        "%load_ext rms_jupyter",
        "xs = [3, 1, 2]; scale = 10; table = {'a': 1}",
        """%%rms cell prepare
import math
print("preparing")
ordered = sorted(xs)
total = 0
for x in ordered:
    total += x * scale
table["total"] = total
def twice(z):
    return 2 * z
math.floor(total / 7)""",
        "print(ordered, total, table, twice(2))",
        "%rms lineage ordered",
    ]
    first = notebook(cells, tmp_path)
    again = notebook(cells, tmp_path)
    for run, line in ((first, "prepare ran"), (again, "prepare hit")):
        assert line in seen(run[2])
        assert "prepare(scale, table, xs) → ordered, total, x" in seen(run[2])
        assert "preparing" in seen(run[2]) and "8" in seen(run[2])
        assert seen(run[3]).strip() == "[1, 2, 3] 60 {'a': 1, 'total': 60} 4"
        assert "prepare(" in seen(run[4])


def test_a_cell_that_is_a_pipe_may_begin_with_a_future_import(kernel):
    cell = "%%rms cell\nfrom __future__ import annotations\ndef half(x: float): return x / 2\ny = half(3)"
    assert kernel.run(cell).ok
    assert "hit</span>" in str(kernel.run(cell).displays)
    assert kernel.run("y, half.__annotations__").result == "(1.5, {'x': 'float'})"


def test_names_of_a_cell_pipe_can_be_given(kernel):
    kernel.run("a, b = 1, 2")
    ran = kernel.run("%%rms cell -i a -o c\nc = a + 1\nd = 5")
    assert "(a) → c" in ran.shown
    assert kernel.value("c") == "2" and "NameError" in kernel.run("d").error
    assert "there is no variable q" in kernel.run("%%rms cell -i q\nc = 1").error


FIGURES = [
    "%load_ext rms_jupyter\n%matplotlib inline\nimport matplotlib.pyplot as plt",
    """%%rms
def left_open(xs):
    plt.figure(); plt.plot(xs)
def given_back(xs):
    fig, ax = plt.subplots()
    ax.plot(xs)
    return fig
def shown(xs):
    from IPython.display import HTML, display
    display(HTML("<b>bold</b>"))""",
    "left_open([1, 2, 3])",
    "figure = given_back([3, 2, 1])",
    "given_back([4, 5, 6])",
    "shown([1])",
]


def pictures(cell):
    """The images and rich texts that a cell shows, captions aside."""
    found = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            found.append("png")
        elif "<b>bold</b>" in str(data.get("text/html", "")):
            found.append("bold")
    return found


def test_a_hit_shows_the_figures_that_the_first_run_showed(tmp_path):
    first, again = notebook(FIGURES, tmp_path), notebook(FIGURES, tmp_path)
    for before, after in zip(first, again, strict=True):
        assert pictures(before) == pictures(after)
    assert [pictures(cell) for cell in first[2:]] == [["png"], ["png"], ["png", "png"], ["bold"]], "as without us"
    assert all("hit" in seen(cell) for cell in again[2:])


def test_a_value_displays_as_it_always_does(kernel):
    kernel.run("%%rms\nimport pandas as pd\ndef frame(n):\n    return pd.DataFrame({'n': range(n)})")
    plain = kernel.run("pd.DataFrame({'n': range(3)})")
    kernel.run("frame(2)")  # Says once that a store is opened.
    for _ in range(2):
        ran = kernel.run("frame(3)")
        assert ran.result == plain.result and ran.displays[0] == plain.displays[0]


def test_a_handle_displays_as_its_value_under_one_grey_line(kernel):
    kernel.run("%%rms --returns resource\nimport pandas as pd\ndef frame(n):\n    return pd.DataFrame({'n': range(n)})")
    ran = kernel.run("frame(3)")
    assert ran.result.splitlines()[0].startswith("frame(3) · ran ")
    html = next(d["text/html"] for d in ran.displays if "<table" in d.get("text/html", ""))
    assert html.index("frame(3)") < html.index("<table")
    assert "from the store, saved" in kernel.run("frame(3)").result


def test_errors_are_one_short_message_and_the_cell_fails(tmp_path):
    cells = notebook(["%load_ext rms_jupyter", "%rms taks", "%rms lineage nothing", "%tb"], tmp_path, allow_errors=True)
    assert "did you mean %rms tasks?" in seen(cells[1]) and cells[1].outputs[0].output_type == "error"
    assert len(cells[1].outputs[0].traceback) == 1 and "Traceback" not in cells[1].outputs[0].traceback[0]
    assert "nothing is called 'nothing'" in seen(cells[2])
    assert any("Traceback" in "".join(o.get("traceback", [])) or "what.py" in str(o) for o in cells[3].outputs)


@pytest.mark.parametrize(
    "line, message",
    [
        ("%rms lineage", "WHAT is missing"),
        ("%rms lineage --depth x y", "invalid int value"),
        ("%rms tasks --nothing", "unrecognized arguments: --nothing"),
        ("%rms tasks 'open", "No closing quotation"),
        ("%rms open {nothing}", "there is no variable nothing"),
        ("%rms open /proc/nothing", "cannot be written"),
        ("%rms sql", "the query is missing"),
        ("%rms sql --as excel SELECT 1", "choose from"),
        ("%%rms nothing\nx", "has no sub-command 'nothing'"),
        ("%rms params x", "type %rms lineage --params"),
        ("%rms tag x", "type %rms mark --tag"),
        ("%rms sql SELECT r.task FROM resources r", "resources has id, kind, type"),
        ("%rms sql SELECT call FROM tasks", "tasks has id, pipe, status, args"),
        ("%%rms run --on nothing\npass", "there is no such variable"),
        ("%%rms\n%%time\nx = 1", "write %%time in the first line, and %%rms in the second"),
        ("%%rms run -j 2\n\n%%rms run\nx = 1", "%%rms stands below %%rms"),
        ("%rms figures off png", "%rms figures on png"),
        ("%%rms run -j x\npass", "invalid int value"),
    ],
)
def test_bad_lines(kernel, line, message):
    ran = kernel.run(line)
    assert not ran.ok and message in ran.error and "→" in ran.error
    assert ran.error.count("\n") <= 2, ran.error


def test_the_saved_notebook_is_plain(tmp_path):
    """Outputs hold only what any front end can show."""
    cells = notebook(["%load_ext rms_jupyter", "%%rms\ndef f(i):\n    return i\nf(1)"], tmp_path)
    text = json.dumps([cell.outputs for cell in cells])
    assert "text/plain" in text and str(Path.home() / "x") not in text


def test_a_saved_panel_is_a_table_of_the_latest_tasks(kernel):
    kernel.run("%load_ext rms_jupyter")
    kernel.run("%%rms\ndef halved(n):\n    return 1 / n\n[halved(n) for n in range(30, 0, -1)]")
    assert not kernel.run("halved(0)").ok
    shown = kernel.run("%rms panel").displays[-1]
    assert "30 tasks, 1 failed, 0 files" in shown["text/plain"]
    assert shown["text/plain"].count("halved(") == shown["text/html"].count("halved(") == 20
    assert "ZeroDivisionError: division by zero" in shown["text/html"] and "µs" in shown["text/html"]


@pytest.mark.parametrize(
    "cell",
    ["f()", "%%rms run -j 1\nf(1, c=3)", "%%rms cell\ny = f(2, 3, 4)", "def g():\n    return f()\ng()", "later()"],
)
def test_arguments_that_do_not_fit_are_shown_as_those_of_a_plain_function(kernel, cell):
    plain = cell.partition("\n")[2] if cell.startswith("%%") else cell
    functions = "def f(a, b=1):\n    return a\nasync def later(path):\n    return path"
    kernel.run(functions)
    as_plainly = kernel.run(plain)
    kernel.run(f"%%rms\n{functions}")
    ran = kernel.run(cell)
    assert not ran.ok and "rms_jupyter" not in ran.error and "skipping" not in ran.error
    assert ran.error.splitlines()[-1] == as_plainly.error.splitlines()[-1] and "TypeError: " in ran.error
    assert ran.error.count("--> ") == as_plainly.error.count("--> ")
    assert "/rms_jupyter/" in kernel.run("%tb").shown


def test_such_an_error_travels(kernel):
    kernel.run("%%rms\ndef f(a, b=1):\n    return a")
    kernel.run("import pickle\ntry:\n    f()\nexcept TypeError as error:\n    kept = pickle.dumps(error)")
    assert kernel.value("str(pickle.loads(kept))") == repr("f() missing 1 required positional argument: 'a'")


def test_a_parameter_is_no_input_to_be_replaced(kernel):
    kernel.run("%%rms\ndef f(a, b=1):\n    return [a]")
    assert "a is a parameter" in kernel.run("z = f(5)\n%rms rerun z --replace a=9").error
    assert "nothing is called 'c'" in kernel.run("%rms rerun z --replace c=9").error
    assert "%%rms cell" in kernel.run("frame = {1: z[0] + 1}\n%rms why frame").error


def test_words_that_are_formats_are_not_only_searched_for(kernel):
    assert "to save those of calls: %rms figures on png" in kernel.run("%rms figures png").shown


def test_a_name_that_the_package_has_not_is_told_with_the_nearest(kernel):
    assert "did you mean open?" in kernel.run("import rms_jupyter as rms\nrms.opn").error


def test_a_cell_that_does_not_make_what_o_names_says_so(kernel):
    kernel.run("%load_ext rms_jupyter\n%rms open demo.rms")
    ran = kernel.run("%%rms cell sums -o total,other,mean\ntotal = 1 + 2\nother = total")
    assert ran.ok and "sums: the cell has not made mean, which -o names" in ran.shown
    assert "has not made" not in kernel.run("%%rms cell sums -o total\ntotal = 1 + 2").shown
