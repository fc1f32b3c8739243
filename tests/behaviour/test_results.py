"""Results as a table: parameters and values as columns, of what was made from something, current or outdated."""

import json
import linecache
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import rms_jupyter as rms
from rms_jupyter.naming import short_id

TMAX = 8.0


@pytest.fixture
def means(s):
    """The means of three files, with two settings each; gives the pipes."""
    Path("raw").mkdir()
    for n in range(3):
        Path(f"raw/{n}.csv").write_text(f"late\n{n}\n{n + 1}\n")

    @s.pipe
    def load(path):
        return pd.read_csv(path)

    @s.pipe
    def mean(df, least=0, how="min", top=None):
        return np.float64(df.late.mean() + least + TMAX)

    for n in range(3):
        for least in (0, np.float64(0.5)):
            mean(load(f"raw/{n}.csv"), least)
    return load, mean


def test_parameters_and_results_are_typed_columns(s, means):
    found = s.results(pipe="mean")
    columns = ["pipe", "how", "least", "TMAX", "load.path", "value", "status", "seconds", "id"]
    assert found.columns == columns, "no column of frames"
    frame = found.df()
    assert len(found) == len(frame) == 6 and frame.value.dtype == frame.least.dtype == float
    assert sorted(frame.value) == [8.5, 9.0, 9.5, 10.0, 10.5, 11.0]
    assert set(frame.status) == {"current"} and set(frame.TMAX) == {8.0}
    assert frame.id[0] == frame.id.max() and s.show(int(frame.id[0])).title.startswith("mean(")


def test_shown_with_short_ids_and_times_in_words(s, means):
    frame = s.results(pipe="mean").df()
    shown = repr(s.results(pipe="mean"))
    assert short_id(int(frame.id[0])) in shown and str(frame.id[0]) not in shown
    assert "took" in shown.splitlines()[0] and shown.splitlines()[1].split()[-2] in ("µs", "ms", "s")


def test_rows_that_look_alike_are_named_by_their_calls(s, means):
    shown = repr(s.results(made_from="raw/1.csv")).splitlines()
    assert shown[0].split()[:2] == ["call", "least"] and "path" not in shown[0], "what a name says is no column"
    calls = ['mean(load("raw/1.csv"), least=<np', 'mean(load("raw/1.csv"), least=0, how', 'load("raw/1.csv")']
    assert all(line.startswith(call) for line, call in zip(shown[1:], calls, strict=True))
    total = s.register_pipe(lambda values: float(sum(values)), name="total", returns="value")
    total([means[1](means[0](f"raw/{n}.csv")) for n in range(3)])
    total([means[1](means[0](f"raw/{n}.csv")) for n in range(2)])
    shown = repr(s.results(pipe="total")).splitlines()
    assert 'total([mean(load("raw/0.csv"), ' in shown[1] and "… 1 more])" in shown[1]
    assert 'total([mean(load("raw/0.csv"), ' in shown[2] and "… 2 more])" in shown[2]
    figures = s.register_pipe(lambda n: Figure(figsize=(n, 3)), name="draw", returns="value")
    figures(4)
    assert "figure 400 × 300 " in repr(s.results(pipe="draw"))


@pytest.fixture
def scores(s):
    """Scores of fits: their parameters were given one and two calls before; gives the pipes."""

    @s.pipe
    def data(n, seed=0):
        return list(range(n)), seed

    @s.pipe
    def fit(parts, alpha, kind="ridge", same=1):
        return [parts[0], alpha * POWER, kind]

    @s.pipe
    def score(model, scale):
        return sum(model[0]) * model[1] * scale

    @s.pipe
    def total(scores):
        return sum(scores)

    for n, alpha, kind in ((3, 1, "ridge"), (3, 0.5, "lasso"), (4, 2, "lasso")):
        score(fit(data(n), alpha, kind), scale=data(n)[1] + 1)
    return data, fit, score, total


POWER = 3


