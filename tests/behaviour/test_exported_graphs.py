"""The record in the words of others: PROV, Workflow Run RO-Crate, Parquet; of one result, or all of it."""

import hashlib
import html
import json
import os
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from prov.model import ProvActivity, ProvDocument, ProvEntity
from rocrate.rocrate import ROCrate

import rms_jupyter as rms
from tests import warm

SCALE = 2
ODD = "a b;é \"'<x>&.csv"


def load(path):
    with open(path) as file:
        return [float(line) * SCALE for line in file]


def merge(parts, label):
    return sorted(number for part in parts for number in part)


def write(numbers, out):
    Path(out).write_text("\n".join(map(str, numbers)))


@pytest.fixture
def result(s):
    """A file that was made from two files in three steps; beside it a call that failed."""
    Path(ODD).write_text("2\n1\n")
    Path("plain.csv").write_text("3\n")
    load_, merge_ = s.register_pipe(load), s.register_pipe(merge)
    write_ = s.register_pipe(write, outputs=["out"])
    with pytest.raises(ValueError):
        s.register_pipe(lambda: int("no number"), name="fail")()
    return write_(merge_([load_(ODD), load_("plain.csv")], "x\x00\u202e]]>"), "out.txt")


# PROV ----------------------------------------------------------------------------------------------------------------


def test_prov_is_read_back_by_others(s, result):
    document = ProvDocument.deserialize(content=s.export(result, "prov"), format="json")
    labels = [str(next(iter(one.get_attribute("prov:label")))) for one in document.get_records(ProvActivity)]
    assert sorted(label.partition("(")[0] for label in labels) == ["load", "load", "merge", "write"]
    kinds = [str(next(iter(one.get_attribute("prov:type")))) for one in document.get_records(ProvEntity)]
    assert kinds.count("prov:Plan") == 3 and kinds.count("rms:File") == 3 and kinds.count("rms:Value") == 3
    text = json.loads(s.export(result, "prov"))
    assert {use["prov:role"] for use in text["used"].values()} >= {"path", "parts[0]", "parts[1]", "numbers"}
    assert len(text["wasGeneratedBy"]) == 4 and len(text["wasAssociatedWith"]) == 4
    agent = next(iter(text["agent"].values()))
    assert agent["rms:host"] == os.uname().nodename


def test_everything_is_more_than_what_made_one_result(s, result):
    everything = json.loads(s.export(None, "prov"))
    failed = [one for one in everything["activity"].values() if one["rms:status"] == "failed"]
    assert len(everything["activity"]) == 5 and "no number" in failed[0]["rms:error"]
    with pytest.raises(rms.RmsError, match="of one result"):
        s.export(None, "script")


def test_what_the_notebook_has_changed_is_derived(s):
    make_ = s.pipe(name="make")(lambda n: np.zeros(n))
    total_ = s.pipe(name="total")(lambda values: float(values.sum()))
    values = make_(3)
    values[0] = 7
    total = total_(values)
    assert total == 7
    assert len(json.loads(s.export(None, "prov"))["wasDerivedFrom"]) == 1


def test_prov_n(s, result, tmp_path):
    path = Path(s.export(result, dest="graph.provn"))
    text = path.read_text()
    assert text.startswith("// Exported by rms_jupyter") and "document\n" in text and "wasGeneratedBy(rms:" in text
    assert all(c.isprintable() or c == "\n" for c in text.replace("\u202e", "")) and ODD.split('"')[0] in text
    s.export(result, dest="graph.provn")
    path.write_text(text.replace("merge", "marge"))
    with pytest.raises(rms.OverwriteError):
        s.export(result, dest="graph.provn")


def test_prov_json_is_replaced_only_as_it_was_written(s, result):
    path = Path(s.export(result, dest="graph.json"))
    s.export(result, dest="graph.json")
    for other in (path.read_text().replace("merge", "marge"), '{"a": 1}', "[]", "x"):
        path.write_text(other)
        with pytest.raises(rms.OverwriteError):
            s.export(result, dest="graph.json")
        assert path.read_text() == other


# RO-Crate ------------------------------------------------------------------------------------------------------------


def graph_of(folder):
    text = json.loads((folder / "ro-crate-metadata.json").read_text())
    return {entity["@id"]: entity for entity in text["@graph"]}


def listed(value):
    return value if isinstance(value, list) else [value]


