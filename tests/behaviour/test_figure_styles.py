"""Figures are saved in named styles, too; what one sees stays as it is."""

import json

import pytest

import rms_jupyter as rms
from rms_jupyter.errors import RmsError

SETTINGS = """
[tool.rms_jupyter]
figures = true
figure_formats = ["png"]
figure_styles = ["paper", "slides"]

[tool.rms_jupyter.styles]
slides = "dark_background"

[tool.rms_jupyter.styles.paper]
formats = ["pdf", "png"]
size = [3.5, 2.5]
dpi = 200
"font.size" = 7
"lines.linewidth" = 0.5
"axes.spines.top" = false
"axes.prop_cycle" = "cycler('color', ['k', 'r'])"
"""


@pytest.fixture
def styled(tmp_path):
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    with rms.open(tmp_path / "styled.rms") as s:
        yield s


def saved(s):
    return sorted(path.name for path in (s.path / "figures").iterdir())


def draw(n):
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.plot([n, 2])
    axes.plot([2, n], linewidth=4, color="green")
    axes.set_title("as it is")
    axes.set_xlabel("said", fontsize=20)
    axes.tick_params("x", labelrotation=45)
    return figure


def test_a_figure_is_saved_in_styles_side_by_side(styled, pyplot):
    from PIL import Image

    styled.pipe(draw)(1)
    assert saved(styled) == ["draw-1.paper.pdf", "draw-1.paper.png", "draw-1.png", "draw-1.slides.png"]
    for path in (styled.path / "figures").iterdir():
        assert styled.task_of_figure(path) == styled.tasks()[0].id, path
    with Image.open(styled.path / "figures/draw-1.paper.png") as paper:
        assert paper.size == (700, 500)
    with (
        Image.open(styled.path / "figures/draw-1.slides.png") as slides,
        Image.open(styled.path / "figures/draw-1.png") as own,
    ):
        assert slides.convert("RGB").getpixel((0, 0)) == (0, 0, 0)
        assert own.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    styled.pipe(draw)(2)
    assert len(saved(styled)) == 8


def test_what_the_code_says_stays_and_what_it_leaves_open_is_the_styles(styled, pyplot, monkeypatch):
    from matplotlib.figure import Figure

    drawn = []
    own = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *args, **kwargs: (drawn.append(self), own(self, *args, **kwargs))
    )
    figure = styled.pipe(draw)(1)
    paper = next(one for one in drawn if one is not figure)
    [axes] = paper.axes
    left, said = axes.lines
    assert (left.get_linewidth(), said.get_linewidth()) == (0.5, 4)
    assert left.get_color()[:3] == (0, 0, 0) and said.get_color() == pytest.approx((0, 0.502, 0, 1), abs=0.01)
    assert axes.title.get_fontsize() == pytest.approx(8.4) and axes.xaxis.label.get_fontsize() == 20
    assert not axes.spines["top"].get_visible() and axes.spines["left"].get_visible()
    assert {label.get_fontsize() for label in axes.get_xticklabels()} == {7}
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {45}
    assert tuple(paper.get_size_inches()) == (3.5, 2.5)


def test_nothing_changes_on_the_screen(tmp_path, pyplot):
    seen = []
    for styles in ((), ("ggplot", "classic")):
        with rms.open(tmp_path / f"{len(styles)}.rms") as s:
            s.save_figures(["png"], styles)
            before = dict(pyplot.rcParams)
            figure = s.pipe(draw)(1)
            assert dict(pyplot.rcParams) == before and pyplot.get_fignums() == [1]
            assert len(saved(s)) == 1 + len(styles)
            figure.canvas.draw()
            seen.append((bytes(figure.canvas.buffer_rgba()), figure.axes[0].lines[0].get_linewidth()))
            pyplot.close("all")
    assert seen[0] == seen[1]