def test_what_varies_among_the_parameters_of_earlier_calls_is_a_column(s, scores):
    frame = s.results(pipe="score", sort="fit.alpha").df()
    assert list(frame.columns) == [
        *("pipe", "scale", "data.n", "fit.alpha", "fit.kind", "value", "status", "seconds", "id")
    ], "neither what is the same everywhere, nor what was computed"
    assert frame["fit.alpha"].tolist() == [0.5, 1, 2] and frame["fit.kind"].tolist() == ["lasso", "ridge", "lasso"]
    assert frame["data.n"].tolist() == [3, 3, 4] and frame["value"].tolist() == [4.5, 9, 36]


def test_a_global_that_an_earlier_call_has_read_is_a_column_once_it_varies(s, scores, monkeypatch):
    data, fit, score, _ = scores
    monkeypatch.setitem(globals(), "POWER", 2)
    score(fit(data(3), 1), scale=1)
    assert s.results(pipe="score").df()["fit.POWER"].tolist() == [2, 3, 3, 3]


def test_one_of_several_values_on_the_way_is_no_parameter(s, scores):
    data, fit, score, total = scores
    for alpha in (5, 6):
        total([score(fit(data(n), alpha), scale=2) for n in (5, 6)])
    frame = s.results(pipe="total", sort="fit.alpha").df()
    assert frame["fit.alpha"].tolist() == [5, 6]
    assert "data.n" not in frame and "score.scale" not in frame


def test_of_several_pipes_each_shows_its_own_parameters(s, scores):
    assert not [name for name in s.results().columns if "." in name]


def test_what_was_made_from_a_file(s, means):
    frame = s.results(made_from="raw/1.csv").df()
    assert sorted(frame["pipe"]) == ["load", "mean", "mean"]
    assert len(s.results(made_from="raw/*.csv", pipe="mean")) == 6 and len(s.results(made_from=means[0])) == 9
    assert len(s.results(made_from=rms.where(path="*/2.csv") & rms.where(path="*/1.csv"))) == 0
    assert len(s.results(made_from=means[0]("raw/0.csv"))) == 2
    with pytest.raises(rms.RmsError, match="no file on record is called 'raw/9.csv'"):
        s.results(made_from="raw/9.csv")


def test_results_of_an_older_content_are_outdated(s, means):
    Path("raw/1.csv").write_text("late\n50\n")
    means[1](means[0]("raw/1.csv"))
    frame = s.results(made_from="raw/1.csv", pipe="mean", sort="value").df()
    assert list(zip(frame.value, frame.status, strict=True)) == [
        (9.5, "outdated"), (10.0, "outdated"), (58.0, "current"),
    ]  # fmt: skip
    assert len(s.results(made_from="raw/1.csv", status="outdated")) == 3
    assert len(s.results(status="current", pipe="mean")) == 5


def test_results_of_a_file_that_was_edited_are_outdated_before_anything_has_read_it_again(s, means):
    before = Path("raw/1.csv").read_text()
    Path("raw/1.csv").write_text("late\n50\n")
    found = s.results(made_from="raw/1.csv")
    assert len(found) == 3 and {row["status"] for row in found} == {"outdated"}
    assert len(s.results(status="outdated")) == 3 and len(s.results(status="current")) == 6
    Path("raw/1.csv").write_text(before)
    assert len(s.results(status="outdated")) == 0
    Path("raw/1.csv").unlink()
    assert len(s.results(made_from="raw/1.csv")) == 3


def test_results_of_older_code_are_outdated(s):
    def define(body, count=[0]):  # noqa: B006 - counts the cells
        count[0] += 1
        name = f"<results {count[0]}>"
        linecache.cache[name] = (len(body), None, body.splitlines(True), name)
        namespace = {"__name__": "__main__"}
        exec(compile(body, name, "exec"), namespace)
        return s.register_pipe(namespace["f"])

    define("def f(x):\n    return x + 1")(1)
    define("def f(x):\n    return x + 2")(1)
    assert [(row["value"], row["status"]) for row in s.results()] == [(3, "current"), (2, "outdated")]