def check_whole(folder):
    """Every reference leads to an entity, every part is there, with the checksum that is said of it."""
    graph = graph_of(folder)
    for entity in graph.values():
        for name, value in entity.items():
            for one in listed(value):
                if isinstance(one, dict) and name != "@type" and not (name == "conformsTo" and "://" in one["@id"]):
                    assert one["@id"] in graph, (entity["@id"], name, one)
    for part in graph["./"]["hasPart"]:
        entity = graph[part["@id"]]
        path = folder / part["@id"]
        assert path.resolve().is_relative_to(folder.resolve()) and path.exists()
        if path.is_file():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == entity["sha256"]
            assert str(path.stat().st_size) == entity["contentSize"]
    on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    known = {part["@id"] for part in graph["./"]["hasPart"]}
    assert on_disk - known <= {"ro-crate-metadata.json", ".exported_by_rms_jupyter.json"}
    return graph


def test_a_crate_of_one_result_is_a_workflow_run(s, result, tmp_path):
    folder = Path(s.export(result, "rocrate", "crate"))
    graph = check_whole(folder)
    assert {one["@id"].rpartition("/")[0].rpartition("/")[2] for one in graph["./"]["conformsTo"]} == {
        "process",
        "workflow",
        "workflow-ro-crate",
    }
    workflow = graph[graph["./"]["mainEntity"]["@id"]]
    assert workflow["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    actions = [entity for entity in graph.values() if entity["@type"] == "CreateAction"]
    assert len(actions) == 5 and {action["@id"] for action in actions} == {
        one["@id"] for one in graph["./"]["mentions"]
    }
    run = graph["#run"]
    assert run["instrument"]["@id"] == "workflow.py" and len(run["object"]) == 2
    made = graph[run["result"]["@id"]]
    assert (folder / made["@id"]).read_text() == Path("out.txt").read_text() and made["name"] == "out.txt"
    assert ODD in {graph[one["@id"]]["name"] for one in run["object"]}
    assert str(tmp_path) not in (folder / "ro-crate-metadata.json").read_text().replace("workflow.py", "")
    crate = ROCrate(folder)
    assert crate.mainEntity.id == "workflow.py" and len(crate.data_entities) == len(graph["./"]["hasPart"])


def test_the_workflow_of_a_crate_runs(s, result):
    folder = Path(s.export(result, "rocrate", "crate"))
    Path("out.txt").unlink()
    ran = warm.run_script(
        "import runpy, sys\nrunpy.run_path(sys.argv[1], run_name='__main__')", str(folder / "workflow.py")
    )
    assert ran.returncode == 0, ran.stderr
    assert Path("out.txt").read_text() == "2.0\n4.0\n6.0"


def test_a_crate_of_everything(s, result):
    graph = check_whole(Path(s.export(None, "rocrate", "crate")))
    failed = [entity for entity in graph.values() if "Failed" in entity.get("actionStatus", "")]
    assert len(failed) == 1 and "no number" in failed[0]["error"] and "mainEntity" not in graph["./"]


def test_files_that_have_changed_or_are_left_out_are_told(s, result):
    Path("plain.csv").write_text("other")
    graph = check_whole(Path(s.export(result, "rocrate", "crate")))
    [gone] = [entity for entity in graph.values() if entity.get("alternateName") == "plain.csv"]
    assert gone["@type"] == "CreativeWork" and "altered" in gone["description"]
    graph = check_whole(Path(s.export(result, "rocrate", "small", files=False)))
    assert not any(name.startswith("files/") for name in graph)


def test_hostile_names_stay_in_the_crate(s):
    names = ["..", "-rf", "CON", "x" * 200 + ".txt", "\udcff.txt", "new\nline", "a\\b", "ro-crate-metadata.json"]
    folder = Path("odd")
    folder.mkdir()
    read_ = s.register_pipe(lambda paths: [Path(path).read_text() for path in paths], name="read")
    paths = [folder / name for name in names if name != ".."]
    for number, path in enumerate(paths):
        path.write_text(str(number))
    result = read_([str(path) for path in paths])
    graph = check_whole(Path(s.export(None, "rocrate", "crate")))
    assert len(result.content) == len(paths)
    assert len([name for name in graph if name.startswith("files/")]) == len(paths)


def test_folders_are_copied_as_they_are(s):
    Path("raw/deep").mkdir(parents=True)
    Path("raw/deep/a.txt").write_text("a")
    Path("raw/out").symlink_to("/etc")
    count_ = s.register_pipe(lambda folder: len(list(Path(folder).rglob("*.txt"))), name="count")
    result = count_("raw")
    folder = Path(s.export(result, "rocrate", "crate"))
    [copied] = [entity for entity in graph_of(folder).values() if entity["@id"].startswith("files/")]
    assert copied["@type"] == "Dataset" and (folder / copied["@id"] / "deep/a.txt").read_text() == "a"
    assert (folder / copied["@id"] / "out").is_symlink()


# Parquet -------------------------------------------------------------------------------------------------------------


def test_parquet_tables_of_everything_and_of_one_result(s, result):
    folder = Path(s.export(None, "parquet", "all"))
    tables = {path.stem: pq.read_table(path) for path in folder.glob("*.parquet")}
    for view in ("tasks", "resources", "files", "params", "edges", "pipes", "runs", "environments", "marks", "logs"):
        [(count,)] = s.sql(f"SELECT count(*) FROM {view}").fetchall()
        assert tables[view].num_rows == count, view
        assert tables[view].column_names == s.sql(f"FROM {view}").columns
    one = Path(s.export(result, "parquet", "one"))
    assert pq.read_table(one / "tasks.parquet").num_rows == 4 and tables["tasks"].num_rows == 5
    assert set(pq.read_table(one / "pipes.parquet")["name"].to_pylist()) == {"load", "merge", "write"}
    nodes = {*pq.read_table(one / "tasks.parquet")["id"].to_pylist()}
    nodes |= {*pq.read_table(one / "resources.parquet")["id"].to_pylist()}
    edges = pq.read_table(one / "edges.parquet").to_pylist()
    assert edges and all({edge["src"], edge["dst"]} <= nodes for edge in edges)
    assert not list((s.path / "staging").iterdir())


# Where it is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["rocrate", "parquet"])
def test_only_an_earlier_export_is_replaced(s, result, format):
    with pytest.raises(rms.RmsError, match="is a folder of files"):
        s.export(result, format)
    folder = Path(s.export(result, format, "made"))
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(rms.OverwriteError, match="is there already"):
        s.export(result, format, "made")
    s.export(None, format, "made", overwrite=True)
    assert (folder / "mine.txt").read_text() == "mine"
    other = Path("other")
    other.mkdir()
    assert s.export(result, format, "other") == str(other.resolve())
    Path("precious").mkdir()
    Path("precious/thesis.txt").write_text("x")
    Path("file").write_text("x")
    for taken in ("precious", "file"):
        with pytest.raises(rms.OverwriteError):
            s.export(result, format, taken, overwrite=True)
    assert os.listdir("precious") == ["thesis.txt"] and not list(Path().glob(".rms-export*"))


def test_a_list_that_was_tampered_with_removes_nothing_outside(s, result):
    folder = Path(s.export(result, "parquet", "made"))
    Path("precious.txt").write_text("x")
    (folder / ".exported_by_rms_jupyter.json").write_text(json.dumps(["../precious.txt", "/etc/hostname", 3]))
    s.export(result, "parquet", "made", overwrite=True)
    assert Path("precious.txt").exists() and Path("/etc/hostname").exists()


def test_zip(s, result):
    with zipfile.ZipFile(s.export(result, "rocrate", "crate.zip")) as packed:
        assert "ro-crate-metadata.json" in packed.namelist() and packed.testzip() is None
    with pytest.raises(rms.OverwriteError):
        s.export(result, "rocrate", "crate.zip")
    s.export(result, "parquet", "crate.zip", overwrite=True)
    assert os.stat("crate.zip").st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(("format", "module"), [("prov", "prov.model"), ("rocrate", "rocrate.rocrate")])
def test_a_package_that_is_missing_is_named(s, result, monkeypatch, format, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(rms.RmsError, match=f"needs the package {format}") as error:
        s.export(result, format, "made")
    assert "rms-jupyter[export]" in error.value.hint and not Path("made").exists()


def test_the_magic(kernel, tmp_path):
    kernel.run("%%rms\ndef double(n):\n    return 2 * n\nx = double(21)")
    assert "written to" in kernel.run("%rms export x --format rocrate crate").text
    assert (tmp_path / "crate" / "workflow.py").exists()
    assert "written to" in kernel.run("%rms export --all --format parquet tables").text
    assert "prov:Plan" in kernel.run("%rms export --all --format prov").text
    assert "is too much" in kernel.run("%rms export x --all --format prov y").error
    assert "WHAT is missing" in kernel.run("%rms export --format prov").error


# HTML ----------------------------------------------------------------------------------------------------------------


def test_a_page_for_a_browser_holds_the_calls_and_no_text_as_markup(s, result):
    path = Path(s.export(result, dest="page.html"))
    text = path.read_text()
    assert "<h1>" in text and "merge(" in text and "<svg" in text and "<script" not in text
    assert html.escape(ODD) in text and "<x>" not in text
    s.export(result, dest="page.html")
    path.write_text(text.replace("merge", "marge"))
    with pytest.raises(rms.OverwriteError):
        s.export(result, dest="page.html")
