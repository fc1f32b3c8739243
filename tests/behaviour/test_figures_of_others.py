"""Figures of plotly, altair and seaborn are saved with the task that made them, as matplotlib's are."""

import json
import shutil
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import pytest

import rms_jupyter as rms
from rms_jupyter.cli import main
from rms_jupyter.commands.what import ident_of
from rms_jupyter.figures.libraries import Library
from rms_jupyter.fingerprint import holding
from rms_jupyter.panel.questions import answer
from tests.behaviour.test_cells import in_two_kernels


@pytest.fixture
def s(s):
    s.save_figures(["png", "svg"])
    return s


def saved(s):
    folder = s.path / "figures"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def plotly(n):
    import plotly.graph_objects as go

    return go.Figure(go.Scatter(x=[1, 2, 3], y=[n, 1, 2]))


def altair(n):
    import altair as alt
    import pandas as pd

    return alt.Chart(pd.DataFrame({"x": [1, 2, 3], "y": [n, 1, 2]})).mark_line().encode(x="x", y="y")


def layers(n):
    chart = altair(n)
    return {"both": [chart + chart.mark_point(), 3]}


GIVEN = [plotly, altair, layers]
KINDS = ["html", "json", "png", "svg"]


@pytest.mark.parametrize("draw", GIVEN)
def test_a_figure_that_is_given_is_saved_once(s, draw):
    pipe = s.pipe(draw)
    pipe(1)
    pipe(1)
    assert saved(s) == [f"{draw.__name__}-1.{kind}" for kind in KINDS]
    pipe(2)
    assert len(saved(s)) == 2 * len(KINDS)


@pytest.mark.parametrize("draw", GIVEN)
def test_a_copy_of_another_name_says_which_task_made_it(s, draw, capsys):
    s.save_figures(["png", "svg", "pdf"])
    pipe = s.pipe(draw)
    pipe(1)
    pipe(2)
    for path in sorted((s.path / "figures").glob("*-2.*")):
        copy = shutil.copy(path, f"Figure 3 (final){path.suffix}")
        ident = ident_of(s, copy, {})
        assert s.sql("SELECT args FROM tasks WHERE id = $1", [ident]).fetchall() == [('{"n":2}',)], copy
    path = str(s.path)
    s.close()
    assert main(["lineage", "Figure 3 (final).json", "--store", path]) == 0
    assert f"{draw.__name__}(n=2)" in capsys.readouterr().out


def test_what_is_saved_opens_again(s):
    import altair as alt
    from PIL import Image
    from plotly import io as plotly_io

    s.pipe(plotly)(1)
    s.pipe(altair)(1)
    folder = s.path / "figures"
    assert plotly_io.read_json(folder / "plotly-1.json").data[0].y == (1, 1, 2)
    chart = alt.Chart.from_json((folder / "altair-1.json").read_text())
    assert chart.to_dict()["mark"] == {"type": "line"} and "rms:task:" in chart.usermeta["task"]
    for name in ("plotly-1.png", "altair-1.png"):
        with Image.open(folder / name) as picture:
            picture.load()
            assert picture.info["Task"].startswith("rms:task:"), name
            assert len(picture.convert("RGB").getcolors(100_000)) > 2, name
    svg = ElementTree.parse(folder / "plotly-1.svg")
    assert "rms:task:" in svg.findtext("{http://www.w3.org/2000/svg}metadata")
    for name in ("plotly-1.html", "altair-1.html"):
        assert (folder / name).read_text().startswith("<!") and "cdn" in (folder / name).read_text()


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (["html"], ["altair-1.html", "closed-1.png", "closed-1.svg", "plotly-1.html"]),
        (["json", "pdf"], ["altair-1.json", "altair-1.pdf", "closed-1.pdf", "plotly-1.json", "plotly-1.pdf"]),
    ],
)
def test_each_library_gives_what_it_can_of_the_formats_that_are_named(s, wanted, kinds):
    def closed(n):
        import matplotlib

        matplotlib.use("agg")
        from matplotlib import pyplot

        pyplot.plot([n])
        pyplot.close()
        return n

    s.save_figures(wanted)
    for draw in (plotly, altair, closed):
        s.pipe(draw)(1)
    assert saved(s) == kinds


