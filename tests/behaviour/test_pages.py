"""What the panel shows of long tables: pages in order, searched by words as `%rms tasks` does, and harmless text."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

import rms_jupyter as rms
from rms_jupyter.panel.questions import answer
from rms_jupyter.views.wording import duration

HOSTILE = "<img src=x onerror=alert(1)> \x1b[2J \u202egnp.exe " + "x" * 3000


def page(table="tasks", **question):
    found = answer({"ask": "page", "table": table, **question})
    assert "error" not in found, found
    json.dumps(found)
    return found


@pytest.fixture
def many(s):
    """300 tasks of two pipes, three of them failed."""

    def double(i, note=""):
        return 2 * i

    def half(i, out="half.txt"):
        if i % 40 == 7:
            raise ValueError(f"{i} is odd")
        Path(out).write_text("half")

    first, second = s.register_pipe(double), s.register_pipe(half, outputs=["out"])
    for i in range(200):
        first(i, note="Seven" if i == 7 else "")
    for i in range(100):
        if i % 40 == 7:
            with pytest.raises(ValueError):
                second(i, f"half_{i}.txt")
        else:
            second(i, f"half_{i}.txt")
    return s


def test_pages_put_together_are_the_whole_in_order(many):
    for sort, descending in [("when", True), ("when", False), ("seconds", True), ("pipe", False), ("status", True)]:
        how = {"sort": sort, "descending": descending}
        whole = page(**how, limit=500)
        assert whole["count"] == whole["total"] == 300
        parts = [row for offset in range(0, 300, 70) for row in page(**how, offset=offset, limit=70)["rows"]]
        assert parts == whole["rows"]
        if sort == "seconds":
            seconds = dict(many.sql("SELECT id, seconds FROM tasks").fetchall())
            values = [seconds[int(row["id"])] for row in whole["rows"]]
            assert [row["took"] for row in whole["rows"]] == [duration(value) for value in values]
        else:
            values = [row[sort] for row in whole["rows"]]
        assert values == sorted(values, reverse=descending)
    assert page(offset=300)["rows"] == []


@pytest.mark.parametrize(
    "words", ["double", "seven", "half 7", "out", "ODD", "valueerror", "no-such-word", "'", '"i":7,']
)
def test_words_find_what_the_search_finds(many, words):
    found = page(words=words, limit=500)
    expected = [str(task.id) for task in many.tasks(words)]
    assert [row["id"] for row in found["rows"]] == expected and found["count"] == len(expected)
    assert found["total"] == 300
    files = page("files", words=words, limit=500)
    assert sorted(row["id"] for row in files["rows"]) == sorted(str(file._rms.id) for file in many.files(words))


def test_what_is_recorded_meanwhile_is_on_the_next_page(many):
    before = page()
    many.register_pipe(lambda i: i, name="new")(1)
    after = page()
    assert after["count"] == before["count"] + 1 and after["rows"][0]["pipe"] == "new"


def test_failures_are_those_that_nothing_has_mended(many):
    found = page("failures")
    assert [row["call"] for row in found["rows"]] == [f'half({i}, out="half_{i}.txt")' for i in (87, 47, 7)]
    assert found["rows"][0]["error"] == "ValueError: 87 is odd"
    mended = many.register_pipe(lambda i, out: Path(out).write_text("mended"), name="half", outputs=["out"])
    mended(47, "half_47.txt")
    assert [row["args"][:4] for row in page("failures")["rows"]] == ["i=87", "i=7,"]


def test_failures_of_a_run(many):
    odd = many.register_pipe(lambda i: 1 / i, name="inverse")
    with many.plan() as plan:
        for i in (0, 1, 2):
            odd(i)
    with pytest.raises(rms.PlanFailed):
        plan.run(n_jobs=1)
    [row] = page("failures", run=str(plan.run_id))["rows"]
    assert row["call"] == "inverse(0)" and row["error"].startswith("ZeroDivisionError")


def test_deleted_and_overwritten_are_left_out(many):
    first = many.files("half_1.txt")[0]
    many.delete(first.task)
    again = many.register_pipe(lambda out: Path(out).write_text("other"), name="again", outputs=["out"], overwrite=True)
    again("half_2.txt")
    assert page()["count"] == 300 and page("files")["count"] == 97 - 1
    assert [row["pipe"] for row in page("files", words="half_2.txt")["rows"]] == ["again"]


def test_a_pipe_s_files_are_those_it_made_not_those_it_has_read(s, tmp_path):
    (tmp_path / "in.txt").write_text("1")
    copied = s.register_pipe(
        lambda path, out: Path(out).write_text(Path(path).read_text()), name="copied", outputs=["out"]
    )
    copied(str(tmp_path / "in.txt"), str(tmp_path / "o.txt"))
    for names in ([row["name"] for row in page("files", words="copied")["rows"]], *found(s)):
        assert names == ["o.txt"]


def found(s):
    for files in (s.files("copied"), s.files(pipe="copied"), s.files(made_from=rms.where(pipe="copied"))):
        yield [Path(file.path).name for file in files]


def test_runs_and_files(many):
    assert page("runs")["rows"][0]["tasks"] == 300
    row = page("files", words="half_3.txt")["rows"][0]
    assert row["name"] == "half_3.txt" and row["pipe"] == "half" and row["size"] == "4 B" and row["status"] == "current"


def test_questions_that_fit_no_table_are_refused(many):
    for wrong in ({"table": "raw.tasks"}, {"table": "tasks", "sort": "k; DROP TABLE x"}, {"table": None}):
        assert "there is no table" in answer({"ask": "page", **wrong})["error"]
    assert page(offset=-5, limit=10**9)["count"] == 300
    assert page(words="x' OR '1'='1")["count"] == 0


def test_hostile_text_is_short_and_harmless(s):
    def shout(text):
        print(text)
        raise ValueError(text)

    with pytest.raises(ValueError):
        s.register_pipe(shout, name="shout")(HOSTILE * 3000)
    [row] = page("failures")["rows"]
    assert max(len(str(value)) for value in row.values()) <= 300
    assert not re.search("[\x00-\x1f\u202e]", "".join(str(value) for value in row.values()))
    log = answer({"ask": "log", "task": row["id"]})["text"]
    assert len(log) < 150_000 and "\x1b" not in log and "\u202e" not in log and "characters are not shown" in log


def test_a_figure_is_drawn_small_and_pyplot_is_left_alone(s):
    import matplotlib.pyplot as plt

    def plot(n):
        figure, axes = plt.subplots(figsize=(30, 20), dpi=200)
        axes.plot(range(n))
        plt.close(figure)
        return figure

    def save(n, out):
        plot(n).savefig(out)

    s.register_pipe(plot)(5)
    s.register_pipe(save)(500, "large.png")
    found = page("figures")
    assert [row["name"] for row in found["rows"]] == ["large.png", "matplotlib.Figure"]
    before = plt.get_fignums()
    for row in found["rows"]:
        url = answer({"ask": "figure", "id": row["id"]})["url"]
        kind, data = url.split(",")
        assert kind == "data:image/png;base64" and base64.b64decode(data).startswith(b"\x89PNG") and len(url) < 400_000
    assert plt.get_fignums() == before
    Path("large.png").write_bytes(b"other")
    assert answer({"ask": "figure", "id": found["rows"][0]["id"]}) == {"url": "", "why": "changed since"}
    Path("large.png").unlink()
    assert answer({"ask": "figure", "id": found["rows"][0]["id"]}) == {"url": "", "why": "the file is gone"}
