"""Asking: SQL over the graph, search by words and by structure."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.panel.page import answer


@pytest.fixture
def peaks(s):
    """Two inputs, two ways (X with A, Y with B), all combinations; gives name to peak file."""

    def load(path):
        return Path(path).read_text()

    def X(reads, A):
        return f"{reads} X{A}"

    def Y(reads, B):
        return f"{reads} Y{B}"

    def merge(one, other):
        return one + other

    def call_peaks(aligned, out):
        Path(out).write_text(aligned)

    load_, merge_ = s.register_pipe(load), s.register_pipe(merge)
    ways = {"X": s.register_pipe(X), "Y": s.register_pipe(Y)}
    call_ = s.register_pipe(call_peaks, outputs="out")
    for name in ("input1.fq", "input2.fq", "input3.fq"):
        Path(name).write_text(name)
    made = {}
    for pair in ("12", "13", "23"):
        one, other = (load_(f"input{n}.fq") for n in pair)
        for way, parameter in (("X", 1), ("X", 2), ("Y", 1), ("Y", 2)):
            aligned = ways[way](merge_(one, other), parameter)
            made[pair, way, parameter] = call_(aligned, f"peaks_{pair}_{way}{parameter}.bed")
    return made


WANTED = [("12", "X", 1), ("12", "Y", 2)]


def test_two_inputs_through_either_way_in_sql(s, peaks):
    rows = s.sql("""
        SELECT f.path FROM files f
        WHERE f.pipe = 'call_peaks'
          AND EXISTS (FROM ancestors(f.id) a WHERE a.path LIKE '%input1%')
          AND EXISTS (FROM ancestors(f.id) a WHERE a.path LIKE '%input2%')
          AND EXISTS (FROM ancestors(f.id) a WHERE (a.pipe = 'X' AND a.args->>'A' = '1') OR (a.pipe = 'Y' AND a.args->>'B' = '2'))
    """).fetchall()
    assert {path for (path,) in rows} == {peaks[key].path for key in WANTED}


def test_two_inputs_through_either_way_in_a_structured_search(s, peaks):
    where = rms.where
    found = s.files(
        pipe="call_peaks",
        made_from=where(path="*input1*") & where(path="input2.fq") & (where(pipe="X", A=1) | where(pipe="Y", B=2)),
    )
    assert {f.path for f in found} == {peaks[key].path for key in WANTED}
    others = s.files(pipe="call_peaks", made_from=~where(path="*input1*"))
    assert {f.path for f in others} == {file.path for key, file in peaks.items() if "1" not in key[0]}
    assert len(s.tasks(pipe="X", A=2)) == 3


def test_ancestors_and_descendants_give_depth_and_kind(s, peaks):
    file = peaks["12", "X", 1]
    up = s.sql("SELECT kind, depth, pipe, path FROM ancestors(?) ORDER BY depth, kind, path", [file.id]).fetchall()
    assert [(depth, pipe) for kind, depth, pipe, _ in up if kind == "task"] == [
        (1, "call_peaks"), (2, "X"), (3, "merge"), (4, "load"), (4, "load"),
    ]  # fmt: skip
    assert [Path(path).name for kind, depth, _, path in up if kind == "file"] == ["input1.fq", "input2.fq"]
    source = s.file_from_path("input1.fq")
    down = s.sql("SELECT count(*) FROM descendants(?) d JOIN files f USING (id)", [source.id]).fetchall()[0]
    assert down == (8,)


def test_the_views_have_their_columns(s, peaks):
    columns = {
        "tasks": "id pipe status args seconds started_at run_id error",
        "resources": "id kind type size digest status task_id pipe preview",
        "files": "id path size digest status task_id pipe",
        "params": "task_id pipe name value number",
        "edges": "src dst role",
        "pipes": "id name version",
        "runs": "id kind notebook cell count started_at",
        "marks": "id mark note",
        "logs": "task_id pipe text",
        "figures": "id path task_id pipe",
        f"ancestors({peaks['12', 'X', 1].id})": "id kind depth pipe args path status",
        f"descendants({peaks['12', 'X', 1].id})": "id kind depth pipe args path status",
    }
    for view, names in columns.items():
        assert set(names.split()) <= set(s.sql(f"FROM {view}").columns), view


def test_a_diamond_is_walked_once(s):
    add = s.register_pipe(lambda a, b: a + b, name="add")
    node = add(1, 1)
    for _ in range(40):
        node = add(node, node)
    assert s.sql("SELECT count(*) FROM ancestors(?) WHERE kind = 'task'", [node.id]).fetchall()[0] == (41,)


def test_words_are_anded_over_everything(s):
    def align(reads, k=15):
        if k == 99:
            raise ValueError("cannot seed 'it''s'")
        return reads * k

    pipe = s.register_pipe(align)
    pipe("alpha", 3)
    pipe("beta", 15)
    with pytest.raises(ValueError):
        pipe("alpha", 99)
    assert {t.call for t in s.tasks("align alpha")} == {'align("alpha", k=3)', 'align("alpha", k=99)'}
    assert [t.call for t in s.tasks("seed valueerror")] == ['align("alpha", k=99)']
    assert [t.call for t in s.tasks(str(pipe("beta").task.id))] == ['align("beta", k=15)']
    assert len(s.find("alphaalpha")) == 1
    assert not s.find("align gamma")


@pytest.mark.parametrize(
    "text", ["'", '"', "'; DROP TABLE raw.tasks; --", "%", "_", "\\", "alpha' OR '1'='1", "$name", "?"]
)
def test_quotes_and_sql_in_the_text_are_harmless(s, text):
    s.register_pipe(lambda x: x, name="same")("alpha")
    assert not s.find(f"{text}{text}")
    s.register_pipe(lambda x: x, name="same")(f"<{text}{text}>")
    assert s.tasks(f"{text}{text}") or '"' in text or "\\" in text
    assert s.tasks(pipe=text) == [] and s.files(path=text or "x") == []


def test_overwritten_files_are_hidden_unless_asked_for(s):
    def write(path, text):
        Path(path).write_text(text)

    pipe = s.register_pipe(write, outputs="path", overwrite=True)
    old, new = pipe("out.txt", "one"), pipe("out.txt", "two")
    assert [f.id for f in s.files("out.txt")] == [new.id]
    assert {f.id for f in s.files("out.txt", status="any")} == {old.id, new.id}
    assert [r.id for r in s.find("out.txt") if isinstance(r, rms.FileResource)] == [new.id]


def test_a_session_reads_its_own_writes_and_those_of_others(s):
    def f(x):
        return x

    pipe = s.register_pipe(f)
    for n in range(3):
        pipe(n)
        assert s.sql("SELECT count(*) FROM tasks").fetchall()[0] == (n + 1,)
    from rms_jupyter.session import Session

    with Session(s.path) as other:
        other.register_pipe(f)(99)
    assert s.sql("SELECT count(*) FROM tasks").fetchall()[0] == (4,)
    assert pipe(99).task.hit


def test_the_notebooks_frames_by_name_and_parameters(s):
    f = s.register_pipe(lambda x: x, name="f")
    f(1), f(2)
    extra = pd.DataFrame({"x": [1, 5], "label": ["one", "five"]})
    rows = s.sql(
        "SELECT e.label FROM params p JOIN extra e ON e.x = p.number WHERE p.pipe = $pipe",
        {"pipe": "f"},
        {"extra": extra},
    )
    assert rows.fetchall() == [("one",)]


@pytest.mark.parametrize(
    "query, message",
    [
        ("DELETE FROM raw.tasks", "can only be read, and this is DELETE"),
        ("INSERT INTO raw.tasks SELECT * FROM raw.tasks", "this is INSERT"),
        ("CREATE TABLE x(i INT)", "this is CREATE"),
        ("COPY (SELECT 1) TO 'out.csv'", "this is COPY"),
        ("ATTACH 'x.db'", "this is ATTACH"),
        ("SET memory_limit = '1GB'", "this is SET"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv is not for queries: it reads files"),
        ("SELECT * FROM '/etc/passwd'", "/etc/passwd is a file"),
        ("SELECT nothing FROM tasks", "nothing"),
        ("SELEC", "syntax error"),
        ("", "one statement"),
    ],
)
def test_sql_that_writes_or_is_wrong_is_refused_in_one_short_message(s, query, message):
    with pytest.raises(rms.RmsError, match=message) as caught:
        s.sql(query)
    assert caught.value.hint and len(str(caught.value)) < 600
    assert s.sql("SELECT 1").fetchall() == [(1,)]


def test_asking_changes_nothing_in_the_journals(s):
    r = s.register_pipe(lambda: np.arange(3), name="make")()
    before = {p: p.stat().st_size for p in (s.path / "journal").iterdir()}
    (
        s.sql("SELECT * FROM tasks"),
        s.find("make"),
        s.lineage(r),
        s.tasks(),
        s.files(),
        s.status(),
        s.pipe_versions(),
        s.why(r),
    )
    assert {p: p.stat().st_size for p in (s.path / "journal").iterdir()} == before


def test_lineage_reads_well(s):
    load = s.register_pipe(lambda path: Path(path).read_text(), name="load")
    count = s.register_pipe(lambda texts, least=1: sum(map(len, texts)), name="count")
    for n in range(6):
        Path(f"{n}.txt").write_text(str(n))
    text = str(s.lineage(count([load(f"{n}.txt") for n in range(6)])))
    assert text.splitlines()[0].startswith("int 6")
    assert "×6" in text and "count(texts=" in text
    html = s.lineage(count([load(f"{n}.txt") for n in range(6)]))._repr_html_()
    assert "<pre" in html


def test_hostile_names_are_escaped(s):
    name = "<script>alert(1)</script>.txt"
    Path(name.replace("/", "_")).write_text("x")
    load = s.register_pipe(lambda path, note: Path(path).read_text(), name="load")
    r = load(name.replace("/", "_"), "<img src=x onerror=alert(1)>")
    for html in (s.lineage(r)._repr_html_(), s.find("script")._repr_html_(), r._repr_mimebundle_()[0]["text/html"]):
        assert "<script>" not in html and "<img src=x" not in html


def test_a_call_names_a_file_as_it_lies_from_here(s):
    load = s.register_pipe(lambda path: len(Path(path).read_text()), name="load")
    Path("raw").mkdir()
    Path("raw/07.csv").write_text("1,2")
    load(str(Path("raw/07.csv").absolute()))
    assert [row["what"] for row in s.tasks().rows()] == ['load("raw/07.csv")']


def test_what_was_given_to_a_call_was_not_made_by_it(s):
    def enlarge(path, out):
        Path(out).write_bytes(Path(path).read_bytes() * 2)

    Path("frame.tif").write_bytes(b"II")
    s.register_pipe(enlarge, outputs="out")("frame.tif", "large.tif")
    made = {"frame.tif": None, "large.tif": "enlarge"}
    for view in ("files", "resources"):
        assert dict(s.sql(f"SELECT parse_filename(path), pipe FROM {view} WHERE path IS NOT NULL").fetchall()) == made
    assert s.sql("SELECT count(task_id) FROM files").fetchall() == [(1,)]
    assert s.sql("SELECT parse_filename(path) FROM figures").fetchall() == [("large.tif",)]
    rows = answer(s, {"ask": "page", "table": "files"}).rows
    assert {row.name: row.pipe for row in rows} == made