def test_sorted_and_filtered(s, means):
    down = s.results(pipe="mean", sort="value", descending=True).df()
    assert list(down.value) == sorted(down.value, reverse=True)
    assert len(s.results(least=0, TMAX=8.0)) == 3 and len(s.results(pipe="mean", least=7)) == 0
    with pytest.raises(rms.RmsError, match="no column 'leest'") as refused:
        s.results(sort="leest")
    assert "least" in refused.value.hint
    with pytest.raises(rms.RmsError, match="no column"):
        s.results(sort="c0; DROP TABLE raw.tasks")


def test_words_tags_notes_and_values(s, means):
    [task] = s.tasks(made_from=rms.where(path="raw/1.csv"), least=0)
    s.mark(task, tag="paper", note="the one in figure 3")
    assert list(s.results("paper").df().id) == list(s.results("FIGURE paper").df().id) == [task.id]
    assert list(s.results("np.float64(9.5)").df().id) == [task.id], "what a result looks like"
    assert len(s.results("nothing like it")) == 0 and repr(s.results("nothing like it")) == "(none)"
    s.delete(task)
    assert len(s.results("paper")) == 0


def test_each_kind_of_value_keeps_its_type(s):
    for values, kind in (([1, np.int64(2)], "int64"), ([1, 2.5], "float64"), ([True, np.bool_(False)], "bool")):
        same = s.register_pipe(lambda x, kind=kind: x, name=f"to_{kind}")
        assert [same(value).content for value in values] == values
        frame = s.results(pipe=f"to_{kind}", sort="id").df()
        assert frame.value.dtype == kind and list(frame.value) == values
    s.register_pipe(lambda big: big, name="big")(10**30)
    assert s.results(pipe="big").rows()[0]["value"] == 10**30
    only = s.register_pipe(lambda x: float(x), name="real")
    only(1), only(2)
    frame = s.results(pipe="real").df()
    assert (frame.value.dtype, frame.x.dtype) == ("float64", "int64")


def test_names_that_clash(s):
    def f(status, K=1, k=2, id=3):
        return status + K + k + id + TMAX

    s.register_pipe(f)(1)
    [row] = s.results()
    assert (row["args.status"], row["K"], row["k"], row["args.id"]) == (1, 1, 2, 3) and row["status"] == "current"
    assert {"K", "k"} <= set(s.results().df().columns)


def test_files_are_their_paths_and_hostile_text_is_shown(s):
    @s.pipe(outputs="out")
    def write(text, out):
        Path(out).write_text(text)

    write("<b>'; DROP", "a.txt")
    [row] = s.results()
    assert Path(row["value"]).name == "a.txt" and row["text"] == "<b>'; DROP"
    assert "<b>" not in s.results()._repr_html_()
    assert len(s.results("'; drop")) == 1 and len(s.results("\udcff")) == 0


def test_a_file_that_was_read_is_no_result(s):
    Path("in.txt").write_text("x")
    s.register_pipe(lambda path: None if Path(path).exists() else 1, name="look")("in.txt")
    [row] = s.results(pipe="look")
    assert row["path"] == "in.txt" and row["value"] is None


def test_an_empty_store(s):
    assert repr(s.results()) == "(none)" and list(s.results().df().columns) == [
        "pipe", "value", "status", "seconds", "id",
    ]  # fmt: skip


def test_in_a_cell(kernel, tmp_path):
    (tmp_path / "in.csv").write_text("3")
    kernel.run("%%rms\ndef read(path, k=2):\n    return int(open(path).read()) * k")
    kernel.run("a = read('in.csv')\nb = read('in.csv', 5)")
    shown = kernel.run("%rms results --from in.csv --sort value --descending").shown
    assert shown.index("15") < shown.index("6") and "current" in shown and "path" in shown
    assert "(none)" in kernel.run("%rms results --pipe read --status outdated").shown
    assert "no column 'vale'" in kernel.run("%rms results --sort vale").error


