"""What is offered in SQL: views, columns, data frames, and the names of pipes and parameters on record."""

from __future__ import annotations

import pytest

CELL = "%%rms sql\n"


@pytest.fixture
def offered(kernel):
    """Ask for completions in a cell of SQL, at the bar."""
    kernel.run(
        "%rms open demo.rms\nimport pandas as pd\ncut = 3\nframe = pd.DataFrame({'height': [1], 'odd name': [2]})"
    )
    kernel.run("%%rms\ndef align(reads, k=15):\n    return reads\ndef merge(bams):\n    return bams\nmerge(align('a'))")

    def ask(query):
        before, _, after = query.partition("|")
        return kernel.complete(CELL + before + after, len(CELL + before))

    return ask


def test_tables_follow_from_and_join(offered):
    assert {"tasks", "files", "params", "ancestors(", "frame"} <= set(offered("SELECT * FROM |"))
    assert offered("SELECT * FROM ta|") == ["tasks"]
    assert offered("SELECT *\nFROM tasks t\nJOIN par|\nWHERE 1") == ["params"]
    assert "runs" in offered("select * from tasks, ru|")
    assert "align" not in offered("SELECT * FROM |")


def test_columns_are_those_of_the_tables_that_the_query_names(offered):
    assert offered("SELECT dige| FROM files") == ["digest"]
    assert "run_id" not in offered("SELECT | FROM files")
    assert {"number", "value"} <= set(offered("SELECT * FROM params WHERE |"))
    assert set(offered("SELECT p.n| FROM tasks t JOIN params p ON p.task_id = t.id")) == {"name", "number"}
    assert "depth" in offered("SELECT a.| FROM ancestors(1) a")
    assert {"height"} == set(offered("SELECT he| FROM frame"))
    assert "SELECT" in offered("SEL|") and "select" in offered("sel|")


def test_a_view_goes_before_a_data_frame_of_its_name(offered, kernel):
    kernel.run("files = Tasks = pd.DataFrame({'odd_one': [1]})")
    assert "odd_one" not in offered("SELECT | FROM files") and "digest" in offered("SELECT | FROM files")
    assert offered("SELECT * FROM ta|") == ["tasks"]


def test_texts_are_names_on_record(offered):
    assert set(offered("SELECT * FROM tasks WHERE pipe = '|'")) == {"align", "merge"}
    assert offered("SELECT * FROM tasks WHERE pipe = 'al|") == ["align"]
    assert offered("SELECT * FROM tasks WHERE pipe IN ('align', 'me|") == ["merge"]
    assert set(offered("SELECT * FROM params WHERE name = '|")) == {"bams", "k", "reads"}
    assert offered("SELECT args->>'re|' FROM tasks") == ["reads"]
    assert offered("SELECT * FROM pipes WHERE name LIKE 'me|") == ["merge"]
    assert "timed_out" in offered("SELECT * FROM tasks WHERE status = 't|")
    assert "align" not in offered("SELECT 'it''s', 'al|")


def test_variables_follow_a_dollar_and_a_line_is_completed_as_a_cell_is(offered, kernel):
    assert "cut" in offered("SELECT * FROM params WHERE number > $c|")
    assert kernel.complete("%rms sql SELECT * FROM ta") == ["tasks"]
    assert kernel.complete("%rms sql found << SELECT dig") == ["digest"]
    assert "--as" in kernel.complete("%rms sql --a")
    assert offered("-- a comment's quote\nSELECT * FROM ta|") == ["tasks"]


def test_where_no_store_is_open_none_is_opened(kernel, tmp_path):
    assert kernel.complete(CELL + "SELECT * FROM ta") == []
    assert not (tmp_path / ".rms").exists()
