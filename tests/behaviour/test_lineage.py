"""What is drawn of a lineage: the nearest part, with many alike drawn as one, and what can be asked about it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.panel.questions import answer
from rms_jupyter.views.drawing import MIME_TYPE
from tests.graphs import Graph, file, samples


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """400 samples, read, aligned and looked at; one merge, one figure."""
    path = tmp_path_factory.mktemp("study") / "study.rms"
    return path, samples(path, 400)


@pytest.fixture
def opened(study):
    with rms.open(study[0]) as session:
        yield session


def ask(what, root, **more):
    """Ask about a lineage as a front end does; an error fails the test."""
    answered = answer({"ask": what, "id": str(root), **more})
    assert "error" not in answered, answered
    return json.loads(json.dumps(answered))


def labels(drawn):
    """The words in the boxes."""
    return [node["label"] for node in drawn["nodes"]]


def test_many_alike_are_drawn_as_one(opened, study):
    drawn = ask("lineage", study[1])
    assert labels(drawn) == [
        "figure.png", "plot", "DataFrame", "merge", "DataFrame ×400", "qc ×400", "s_*.bam ×400", "align ×400",
        "reads_*.fq.gz ×400", "lambda.fa",
    ]  # fmt: skip
    assert drawn["nodes"][7]["sub"] == "k=15 · 6 min 12 s" and drawn["nodes"][6]["sub"] == "file · 48 MB each"
    assert len(drawn["nodes"][7]["members"]) == 8


def test_one_is_taken_out_with_all_on_its_way(opened, study):
    drawn = ask("lineage", study[1])
    picked = drawn["nodes"][7]["members"][3]
    drawn = ask("lineage", study[1], apart=[picked])
    assert {"s_3.bam", "reads_3.fq.gz", "align ×399", "align"} <= set(labels(drawn))
    alone = next(n for n, node in enumerate(drawn["nodes"]) if node["id"] == picked)
    inputs = {drawn["nodes"][link["from"]]["label"] for link in drawn["links"] if link["to"] == alone}
    assert inputs == {"reads_3.fq.gz", "lambda.fa"}


def test_as_many_as_one_likes_are_taken_out(opened, study):
    apart = []
    for _ in range(5):
        drawn = ask("lineage", study[1], apart=apart)
        [folded] = [node for node in drawn["nodes"] if node["label"].startswith("align ×")]
        apart += folded["members"]
    drawn = ask("lineage", study[1], apart=apart)
    assert labels(drawn).count("align") == len(set(apart)) == 40 and "align ×360" in labels(drawn)


def test_those_that_failed_are_not_folded_with_those_that_did_not(opened, study):
    [(reference,)] = opened.sql("SELECT id FROM files WHERE path = '/data/lambda.fa'").fetchall()
    drawn = ask("lineage", reference)
    failed = [node for node in drawn["nodes"] if node["status"] == "failed"]
    assert [node["label"] for node in failed] == ["align"] * 3 and "align ×400" in labels(drawn)


def test_what_is_beyond_is_counted_and_opened_step_by_step(tmp_path):
    graph = Graph(tmp_path / "deep.rms")
    store, out = graph.store, graph.given("/start")[0]
    for n in range(60):
        used = (
            (out, "x"),
            *((ident, f"y{m}") for m, ident in enumerate(graph.given(*(f"/{n}_{m}.csv" for m in range(3))))),
        )
        out = store.append(graph.task(f"step{n}", {"n": n}, used, file(f"/out{n}"))) + 1  # fmt: skip
    store.close()
    with rms.open(tmp_path / "deep.rms") as session:
        drawn = ask("lineage", out)
        assert len(drawn["nodes"]) <= 60
        last = next(node for node in drawn["nodes"] if node["above"])
        further = ask("lineage", out, further=[last["id"]])
        assert {*labels(drawn)} < {*labels(further)}
        assert "… 1 more" in str(session.lineage(out, depth=2))
        assert len(session.lineage(out).nodes) == 60 * 5 + 1


def test_depth_and_direction_are_kept(opened, study):
    assert labels(ask("lineage", study[1], depth=1)) == ["figure.png", "plot", "DataFrame"]
    assert labels(ask("lineage", study[1], up=False)) == ["figure.png"]
    [(merged,)] = opened.sql("SELECT id FROM tasks WHERE pipe = 'merge'").fetchall()
    assert labels(ask("lineage", merged, up=False)) == ["merge", "DataFrame", "plot", "figure.png"]


def test_a_place_may_hold_both_ends_of_a_link(tmp_path):
    graph = Graph(tmp_path / "ring.rms")
    store, [start] = graph.store, graph.given("/start")
    outs, ids = [], []
    for n in range(8):
        used = ((start, "x"),) if n < 4 else ((outs[n - 4], "x"), (start, "again"))
        ids.append(store.append(graph.task("step", {"n": n}, used, file(f"/out{n}"))))
        outs.append(ids[-1] + 1)
    store.close()
    with rms.open(tmp_path / "ring.rms"):
        drawn = ask("lineage", start)
        assert all(link["from"] != link["to"] for link in drawn["links"]) and len(drawn["nodes"]) > 1
        assert all(link["path"].startswith("M") for link in drawn["links"])


def test_boxes_do_not_overlap_and_links_stay_inside(opened, study):
    drawn = ask("lineage", study[1], apart=ask("lineage", study[1])["nodes"][7]["members"])
    boxes = [(n["x"], n["y"], n["x"] + n["width"], n["y"] + drawn["boxHeight"]) for n in drawn["nodes"]]
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0 and right <= drawn["width"] and top >= 0 and bottom <= drawn["height"]
        for x, y, x2, y2 in boxes[i + 1 :]:
            assert right <= x or x2 <= left or bottom <= y or y2 <= top
    for link in drawn["links"]:
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", link["path"])]
        assert min(numbers) >= 0 and max(numbers) <= max(drawn["width"], drawn["height"])


def test_a_long_chain_goes_on_below_and_fits_a_notebook(tmp_path):
    graph = Graph(tmp_path / "long.rms")
    store, out = graph.store, graph.given("/start")[0]
    for n in range(9):
        out = store.append(graph.task(f"step{n}", {"n": n}, ((out, "x"),), file(f"/out{n}"))) + 1
    store.close()
    with rms.open(tmp_path / "long.rms"):
        drawn = ask("lineage", out)
    assert drawn["width"] <= 840 and len({node["y"] for node in drawn["nodes"]}) > 1
    rows = [node["y"] for node in sorted(drawn["nodes"], key=lambda node: node["layer"])]
    assert rows == sorted(rows)


def test_the_bundle_has_a_picture_and_a_text_for_every_reader(opened, study):
    bundle = opened.lineage(study[1])._repr_mimebundle_()
    assert set(bundle) == {MIME_TYPE, "text/html", "image/svg+xml", "text/plain"}
    picture = ElementTree.fromstring(bundle["image/svg+xml"])
    assert len(picture.findall(".//{*}rect")) == 10 and "<script" not in bundle["text/html"]
    assert "/data/reads_*.fq.gz  1.2 MB ×400" in bundle["text/plain"].replace("1.2 MB", " 1.2 MB")
    assert bundle["text/plain"] == bundle[MIME_TYPE]["text"]
    for node in bundle[MIME_TYPE]["nodes"][:8]:
        assert len(opened.sql(node["sql"]).fetchall()) == node["count"]
    rows = opened.sql(bundle[MIME_TYPE]["sql"]).fetchall()
    assert len(rows) == len(opened.lineage(study[1]).nodes) - 1


def test_search_by_words_fields_and_sql_tells_what_is_drawn(opened, study):
    def search(text):
        return ask("search", study[1], text=text, view={"id": str(study[1])})

    found = search("pipe:align k=15")
    assert found["total"] == 400 and found["drawn"] == {"7": 400} and len(found["hits"]) == 50
    assert search("s_77.bam")["drawn"] == {"5": 1, "6": 1}
    assert search("status:failed")["total"] == 3 and search("status:failed")["drawn"] == {}
    found = search("where path LIKE '%reads_12%' -- a comment")
    assert found["total"] == 11 and {hit["kind"] for hit in found["hits"]} == {"file"}
    refused = answer({"ask": "search", "id": "1", "text": "where nonsense", "view": {"id": str(study[1])}})
    assert "nonsense" in refused["error"] and refused["hint"]
    refused = answer({"ask": "search", "text": "where 1=1); DROP TABLE raw.tasks; --", "view": {"id": str(study[1])}})
    assert "error" in refused and search("pipe:merge")["total"] == 2


def test_the_slowest_of_what_is_drawn_are_found(tmp_path):
    graph = Graph(tmp_path / "slow.rms")
    store, [start] = graph.store, graph.given("/start")
    for n, seconds in enumerate([3.0, 90.0, 1.0, 60.0, 2.0]):
        store.append(graph.task("step", {"n": n}, ((start, "x"),), file(f"/out{n}"), seconds=seconds))
    store.append(graph.task("elsewhere", {}, (), file("/other"), seconds=500.0))
    store.close()
    with rms.open(tmp_path / "slow.rms"):
        found = ask("search", start, text="slowest:2", view={"id": str(start)})
        assert [hit["what"] for hit in found["hits"]] == [
            "step(n=1) 1 min 30 s cell [12]",
            "step(n=3) 1 min cell [12]",
        ]
        [folded] = [node for node in ask("lineage", start)["nodes"] if node["label"] == "step ×5"]
        assert folded["searches"] == ["pipe:step slowest:8", *(f"pipe:step n={n}" for n in range(5))]
        found = ask("search", start, text="n=4 slowest:2", view={"id": str(start)})
        assert found["total"] == 1 and "step(n=4)" in found["hits"][0]["what"]


def test_details_tell_code_changes_log_and_what_the_value_looks_like(s, write_lab):
    import importlib

    frame = pd.DataFrame({"x": range(30), "name": list("abcdefghijklmnopqrstuvwxyzäöüß")})
    write_lab("def make(n):\n    print('making', n)\n    return n\n")
    lab = importlib.import_module("lab")
    made = s.register_pipe(lab.make)(3)
    told = ask("details", made.task.id)
    assert ["keyword", "def"] in told["code"] and told["log"] == "making 3\n" and told["changes"] is None
    assert told["arguments"] == [["n", "3"]] and told["status"] == "done"
    write_lab("def make(n):\n    print('making', n)\n    return n + 1\n")
    s.register_pipe(importlib.reload(lab).make)
    told = ask("details", made.task.id)
    assert told["status"] == "stale" and told["changes"]["since"] == "since this ran"
    assert {"-    return n", "+    return n + 1"} <= set(told["changes"]["lines"])
    assert next(n["status"] for n in ask("lineage", made.id)["nodes"] if n["kind"] == "task") == "stale"
    newer = s.register_pipe(lab.make)(3)
    assert ask("details", newer.task.id)["changes"]["since"] == "to the version before"

    table = ask("details", s.register_pipe(lambda: frame, name="frame")().id)["glimpse"]
    assert (
        table["kind"] == "table"
        and table["columns"] == ["x", "name"]
        and len(table["rows"]) == 8
        and table["total"] == 30
    )
    array = ask("details", s.register_pipe(lambda: np.arange(5000.0), name="array")().id)["glimpse"]
    assert "from 0 to 4999, mean 2499.5" in array["text"]
    Path("notes.txt").write_text("one\ntwo\n")
    assert ask("details", s.register_file("notes.txt").id)["glimpse"] == {"kind": "text", "text": "one\ntwo\n"}
    Path("spectrum.csv").write_text('wavelength,"flux, error"\n' + "400.5,0.25\n" * 9)
    table = ask("details", s.register_file("spectrum.csv").id)["glimpse"]
    assert table["columns"] == ["wavelength", "flux, error"] and table["rows"][0] == ["400.5", "0.25"]
    assert table["total"] == 9
    Path("bare.csv").write_text("400.5,0.25\n410.5,0.5\n")
    assert ask("details", s.register_file("bare.csv").id)["glimpse"]["kind"] == "text"


def test_a_failed_task_tells_its_error(s):
    def broken(x):
        raise ValueError("no columns to parse")

    with pytest.raises(ValueError, match="no columns"):
        s.register_pipe(broken)(1)
    [(ident,)] = s.sql("SELECT id FROM tasks").fetchall()
    told = ask("details", ident)
    assert "ValueError: no columns to parse" in told["failure"] and told["status"] == "failed"
    assert ask("lineage", ident)["nodes"][0]["status"] == "failed"


HOSTILE = (
    '<script>document.title = "hacked"</script><img src=x onerror="document.title = 1">'
    '<a data-commandlinker-command="notebook:run-all-cells">x</a>\x1b[31mred\x1b]0;title\x07\u202egpj.exe\x00'
)


def test_hostile_text_is_drawn_as_text_and_cut(s):
    def load(path, note):
        print(HOSTILE)
        raise RuntimeError(HOSTILE + "x" * 10_000_000)

    name = HOSTILE.replace("/", "∕").replace("\0", "")[:200]
    Path(name).write_text(HOSTILE)
    with pytest.raises(RuntimeError):
        s.register_pipe(load)(name, HOSTILE + "y" * 10_000_000)
    given = s.register_file(name)
    for what in (given.id, s.latest_task("load")):
        bundle = s.lineage(what)._repr_mimebundle_()
        ElementTree.fromstring(bundle["image/svg+xml"])
        told = json.dumps([bundle, ask("details", what)])
        assert len(told) < 200_000
        assert "<script>" not in bundle["text/html"] + bundle["image/svg+xml"]
        assert "<img" not in bundle["text/html"] + bundle["image/svg+xml"]
        assert "\\u202e" in told and "\u202e" not in json.loads(told)[0]["text/plain"]
        assert not re.search(r"[\x00-\x08\x0b-\x1f]", "".join(json.loads(told)[0]["text/plain"]).replace("\n", ""))


def test_what_is_not_on_record_is_said(s):
    assert str(s.lineage(1 << 32)) == "(nothing on record)"
    assert s.lineage(1 << 32)._repr_mimebundle_()["text/plain"] == "(nothing on record)"
    for question in ({"id": "1"}, {"id": "x"}, {"id": 5}, {}, {"id": str(1 << 62)}):
        for family in ("lineage", "details"):
            refused = answer({"ask": family, **question})
            assert refused["error"] and refused["hint"]


CELLS = [
    "%load_ext rms_jupyter\n%rms open demo.rms",
    """%%rms