def test_in_a_terminal(s, means, capsys):
    from rms_jupyter.cli import main

    s.close()
    main(["results", "--store", str(s.path), "--pipe", "mean", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 6 and {"pipe", "least", "TMAX", "value", "status"} <= set(rows[0])


@dataclass
class Fit:
    slope: float
    n: int


Peak = namedtuple("Peak", "place height")

NAMED = {
    "dict": lambda x: {"r2": x / 4, "rmse": np.float64(x / 2), "n": x, "kind": f"k{x}", "all": list(range(x))},
    "nested": lambda x: {"train": {"r2": x / 4}, "test": {"r2": x / 8}},
    "record": lambda x: Fit(x / 4, x),
    "named_tuple": lambda x: Peak(x, x / 2),
    "series": lambda x: pd.Series({"mean": x / 4, "max": x}),
    "not_finite": lambda x: {"loss": [np.nan, np.inf, 0.5][x]},
    "names_of_ours": lambda x: {"x": -x, "id": x, "status": f"s{x}"},
}
COLUMNS = {
    "dict": {"r2": [0.25, 0.5], "rmse": [0.5, 1.0], "n": [1, 2], "kind": ["k1", "k2"]},
    "nested": {"train.r2": [0.25, 0.5], "test.r2": [0.125, 0.25]},
    "record": {"slope": [0.25, 0.5], "n": [1, 2]},
    "named_tuple": {"place": [1, 2], "height": [0.5, 1.0]},
    "series": {"mean": [0.25, 0.5], "max": [1, 2]},
    "not_finite": {"loss": [np.inf, 0.5]},
    "names_of_ours": {"value.x": [-1, -2], "value.id": [1, 2], "value.status": ["s1", "s2"]},
}


@pytest.mark.parametrize("case", NAMED)
def test_what_a_result_holds_by_name_are_columns(s, case):
    give = s.pipe(name="give")(NAMED[case])
    made = [give(x) for x in (1, 2)]
    found, shown = s.results(pipe="give", sort="x").df(), rms.table(made)
    wanted = COLUMNS[case]
    assert list(found.columns) == ["pipe", "x", *sorted(wanted), "status", "seconds", "id"]
    assert list(shown.columns) == ["x", *wanted, "status", "seconds", "error", "id"]
    for frame in (found, shown):
        assert {name: frame[name].tolist() for name in wanted} == wanted
    assert str(made) == str([NAMED[case](x) for x in (1, 2)])


def test_what_a_result_holds_is_asked_in_sql(s):
    give = s.pipe(name="give")(NAMED["dict"])
    give(1), give(2)
    query = "SELECT args->>'$.x', (items->>'$.r2')::DOUBLE FROM tasks t JOIN resources r ON r.task_id = t.id ORDER BY 1"
    assert s.sql(query).fetchall() == [("1", 0.25), ("2", 0.5)]


def test_what_a_result_holds_is_a_condition(s):
    give = s.pipe(name="give")(lambda x: {"r2": x / 2, "x": 7})
    give(1), give(3)
    assert s.results(r2=1.5).df()["x"].tolist() == s.results(pipe="give", x=3).df()["x"].tolist() == [3]
    assert not len(s.results(r2=2.5)) and not len(s.results(x=7))  # An argument comes before what is held.


def test_results_are_sorted_by_what_they_hold_and_shown_beside_others(s):
    give = s.pipe(name="give")(lambda x: {"score": x % 5, "gap": [1.0, float("nan")][x % 2]} if x else "nothing")
    for x in range(4):
        give(x)
    frame = s.results(sort="score", descending=True).df()
    assert frame["score"].tolist()[:3] == [3, 2, 1] and frame["gap"].isna().tolist() == [True, False, True, True]
    assert frame["value"].tolist()[3] == "nothing"


def test_a_dict_of_very_many_is_one_value(s):
    give = s.pipe(name="give")(lambda x: {f"k{n}": n for n in range(x)})
    give(65)
    assert s.results().df()["value"].tolist() == ["dict of 65"]
