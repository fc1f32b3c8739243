"""The notebooks run, a second run computes nothing, and what they document is so."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def copies(tmp_path):
    """The notebooks in a folder of their own."""
    shutil.copytree(
        NOTEBOOKS, tmp_path / "notebooks", ignore=shutil.ignore_patterns("data", "outputs", "paper", ".rms")
    )
    return tmp_path


def run(folder, name):
    return subprocess.run(
        [sys.executable, "notebooks/run.py", f"notebooks/{name}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_the_quickstart_runs_and_then_computes_nothing(copies):
    first = run(copies, "quickstart.ipynb")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"fit_delay +32 calls", first.stdout) and "data/delay_120.png" in first.stdout
    second = run(copies, "quickstart.ipynb")
    assert "computed nothing: all of 38 calls were answered from the store" in second.stdout
    cells = [c for c in nbformat.read(copies / "build/quickstart.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(str(output) for cell in cells for output in cell.outputs)
    assert "17 of 17: 17 hit" in text and "327346" in text and "LONGEST" in text


def test_the_flows_run_and_then_compute_nothing(copies):
    first = run(copies, "flows.ipynb")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"fftimg +5 calls", first.stdout) and "outputs/album/convol_png" in first.stdout
    second = run(copies, "flows.ipynb")
    assert "computed nothing: all of 20 calls were answered from the store" in second.stdout
    cells = [c for c in nbformat.read(copies / "build/flows.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(str(output) for cell in cells for output in cell.outputs)
    assert "fftimg   5 hit" in text and "<svg" in text and "'camera': 0.284" in text and "Traceback" not in text


def test_templates_run_and_then_compute_nothing(copies):
    first = run(copies, "templates.ipynb")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"measure +3 calls", first.stdout)
    assert "computed nothing: all of 11 calls" in run(copies, "templates.ipynb").stdout
    cells = [c for c in nbformat.read(copies / "build/templates.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(output.get("text", "") + str(output.get("data", "")) for cell in cells for output in cell.outputs)
    assert "def again(flowers):" in text and "3 calls, to be run with .run()" in text and "4.60" in text


def test_rules_run_and_each_frame_is_localised_once(copies):
    first = run(copies, "rules.ipynb")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"localise +41 calls", first.stdout)
    assert "computed nothing" in run(copies, "rules.ipynb").stdout
    cells = [c for c in nbformat.read(copies / "build/rules.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(output.get("text", "") + str(output.get("data", "")) for cell in cells for output in cell.outputs)
    assert "localise · done · 40 arrived · 40 done" in text and "localise · done · 41 arrived · 41 done" in text
    assert "41 calls now, nothing was run" in text and "night_039.tif" in text


def test_genomics_runs_and_answers_which_results_came_from_where(copies):
    """K2, with bowtie2, bwa and samtools."""
    first = run(copies, "genomics.ipynb")
    assert first.returncode == 0, first.stdout + first.stderr
    assert re.search(r"bowtie2 +4 calls", first.stdout) and re.search(r"bwa +6 calls", first.stdout)
    cells = [c for c in nbformat.read(copies / "build/genomics.ipynb", 4).cells if c.cell_type == "code"]
    [answer] = [c.outputs[0]["data"]["text/plain"] for c in cells if "WITH aligned" in c.source]
    assert [line.rpartition("}")[2].split() for line in answer.splitlines()[1:]] == [
        ["bowtie2", "--local"],
        ["bwa", "-k", "15"],
    ]
    [found] = [c.outputs[0]["data"]["text/plain"] for c in cells if "made_from=" in c.source]
    assert found.count("summary(") == 2
    assert "computed nothing: all of 30 calls" in run(copies, "genomics.ipynb").stdout


def test_sharing_runs_and_what_one_has_computed_is_a_hit_for_the_other(copies):
    ran = run(copies, "sharing.ipynb")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    cells = [c for c in nbformat.read(copies / "build/sharing.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(output.get("text", "") + str(output.get("data", "")) for cell in cells for output in cell.outputs)
    assert "load 4 hits" in text and "report hit" in text
    assert "4 tasks to push" in text and "all sound" in text and "anders wo/raw/0.txt" in text


def test_figures_say_where_they_are_from(copies):
    ran = run(copies, "figures.ipynb")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    cells = [c for c in nbformat.read(copies / "build/figures.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(output.get("text", "") + str(output.get("data", "")) for cell in cells for output in cell.outputs)
    assert "drawn-3.pdf" in text and "drawn-4" not in text
    assert "by_hour(flights=<328,521 rows" in text and "carrier    EV        by_hour      1" in text
    assert "hour  dep_delay" in text
    assert "computed nothing: all of 7 calls" in run(copies, "figures.ipynb").stdout


def test_the_sql_tutorial_runs_and_documents_every_column(copies, tmp_path):
    ran = run(copies, "sql.ipynb")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    import rms_jupyter as rms

    cells = [c for c in nbformat.read(copies / "build/sql.ipynb", 4).cells if c.cell_type == "code"]
    asked = [
        c.outputs[0]["data"]["text/plain"] for c in cells if c.source.startswith("%%rms sql\nSELECT parse_filename")
    ]
    assert len(asked) == 2 and all("peaks_1_X2.bed" in answer for answer in asked)
    documented = {}
    for cell in nbformat.read(NOTEBOOKS / "sql.ipynb", 4).cells:
        if found := re.match(r"### `(\w+)`", cell.source):
            documented[found[1]] = re.findall(r"^\| `(\w+)` \|", cell.source, re.M)
    with rms.open(tmp_path / "other.rms") as s:
        assert {view: s.sql(f"FROM {view}").columns for view in documented} == documented
        views = s.sql(
            "SELECT view_name FROM duckdb_views() WHERE database_name = 'rms' AND schema_name = 'main' AND NOT internal"
        )
        assert {name for (name,) in views.fetchall()} - {"nodes", "searchable"} == set(documented)


def test_tracked_scripts_in_a_notebook(copies):
    ran = run(copies, "tracked.ipynb")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    cells = [c for c in nbformat.read(copies / "build/tracked.ipynb", 4).cells if c.cell_type == "code"]
    text = "\n".join(output.get("text", "") + str(output.get("data", "")) for cell in cells for output in cell.outputs)
    for line in ("○ 4 never run", "● 3 up to date · ■ 1 failed", "◐ 4 changed", "4 ended here", "● 4 up to date"):
        assert line in text
    assert "2.71828 ** (-rate * t)" in text and "[1.0, 0.607, 0.368, 0.223]" in text