def test_a_picture_that_cannot_be_drawn_is_told_and_the_rest_is_saved(s, tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-browser"))
    s.save_figures(["png"])
    with pytest.warns(rms.RmsWarning, match="plotly: a figure is not saved \\(as png: ") as told:
        s.pipe(plotly)(1)
    assert "\n" not in str(told[0].message) and "no-browser" in str(told[0].message)
    assert saved(s) == ["plotly-1.html", "plotly-1.json"]


def test_what_is_the_users_in_a_figure_stays(s):
    def told(meta):
        figure = plotly(1)
        figure.update_layout(meta=meta)
        return figure

    def chart(meta):
        return altair(1).properties(usermeta=meta)

    def written(name):
        return json.loads((s.path / f"figures/{name}.json").read_text())

    s.save_figures(["html", "json"])
    pipe = s.pipe(told)
    assert pipe(["day", 3]).layout.meta == ("day", 3) and pipe({"day": 3}).layout.meta == {"day": 3}
    assert s.pipe(chart)({"day": 3}).usermeta == {"day": 3}
    assert written("told-1")["layout"]["meta"] == ["day", 3] and written("told-2")["layout"]["meta"]["day"] == 3
    assert written("chart-1")["usermeta"]["day"] == 3
    assert all(s.task_of_figure(path) for path in (s.path / "figures").glob("*.html"))


def test_a_long_table_in_a_chart_is_saved_whole(s):
    def many(n):
        import altair as alt
        import pandas as pd

        return alt.Chart(pd.DataFrame({"x": range(n)})).mark_point().encode(x="x")

    import altair as alt

    s.save_figures(["json"])
    s.pipe(many)(6000)
    [rows] = json.loads((s.path / "figures/many-1.json").read_text())["datasets"].values()
    assert len(rows) == 6000 and "max_rows" not in alt.data_transformers.options


def test_figures_are_saved_in_workers(s, how):
    s.save_figures(["json", "png"])
    pipe = s.pipe(plotly)
    with s.plan() as plan:
        for n in range(2):
            pipe(n)
    plan.run(**how)
    assert saved(s) == [f"plotly-{n}.{kind}" for n in (1, 2) for kind in ("json", "png")]
    assert {s.task_of_figure(path) for path in (s.path / "figures").iterdir()} == {task.id for task in s.tasks()}


def test_figures_that_a_call_or_a_cell_shows_are_saved(tmp_path):
    cells = (
        "%rms open n.rms\n%rms figures on png",
        "%%rms\ndef show(n):\n    import plotly.express as px\n    figure = px.line(y=[n, 2])\n    figure.show()\n"
        "    figure.update_layout(title='late')\n    display(figure)\n    return n",
        "show(1)",
        "%%rms cell last\nimport altair as alt, pandas as pd\n"
        "chart = alt.Chart(pd.DataFrame({'x': [1, 2]})).mark_point().encode(x='x')\ndisplay(chart)\nchart",
        "%%rms cell held\nimport plotly.graph_objects as go\nheld = go.Figure(go.Bar(y=[1]))\nheld.show()\nheld",
        "%%rms cell unseen\nquiet = go.Figure(go.Bar(y=[2]))\ndone = True",
    )
    first, second = in_two_kernels(tmp_path, *cells)
    for ran in (first, second):
        assert all(cell.ok for cell in ran), [cell.error for cell in ran]
    for before, after in zip(first[2:], second[2:], strict=True):
        kinds = [[sorted(bundle) for bundle in ran.displays if "text/html" in bundle] for ran in (before, after)]
        assert kinds[0] and len(kinds[1]) >= len(kinds[0])
    assert sorted(path.name for path in (tmp_path / "n.rms/figures").iterdir()) == [
        "held-1.html",
        "held-1.json",
        "held-1.png",
        "last-1.html",
        "last-1.json",
        "last-1.png",
        "show-1.html",
        "show-1.json",
        "show-1.png",
        "show-2.html",
        "show-2.json",
        "show-2.png",
    ]


def test_a_tracked_script_has_its_figures_saved(s, tmp_path):
    (tmp_path / "drawing.py").write_text(
        "import plotly.graph_objects as go, plotly.io\nplotly.io.renderers.default = 'json'\n"
        "go.Figure(go.Bar(y=[1])).show()\n"
    )
    scripts = s.track(tmp_path / "drawing.py")
    assert scripts.run(n_jobs=1).counts == {"up to date": 1}, s.logs(scripts)
    assert [name.rpartition(".")[2] for name in saved(s)] == KINDS


@pytest.mark.parametrize("figure", ["plotly", "altair", "plotly without kaleido"])
def test_the_galleries_show_a_picture_or_what_opens_it(s, figure, monkeypatch):
    has_pictures = "without" not in figure
    if not has_pictures:
        monkeypatch.setattr(Library, "has_artist", lambda self: self.artist != "kaleido")
    figure = figure.partition(" ")[0]
    {"plotly": s.pipe(plotly), "altair": s.pipe(altair)}[figure](1)
    row = answer({"ask": "saved"})["rows"][0]
    saved_picture = answer({"ask": "figure", "id": row["id"]})
    [given] = s.figures()
    given_picture = answer({"ask": "figure", "id": answer({"ask": "page", "table": "figures"})["rows"][0]["id"]})
    page = s.figures()._repr_html_()
    if has_pictures:
        assert row["name"] == f"{figure}-1.png" and "data:image/png" in page
        assert saved_picture["url"].startswith("data:image/png") and given_picture["url"].startswith("data:image/png")
    else:
        assert saved_picture == {"url": "", "why": "no picture; open test.rms/figures/plotly-1.html"}
        opens = given_picture["why"].removeprefix("no picture; ")
        assert escape(opens) in page
        assert eval(opens, {"rms": rms}).data[0].y == (1, 1, 2)


# Seaborn is matplotlib underneath -----------------------------------------------------------------------------------


def grid(kind):
    import matplotlib

    matplotlib.use("agg")
    import pandas as pd
    import seaborn

    frame = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.0, 4, 5, 9], "side": list("abab")})
    draw = {
        "displot": lambda: seaborn.displot(frame, x="x", col="side"),
        "lmplot": lambda: seaborn.lmplot(frame, x="x", y="y", ci=None),
        "pairplot": lambda: seaborn.pairplot(frame),
        "jointplot": lambda: seaborn.jointplot(frame, x="x", y="y"),
        "clustermap": lambda: seaborn.clustermap(frame[["x", "y"]]),
        "FacetGrid": lambda: seaborn.FacetGrid(frame, col="side").map(seaborn.scatterplot, "x", "y"),
        "heatmap": lambda: seaborn.heatmap(frame[["x", "y"]]),
    }[kind]
    return draw()