def test_styles_are_saved_in_workers(styled, how, where, pyplot):
    def alone(n):
        from matplotlib.figure import Figure

        figure = Figure()
        figure.subplots().plot([n, 2])
        return figure

    pipe = styled.pipe(alone)
    with styled.plan() as plan:
        for n in range(3):
            pipe(n)
    plan.run(**how)
    assert len([name for name in saved(styled) if ".slides." in name]) == 3 and len(saved(styled)) == 12


def test_a_tracked_script_is_drawn_in_the_styles(styled, tmp_path):
    (tmp_path / "drawing.py").write_text("from matplotlib import pyplot\npyplot.plot([1, 2])\npyplot.show()\n")
    assert styled.track(tmp_path / "drawing.py").run(n_jobs=1).counts == {"up to date": 1}
    ends = [name.partition("-1.")[2] for name in saved(styled)]
    assert ends == ["paper.pdf", "paper.png", "png", "slides.png"]


@pytest.mark.parametrize(
    "kind",
    ["bars", "scatter", "image", "legend", "polar", "3d", "twin", "log", "hist", "seaborn", "lambda", "annotated"],
)
@pytest.mark.parametrize("style", ["ggplot", "classic", "seaborn-v0_8-poster"])
def test_figures_of_all_kinds_can_be_drawn_in_a_style(s, pyplot, kind, style):
    def paint(kind):
        import numpy as np
        import pandas as pd
        import seaborn

        figure = pyplot.figure()
        axes = figure.add_subplot(projection=kind if kind in ("polar", "3d") else None)
        match kind:
            case "bars":
                axes.bar(["a", "b"], [1, 2], yerr=[0.1, 0.2])
            case "scatter":
                axes.scatter([1, 2], [3, 4], c=[1, 2])
            case "image":
                figure.colorbar(axes.imshow(np.eye(3)))
            case "legend":
                axes.plot([1, 2], label="one")
                axes.legend(title="both")
            case "3d":
                axes.scatter([1], [2], [3])
            case "twin":
                axes.plot([1, 2])
                axes.twinx().plot([2, 1])
            case "log":
                axes.loglog([1, 10, 100], "o")
            case "hist":
                axes.hist([1, 2, 2, 3])
            case "seaborn":
                seaborn.scatterplot(pd.DataFrame({"x": [1, 2, 3]}), ax=axes)
            case "lambda":
                axes.xaxis.set_major_formatter(lambda x, place: f"{x} m")
            case "annotated":
                axes.annotate("here", (0.5, 0.5), xytext=(0.2, 0.2), arrowprops={"arrowstyle": "->"})
                figure.suptitle("all")
            case _:
                axes.plot([1, 2], [1, 2])
        pyplot.close(figure)
        return kind

    s.save_figures(["png"], [style])
    s.pipe(paint)(kind)
    assert saved(s) == sorted(["paint-1.png", f"paint-1.{style}.png"])


def test_a_figure_that_cannot_be_copied_is_saved_as_it_is(s, pyplot):
    def odd(n):
        import threading

        from matplotlib.figure import Figure

        figure = Figure()
        figure.held = threading.Lock()
        figure.subplots().plot([n])
        return n

    s.save_figures(["png"], ["ggplot"])
    with pytest.warns(rms.RmsWarning, match="odd: a figure is not saved.*in the style ggplot"):
        s.pipe(odd)(1)
    assert saved(s) == ["odd-1.png"]