from pathlib import Path
def load(path): return [float(line) for line in Path(path).read_text().split()]
def fit(numbers, degree):
    if degree == 3: raise ValueError("too few")
    return sum(numbers) * degree
def best(fits): return max(fits)
def write(number, out): Path(out).write_text(str(number))
""",
    """%%rms
numbers = load("a.txt") + load("b.txt")
fits = [fit(load("a.txt"), degree) for degree in (1, 2)]
write(best(fits), "out.txt")
""",
    "%%rms\ntry: fit(load('a.txt'), 3)\nexcept ValueError: pass",
    "%%rms cell double\ntwice = [2 * number for number in numbers]",
]


def test_what_a_notebook_takes_from_another_is_drawn_with_it(kernel, tmp_path):
    functions = (
        "def load(n): return list(range(n))\ndef total(numbers): return sum(numbers) + 0.5\ndef other(): return 1.5"
    )
    for notebook, cell in {"one": "load(3), other()", "two": "total(load(3))"}.items():
        place = str(tmp_path / f"{notebook}.ipynb")
        kernel.run(f"import os, rms_jupyter as rms\nos.environ['JPY_SESSION_NAME'] = {place!r}")
        kernel.run(f"%%rms\n{functions}")
        assert kernel.run(cell).ok
        lines = kernel.run("%rms lineage --notebook").result.splitlines()
        kernel.run("rms.current().close()")
    assert [line.split()[0] for line in lines] == ["load", "total"] and lines[1].endswith("← load")


def test_the_whole_notebook_is_drawn_with_its_pipes_cells_and_files_and_what_is_stale(kernel):
    Path("a.txt").write_text("1\n2\n")
    Path("b.txt").write_text("3\n")
    for cell in CELLS:
        assert kernel.run(cell).ok
    lines = {line.split()[0]: line for line in kernel.run("%rms lineage --notebook").result.splitlines()}
    assert list(lines) == ["load", "fit", "best", "write", "double", "*.txt", "out.txt"]
    assert lines["load"].startswith("load ×2  cell [") and lines["load"].endswith("← *.txt ×2")
    assert lines["double"].endswith("← load ×2")
    assert "1 failed" in lines["fit"] and lines["fit"].endswith("[failed]  ← load ×2")
    assert (
        lines["best"].endswith("← fit ×3")
        and lines["write"].endswith("← best")
        and lines["out.txt"].endswith("← write")
    )
    assert not any("stale" in line for line in lines.values())
    assert kernel.run("%%rms\ndef best(fits): return min(fits)").ok
    drawn = kernel.run("%rms lineage --notebook")
    assert [line for line in drawn.result.splitlines() if line.endswith("[stale]  ← fit ×3")]
    assert "WHAT" not in drawn.result and "a.txt is too much" in kernel.run("%rms lineage a.txt --notebook").error
