"""Figures that calls make are saved, with the task that made them, and nobody sees that it is done."""

import os
import shutil
import warnings
import zlib
from pathlib import Path

import pytest

import rms_jupyter as rms
from rms_jupyter.cli import main
from rms_jupyter.commands.what import ident_of
from rms_jupyter.errors import RmsError
from rms_jupyter.figures.formats import formats_wanted
from rms_jupyter.figures.mark import TaskMark, marks_in
from rms_jupyter.panel.questions import answer
from tests.behaviour.test_cells import in_two_kernels

FORMATS = ("png", "svg", "pdf", "eps")
STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "eps": b"%!PS-Adobe-3.0 EPSF"}


@pytest.fixture
def s(s):
    s.save_figures(["png"])
    return s


def saved(s):
    folder = s.path / "figures"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def closed(n):
    from matplotlib import pyplot

    pyplot.plot([n])
    pyplot.close()
    return n


def left_open(n):
    from matplotlib import pyplot

    pyplot.figure().gca().plot([n])
    return n


def shown(n):
    import warnings

    from matplotlib import pyplot

    pyplot.plot([n])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # There is no screen.
        pyplot.show()
    pyplot.close("all")
    return n


def returned(n):
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([n])
    return figure


def two(n):
    from matplotlib import pyplot

    pyplot.figure(figsize=(n, 1))
    pyplot.figure(figsize=(n, 2))
    pyplot.close("all")
    return n


def none(n):
    return n


def failing(n):
    from matplotlib import pyplot

    pyplot.plot([n])
    raise ValueError(n)


@pytest.mark.parametrize("draw", [closed, left_open, shown, returned])
def test_a_figure_is_saved_once_whatever_becomes_of_it(s, pyplot, draw):
    pipe = s.pipe(draw)
    pipe(1)
    assert saved(s) == [f"{draw.__name__}-1.png"]
    pipe(1)
    assert saved(s) == [f"{draw.__name__}-1.png"], "a hit makes no figure"
    pyplot.close("all")
    pipe(2)
    assert saved(s) == [f"{draw.__name__}-1.png", f"{draw.__name__}-2.png"]


def test_each_figure_of_a_call_is_saved(s, pyplot):
    s.pipe(two)(1)
    s.pipe(none)(1)
    assert saved(s) == ["two-1.png", "two-2.png"]


def test_figures_are_saved_when_many_are_in_no_list_of_pyplots(s):
    def many(n):
        from matplotlib.figure import Figure

        for _ in range(n):
            Figure(figsize=(0.5, 0.5))
        return n

    s.pipe(many)(23)
    assert len(saved(s)) == 23


def test_a_figure_of_a_failed_call_is_saved(s, pyplot):
    with pytest.raises(ValueError):
        s.pipe(failing)(1)
    assert saved(s) == ["failing-1.png"]
    [task] = s.tasks()
    assert s.task_of_figure(s.path / "figures/failing-1.png") == task.id


def test_nothing_is_saved_when_it_is_off(s, pyplot):
    s.save_figures(False)
    s.pipe(closed)(1)
    assert saved(s) == [] and s.figure_formats == ()


@pytest.mark.parametrize("format", FORMATS)
def test_a_copy_of_another_name_says_which_task_made_it(s, pyplot, format):
    s.save_figures(FORMATS)
    pipe = s.pipe(closed)
    for n in (1, 2, 3):
        pipe(n)
    assert len(saved(s)) == 12
    copy = shutil.copy(s.path / f"figures/closed-2.{format}", f"Figure 3 (final).{format}")
    assert Path(copy).read_bytes().startswith(STARTS[format])
    ident = ident_of(s, copy, {})
    assert s.sql("SELECT args FROM tasks WHERE id = $1", [ident]).fetchall() == [('{"n":2}',)]