def test_settings_that_are_not_valid_are_told(tmp_path, s):
    settings = tmp_path / "pyproject.toml"
    for text, words in (
        ("[tool.rms_jupyter]\nstyles = 3\n", "styles. in pyproject.toml is not valid"),
        ("[tool.rms_jupyter.styles]\npaper = 'papre'\n", "there is no style 'papre'"),
        ("[tool.rms_jupyter.styles.paper]\nsize = 3\n", "size or dpi of the style 'paper'"),
        ("[tool.rms_jupyter.styles.paper]\n'fnt.size' = 3\n", "the style 'paper' is not valid: .*fnt.size"),
        ("[tool.rms_jupyter.styles.paper]\nplotly = 3\n", "plotly or altair of the style 'paper' is not valid"),
        (
            "[tool.rms_jupyter.styles.paper]\nplotly = 'x'\n",
            "there is no template 'x' of plotly, for the style 'paper'",
        ),
        ("[tool.rms_jupyter.styles.paper]\naltair = 'x'\n", "there is no theme 'x' of altair, for the style 'paper'"),
        ("[tool.rms_jupyter.styles.paper]\nformats = ['gif']\n", "'gif' is not a valid format"),
    ):
        settings.write_text(text)
        with pytest.raises(RmsError, match=words):
            s.save_figures(["png"], ["paper"])
    settings.write_text("[tool.rms_jupyter]\nfigures = true\nfigure_styles = 'paper'\n")
    with (
        pytest.warns(rms.RmsWarning, match="figure_styles in pyproject.toml is not valid"),
        rms.open(tmp_path / "a.rms"),
    ):
        pass


def test_styles_are_chosen_in_the_notebook(kernel, tmp_path, monkeypatch):
    kernel.run("%rms open n.rms\n%matplotlib inline\nimport matplotlib.pyplot as plt")
    kernel.run("%%rms\ndef plot(n):\n    plt.plot([n, 2])\n    plt.show()\n    return n")
    plain = kernel.run("plot(1)")
    on = kernel.run("%rms figures --style ggplot --style bmh")
    assert on.ok and "and in the styles ggplot, bmh" in on.shown, on.shown
    ran = kernel.run("plot(2)")
    kinds = [[sorted(bundle) for bundle in one.displays if "image/png" in bundle] for one in (plain, ran)]
    assert kinds[0] == kinds[1] and len(kinds[0]) == 1
    names = sorted(path.name for path in (tmp_path / "n.rms/figures").glob("*.png"))
    assert names == ["plot-1.bmh.png", "plot-1.ggplot.png", "plot-1.png"]
    assert "there is no style 'papre'" in kernel.run("%rms figures on --style papre").shown
    assert kernel.run("%config RMSMagics.figure_styles = ['classic']").ok
    kernel.run("plot(3)")
    assert (tmp_path / "n.rms/figures/plot-2.classic.svg").exists()
    assert "plot-2.classic" in kernel.run("%rms figures show").shown


def test_a_variable_of_the_environment_names_styles(tmp_path, monkeypatch):
    monkeypatch.setenv("RMS_FIGURES", "png")
    monkeypatch.setenv("RMS_FIGURE_STYLES", "ggplot, bmh")
    with rms.open(tmp_path / "a.rms") as s:
        assert s.figure_styles == ("ggplot", "bmh")
        s.save_figures(["png"], [])
        assert s.figure_styles == ()


# Figures of other libraries --------------------------------------------------------------------------------------------


def given(library, size=None):
    """Draw two groups of points, with what the library says itself and what the code says."""
    if library == "plotly":
        import plotly.express as px

        figure = px.scatter(x=[1, 2], y=[2, 1], color=["a", "b"])
        return figure.update_xaxes(title_font_size=size) if size else figure
    import altair as alt
    import pandas as pd

    chart = alt.Chart(pd.DataFrame({"x": [1, 2], "c": ["a", "b"]})).mark_point().encode(x="x", color="c")
    return chart.configure_axis(titleFontSize=size) if size else chart


def written(s, name):
    return json.loads((s.path / f"figures/{name}.json").read_text())