def grid_of_its_own(kind):
    from matplotlib import pyplot

    made = grid(kind)
    pyplot.close(made.figure)
    return made


GRIDS = ["displot", "lmplot", "pairplot", "jointplot", "clustermap", "FacetGrid", "heatmap"]


@pytest.mark.parametrize("kind", GRIDS)
def test_a_grid_of_seaborns_is_saved_and_comes_back(s, kind):
    from matplotlib import pyplot

    pyplot.close("all")
    pipe = s.pipe(grid)
    first = pipe(kind)
    assert saved(s) == ["grid-1.png", "grid-1.svg"]
    assert s.task_of_figure(s.path / "figures/grid-1.png") == s.tasks()[0].id
    pyplot.close("all")
    again = pipe(kind)
    if kind != "heatmap":
        assert s.figures()._repr_html_().count("data:image/png") == 1
    assert type(again) is type(first) and len(again.figure.axes) == len(first.figure.axes)
    assert saved(s) == ["grid-1.png", "grid-1.svg"]
    pyplot.close("all")


def test_grids_of_seaborns_are_saved_in_workers(s):
    pipe = s.pipe(grid_of_its_own, name="grid")
    with s.plan() as plan:
        made = [pipe(kind) for kind in GRIDS[:3]]
    plan.run(n_jobs=2)
    assert [name for name in saved(s) if name.endswith("png")] == ["grid-1.png", "grid-2.png", "grid-3.png"]
    assert [type(one.content).__name__ for one in made] == ["FacetGrid", "FacetGrid", "PairGrid"]
    assert Path(s.path / "figures/grid-3.png").stat().st_size > 1000


def test_figures_are_kept_whatever_the_first_of_them_was(s, monkeypatch):
    import plotly.graph_objects as go

    monkeypatch.setattr(holding, "_tries", {})
    monkeypatch.setattr(holding, "_fails", set())
    bare = s.pipe(lambda n: go.Figure(go.Scatter(y=[n, 1])).update_layout(template="none"), name="bare")
    full = s.pipe(plotly)
    for _ in range(2):
        assert bare(1).layout.template.layout.font.size is None
        assert full(1).data[0].y[0] == full(2).data[0].y[0] - 1 == 1
    assert s.sql("SELECT count(*) FROM tasks").fetchall() == [(3,)]