def test_a_figure_gives_the_frame_that_it_was_drawn_from(s, pyplot, capsys):
    pd = pytest.importorskip("pandas")

    def load(rows):
        return pd.DataFrame({"delay": range(rows), "carrier": list("ABC")[:rows]})

    def column(frame):
        return frame["delay"].tolist()

    def draw(values, title):
        pyplot.plot(values)
        pyplot.title(title)
        pyplot.close()
        return title

    def draw_two(late, early):
        pyplot.plot(late.delay, early.delay)
        pyplot.close()
        return len(late)

    load, column, draw, draw_two = map(s.pipe, (load, column, draw, draw_two))
    draw(column(load(3)), "delays")
    draw_two(load(2), pd.DataFrame({"delay": [5, 6]}))
    copy = shutil.copy(s.path / "figures/draw-1.png", "Figure 1.png")
    found = s.frames_behind(ident_of(s, copy, {}))
    assert list(found) == ["frame"] and found["frame"].equals(load(3))
    both = s.frames_behind(s.task_of_figure(s.path / "figures/draw_two-1.png"))
    assert {name: frame.delay.tolist() for name, frame in both.items()} == {"late": [0, 1], "early": [5, 6]}
    with pytest.raises(RmsError, match="^load\\(3\\) was made from no frame"):
        s.frames_behind(load(3))
    path = str(s.path)
    s.close()
    assert main(["lineage", copy, "--data", "--csv", "--store", path]) == 0
    assert capsys.readouterr().out == "delay,carrier\n0,A\n1,B\n2,C\n"


def test_a_figure_of_a_cell_gives_the_frame_of_the_notebook(tmp_path):
    cells = [
        "import matplotlib; matplotlib.use('agg')\n%rms figures on",
        "import pandas as pd\nfrom matplotlib import pyplot as plt\nflights = pd.DataFrame({'delay': [4, 7]})",
        "%%rms cell\nplt.plot(flights.delay); plt.close()\ndrawn = True",
        "import glob\nfigure, *_ = glob.glob('.rms/figures/*.png')\nback = %rms lineage {figure} --data\n"
        "print(back.equals(flights), back is flights)",
    ]
    for ran in in_two_kernels(tmp_path, *cells):
        assert ran[-1].text == "True False\n", ran[-1].shown


def test_it_is_known_where_the_store_was_pulled(s, pyplot, tmp_path):
    s.pipe(closed)(1)
    s.push(tmp_path / "shared")
    with rms.open(tmp_path / "elsewhere/other.rms") as other:
        other.pull(tmp_path / "shared")
        ident = other.task_of_figure(s.path / "figures/closed-1.png")
        assert other.sql("SELECT pipe FROM tasks WHERE id = $1", [ident]).fetchall() == [("closed",)]


def test_figures_are_saved_in_workers(s, how, where, pyplot):
    draw = returned if where == "threads" else closed  # Pyplot is not for threads.
    pipe = s.pipe(draw)
    with s.plan() as plan:
        for n in range(4):
            pipe(n)
    plan.run(**how)
    assert saved(s) == [f"{draw.__name__}-{n}.png" for n in (1, 2, 3, 4)]
    found = {s.task_of_figure(s.path / "figures" / name) for name in saved(s)}
    assert found == {task.id for task in s.tasks()}


def test_figures_of_a_process_of_its_own_are_saved(s):
    s.pipe(isolate=True)(left_open)
    with s.plan() as plan:
        s.pipes["left_open"](1)
    plan.run()
    assert saved(s) == ["left_open-1.png"]


def test_nothing_changes_for_the_user(tmp_path, pyplot, capfd):
    """The same prints, warnings, logs, callbacks, settings, figures and results, whether figures are saved or not."""

    def draw(n):
        import logging

        from matplotlib import pyplot, rcParams

        drawn = []
        first = pyplot.figure()
        first.canvas.mpl_connect("draw_event", drawn.append)
        first.gca().set_title("\u4e00 \u4e8c")  # No glyph: matplotlib warns where it draws.
        first.gca().plot([1, 2], alpha=0.5)  # In an EPS, matplotlib logs that this cannot be.
        second = pyplot.figure()
        pyplot.figure(first.number)
        pyplot.close(second)
        print("drawn", len(drawn), pyplot.gcf() is first, rcParams["font.size"], first.stale)
        pyplot.close(first)
        print("drawn", len(drawn), pyplot.get_fignums())
        logging.getLogger("mine").warning("said")
        return n

    seen = []
    for formats in ((), FORMATS):
        with rms.open(tmp_path / f"{len(formats)}.rms") as s, warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            s.save_figures(formats)
            value = s.pipe(draw)(1)
            assert len(saved(s)) == 2 * len(formats)
            assert s.pipe(draw)(1) == value and [t.hit for t in s.tasks()] == [False]
            files = s.sql("SELECT count(*) FROM files").fetchall()
        said = capfd.readouterr()
        seen.append((value, said.out, said.err, [str(warning.message) for warning in heard], files))
    assert seen[0] == seen[1]
    assert "drawn 0 True" in seen[0][1]