@pytest.mark.parametrize("library", ["plotly", "altair"])
def test_figures_of_other_libraries_are_saved_in_styles(styled, library):
    from PIL import Image

    figure = styled.pipe(given)(library)
    kinds = ("html", "json", "pdf", "png")
    own = [f"given-1.{kind}" for kind in ("html", "json", "png")]
    slides = [f"given-1.slides.{kind}" for kind in ("html", "json", "png")]
    assert saved(styled) == sorted([*own, *slides, *(f"given-1.paper.{kind}" for kind in kinds)])
    for path in (styled.path / "figures").iterdir():
        assert styled.task_of_figure(path) == styled.tasks()[0].id, path
    with (
        Image.open(styled.path / "figures/given-1.paper.png") as paper,
        Image.open(styled.path / "figures/given-1.slides.png") as slides,
        Image.open(styled.path / "figures/given-1.png") as plain,
    ):
        assert paper.size == pytest.approx((700, 500), abs=1)
        assert slides.convert("RGB").getpixel((1, 1)) == (0, 0, 0)
        assert plain.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    assert b"MediaBox [0 0 252 180]" in (styled.path / "figures/given-1.paper.pdf").read_bytes()
    if library == "plotly":
        assert [trace.marker.color for trace in figure.data] == ["#636efa", "#EF553B"]
        drawn = written(styled, "given-1.paper")
        assert [trace["marker"]["color"] for trace in drawn["data"]] == ["#000000", "#ff0000"]
        assert drawn["layout"]["template"]["layout"]["font"]["size"] == pytest.approx(7 * 96 / 72)
    else:
        drawn = written(styled, "given-1.paper")["config"]
        assert drawn["range"]["category"] == ["#000000", "#ff0000"] and drawn["axis"]["titleFontSize"] == 7


@pytest.mark.parametrize("library", ["plotly", "altair"])
def test_what_the_code_says_of_a_figure_of_another_library_stays(styled, library):
    styled.save_figures(["json"], ["slides"])
    styled.pipe(given)(library, 20)
    drawn = written(styled, "given-1.slides")
    if library == "plotly":
        assert drawn["layout"]["xaxis"]["title"]["font"]["size"] == 20
    else:
        assert drawn["config"]["axis"]["titleFontSize"] == 20 and drawn["config"]["axis"]["labelColor"] == "#ffffff"


def test_a_template_that_the_code_has_chosen_stays(styled):
    def chosen(n):
        import plotly.graph_objects as go

        return go.Figure(go.Scatter(y=[n, 1])).update_layout(template="presentation")

    styled.save_figures(["json"], ["paper"])
    styled.pipe(chosen)(1)
    font = written(styled, "chosen-1.paper")["layout"]["template"]["layout"]["font"]
    assert font["size"] == written(styled, "chosen-1")["layout"]["template"]["layout"]["font"]["size"] == 18


def test_a_style_names_a_template_and_a_theme(styled, tmp_path):
    from plotly import io as plotly_io

    text = SETTINGS + "[tool.rms_jupyter.styles.thesis]\nplotly = 'simple_white'\naltair = 'dark'\n"
    (tmp_path / "pyproject.toml").write_text(text)
    styled.save_figures(["json", "png"], ["thesis"])
    for library in ("plotly", "altair"):
        styled.pipe(given)(library)
    drawn = written(styled, "given-1.thesis")["layout"]["template"]["layout"]
    assert drawn["plot_bgcolor"] == plotly_io.templates["simple_white"].layout.plot_bgcolor == "white"
    assert written(styled, "given-2.thesis")["usermeta"]["embedOptions"] == {"theme": "dark"}
    assert "rms:task:" in written(styled, "given-2.thesis")["usermeta"]["task"]


def test_a_style_that_says_nothing_to_a_library_saves_no_second_figure(styled, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.rms_jupyter.styles.thin]\n'lines.linewidth' = 0.5\n")
    styled.save_figures(["json"], ["thin"])
    for library in ("plotly", "altair"):
        styled.pipe(given)(library)
    assert saved(styled) == ["given-1.json", "given-2.json"]


def test_charts_side_by_side_keep_their_size(styled):
    def both(n):
        chart = given("altair")
        return chart | chart

    styled.save_figures(["json", "png"], ["paper"])
    styled.pipe(both)(1)
    assert "width" not in written(styled, "both-1.paper")