def test_a_figure_is_saved_where_warnings_are_exceptions(s, pyplot):
    def draw(n):
        from matplotlib import pyplot

        pyplot.title("\u4e00")
        pyplot.close()
        return n

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        s.pipe(draw)(1)
    assert saved(s) == ["draw-1.png"]


def test_a_figure_that_cannot_be_drawn_is_told_and_changes_nothing(s, pyplot):
    def draw(n):
        from matplotlib import pyplot

        pyplot.title(r"$\frac{$")
        return n

    with pytest.warns(rms.RmsWarning, match="draw: a figure is not saved"):
        assert s.pipe(draw)(1) == 1
    assert saved(s) == []


def test_hostile_files_are_harmless(s, pyplot, tmp_path):
    s.pipe(closed)(1)
    own = (s.path / "figures/closed-1.png").read_bytes()
    [mark] = marks_in(s.path / "figures/closed-1.png")
    foreign = [
        b"rms:task:" + b"z" * 32 + b":1",
        f"<svg><metadata>rms:task:{'0' * 32}:{'9' * 4000}</metadata></svg>".encode(),
        f"<svg><script>rms:task:{'0' * 32}:1'; DROP TABLE tasks; --</script></svg>".encode(),
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><svg>&a;</svg>",
        own[:40],
        b"",
        b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffzTXt" + zlib.compress(b"\0" * 10_000_000),
        str(TaskMark("f" * 32, 10**17)).encode() * 200_000,
    ]
    for number, data in enumerate(foreign):
        path = tmp_path / f"foreign-{number}.png"
        path.write_bytes(data)
        assert s.task_of_figure(path) == 0
        with pytest.raises(RmsError, match="not on record"):
            ident_of(s, str(path), {})
    Path("mixed.svg").write_bytes(foreign[2] + str(mark).encode())
    assert s.task_of_figure("mixed.svg") == s.tasks()[0].id, "of several, the one of this store"
    os.mkfifo("pipe.png")
    assert s.task_of_figure("pipe.png") == s.task_of_figure(tmp_path) == s.task_of_figure("missing.png") == 0


def test_names_stay_in_the_folder(s, pyplot):
    for n, name in enumerate(("<lambda>", "übung.plot", "x" * 300)):
        s.register_pipe(closed, name=name)(n)
    assert saved(s) == ["lambda-1.png", f"{'x' * 80}-1.png", "übung.plot-1.png"]


def test_settings(tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    assert formats_wanted(project) == ()
    settings = project / "pyproject.toml"
    settings.write_text("[tool.rms_jupyter]\nfigures = true\n")
    assert formats_wanted(project / "deep") == ("png", "svg")
    settings.write_text('[tool.rms_jupyter]\nfigures = true\nfigure_formats = ["eps", "png"]\n')
    assert formats_wanted(project / "deep") == ("png", "eps")
    monkeypatch.setenv("RMS_FIGURES", "off")
    assert formats_wanted(project) == ()
    monkeypatch.setenv("RMS_FIGURES", "pdf")
    with rms.open(project / "a.rms") as s:
        assert s.figure_formats == ("pdf",)
    monkeypatch.setenv("RMS_FIGURES", "gif")
    with pytest.warns(rms.RmsWarning, match="'gif' is not a valid format"), rms.open(project / "a.rms") as s:
        assert s.figure_formats == ()
    monkeypatch.delenv("RMS_FIGURES")
    for text in ("[tool.rms_jupyter]\nfigures = 'yes'\n", "[tool.rms_jupyter]\nfigure_formats = 3\nfigures = true"):
        settings.write_text(text)
        with pytest.raises(RmsError, match="is not valid"):
            formats_wanted(project)
    settings.write_bytes(b"[tool\xff")
    assert formats_wanted(project) == ()


def test_it_is_turned_on_and_off_in_the_notebook(kernel, tmp_path):
    kernel.run("%rms open n.rms")
    kernel.run("%matplotlib inline\nimport matplotlib.pyplot as plt")
    define = "%%rms\ndef plot(n):\n    plt.plot([n])\n    plt.show()\n    plt.plot([n, n])\ndef data(n):\n    return n"
    assert kernel.run(define).ok
    plain = kernel.run("plot(1)")
    on = kernel.run("%rms figures on png pdf")
    assert "saved as png, pdf" in on.shown and on.ok, on.shown
    ran = kernel.run("plot(2)")
    kinds = [[sorted(bundle) for bundle in one.displays if "image/png" in bundle] for one in (plain, ran)]
    assert kinds[0] == kinds[1] and len(kinds[0]) == 2
    folder = tmp_path / "n.rms/figures"
    assert sorted(p.name for p in folder.iterdir()) == ["plot-1.pdf", "plot-1.png", "plot-2.pdf", "plot-2.png"]
    shown = kernel.run("%rms figures show").shown
    assert "plot-2.pdf" in shown and "plot(2)" in shown
    shutil.copy(folder / "plot-2.pdf", tmp_path / "thesis fig.pdf")
    lineage = kernel.run("%rms lineage 'thesis fig.pdf'")
    assert lineage.ok and "plot" in lineage.shown
    assert "is not a valid format" in kernel.run("%rms figures on gif").shown
    assert kernel.run("%config RMSMagics.figure_formats = ['svg']").ok
    kernel.run("plot(3)")
    assert (folder / "plot-3.svg").exists() and not (folder / "plot-3.png").exists()
    assert "not a valid format" in kernel.run("%config RMSMagics.figure_formats = ['gif']").shown
    kernel.run("%rms figures off")
    kernel.run("plot(5)")
    assert len(list(folder.glob("plot-5*"))) == 0
    assert kernel.run("%rms figures plot").ok


def test_figures_of_cells_are_saved_once(tmp_path):
    cells = (
        "%rms open c.rms\n%rms figures on png",
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        "%%rms cell waves\nplt.plot([1, 2]);",
        "%%rms cell two\nfig = plt.figure(figsize=(1, 1)); ax = fig.gca()\nplt.show()\nplt.plot([3]);",
    )
    for ran in in_two_kernels(tmp_path, *cells):
        assert all(cell.ok for cell in ran), [cell.error for cell in ran]
    folder = tmp_path / "c.rms/figures"
    assert sorted(path.name for path in folder.iterdir()) == ["two-1.png", "two-2.png", "waves-1.png"]


def first_is_current(n):
    from matplotlib import pyplot

    pyplot.figure(1)
    pyplot.figure(2)
    pyplot.figure(1)
    return n


def test_the_current_figure_stays_the_current_one(s, pyplot):
    s.pipe(first_is_current)(1)
    assert pyplot.get_fignums() == [1, 2] and pyplot.gcf().number == 1


def test_the_gallery_of_the_panel_has_them_with_their_parameters(s, pyplot):
    def asked(**question):
        found = answer({"ask": "saved", **question})
        return [row["name"] for row in found["rows"]] if "error" not in found else found["error"]

    s.save_figures(["png", "pdf"])
    draw = s.pipe(closed, name="draw")
    assert [draw(n) for n in (1, 2, 3)] == [1, 2, 3]
    first = answer({"ask": "saved"})["rows"][0]
    assert (first["name"], first["type"], first["params"]) == ("draw-3.png", "png, pdf", [("n", "3")])
    assert asked(limit=2) == ["draw-3.png", "draw-2.png"] and asked(offset=2) == ["draw-1.png"]
    assert asked(words="draw n=2") == ["draw-2.png"]
    by_parameter = "WHERE task_id IN (SELECT task_id FROM params WHERE name = 'n' AND number < 2)"
    assert asked(words=by_parameter) == ["draw-1.png"] and "nonsense" in asked(words="where nonsense = 1")
    assert answer({"ask": "figure", "id": first["id"]})["url"].startswith("data:image/png;base64,")
    for elsewhere in ("saved:../rms.json", "saved:missing.png", "saved:"):
        assert answer({"ask": "figure", "id": elsewhere}) == {"url": "", "why": "the file is gone"}
