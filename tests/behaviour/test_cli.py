"""The command line: the verbs of %rms in a terminal, on a store that a script has made."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

from rms_jupyter.cli import main
from rms_jupyter.commands.table import verb_named, verbs

SCRIPT = r"""
from pathlib import Path
import rms_jupyter as rms

s = rms.open(".rms")

@s.pipe(outputs=["out"])
def align(reads, out, k=15):
    print("aligned \x1b[31mred\x1b[0m\x1b[2J\x1b]0;owned\x07")
    Path(out).write_text(Path(reads).read_text() * k)

@s.pipe
def fails(what):
    raise ValueError(f"no {what}")

for name in ("reads 1.fq", "-odd.fq", "größe.fq", "evil\x1b[2J\u202e\n.fq"):
    Path(name).write_text(name)
    align(name, f"{name[:-3]}.bam", 3)
try:
    fails("such \x1b[2Jthing " + "and none " * 30)
except ValueError:
    pass
s.close()
"""
HOSTILE = ("\x1b", "\u202e", "\x07")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a store in it, its files, and a folder further down."""
    folder = tmp_path_factory.mktemp("pro ject ü")
    (folder / "below").mkdir()
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def rms(project, capsys, monkeypatch):
    """Run ``rms`` as it is typed; gives what it wrote: to stderr, where another exit code than 0 is expected."""

    def run(*words, folder=project, code=0, columns="80"):
        monkeypatch.chdir(folder)
        monkeypatch.setenv("COLUMNS", columns)
        assert main(words) == code
        written = capsys.readouterr()
        assert written.err.count("\n") == (1 if code else 0)
        return written.err if code and not written.out else written.out

    return run


def process(*words, folder):
    """Run ``rms`` in a process of its own."""
    command = [sys.executable, "-m", "rms_jupyter", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_it_is_loaded_in_every_notebook_until_that_is_taken_back(tmp_path):
    env = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}

    def rms_is_there():
        code = "print('rms' in get_ipython().magics_manager.magics['cell'], [n for n in globals() if 'rms' in n])"
        command = [sys.executable, "-m", "IPython", "--quiet", "--colors=NoColor", "-c", code]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    def rms(*words):
        command = [sys.executable, "-m", "rms_jupyter", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    assert rms_is_there() == "False []"
    assert "kernels that start from now on load rms_jupyter" in rms("autoload")
    assert rms_is_there() == "True []"
    rms("autoload"), rms("autoload", "--off"), rms("autoload", "--off")
    assert rms_is_there() == "False []"
    assert not (tmp_path / ".rms").exists()


def test_tables_fit_80_columns_and_lose_nothing(rms):
    found = rms("tasks")
    lines = found.splitlines()
    assert max(map(len, lines)) <= 80 and lines[0].split() == ["id", "what", "status", "seconds", "error"]
    ids = {row["id"] for row in json.loads(rms("tasks", "--json"))}
    assert len(ids) == 5 and all(str(ident) in found for ident in ids), "no digit is cut off"
    assert not any(sign in found for sign in HOSTILE)
    narrow = rms("files", columns="36")
    assert max(map(len, narrow.splitlines())) <= 36 and "reads 1.bam" in narrow and "made by" in narrow


def test_in_a_pipe_each_row_is_a_line(rms):
    assert len(rms("tasks", columns="").splitlines()) == 6


def test_a_process_ends_with_a_code_and_one_line(project, tmp_path):
    done = process("tasks", "--json", folder=project)
    assert (done.returncode, done.stderr, len(json.loads(done.stdout))) == (0, "", 5)
    done = process("lineage", "--up", "--", "-odd.bam", folder=project)
    assert done.returncode == 0 and "align(reads=" in done.stdout
    done = process("status", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert process("lineage", folder=project).returncode == 2


def test_json_and_csv_are_for_scripts(rms, project):
    tasks = json.loads(rms("tasks", "--failed", "--json"))
    assert [task["what"].partition("(")[0] for task in tasks] == ["fails"]
    assert "\x1b[2Jthing" in tasks[0]["error"], "data is whole"
    rows = list(csv.DictReader(io.StringIO(rms("sql", "--csv", "SELECT path, size FROM files WHERE pipe = 'align'"))))
    assert {row["path"] for row in rows} >= {str(project / name) for name in ("reads 1.bam", "-odd.bam", "größe.bam")}
    answer = rms("sql", "--json", "SELECT 9007199254740993::HUGEINT AS n, 'NaN'::DOUBLE AS x, [1, 2] AS l, NULL AS z")
    assert json.loads(answer) == [{"n": 9007199254740993, "x": None, "l": [1, 2], "z": None}]
    facts = json.loads(rms("--store", str(project), "status", "--json", folder="/"))
    assert (facts["tasks"], facts["failed"], facts["store"]) == (4, 1, str(project / ".rms"))


@pytest.mark.parametrize("name", ["reads 1.bam", "./-odd.bam", "größe.bam"])
def test_a_file_by_its_path(rms, name):
    assert "align(reads=" in rms("lineage", name, "--up")


def test_what_begins_with_a_dash_stands_behind_two(rms):
    assert "/-odd.bam" in rms("lineage", "--up", "--", "-odd.bam")
    graph = json.loads(rms("lineage", "--json", "--", "-odd.bam"))
    assert [edge["role"] for edge in graph["edges"]].count("reads") == 1


def test_the_nearest_store_upward_is_asked(rms, project):
    assert 'align("reads 1.fq"' in rms("why", "../reads 1.bam", folder=project / "below")
    assert "k" in rms("diff", "../reads 1.bam", "../größe.bam", folder=project / "below")


def test_hostile_text_gives_a_terminal_no_commands(rms):
    for words in (["files"], ["find", "evil"], ["logs", "--failed"], ["pipes"], ["show", "fails"]):
        assert not any(sign in rms(*words) for sign in HOSTILE), words
    assert not any(sign in rms("lineage", "evil\x1b\u202e", code=1) for sign in HOSTILE)


def test_a_result_is_marked_checked_and_deleted(rms, project):
    assert rms("mark", "größe.bam", "--tag", "good", "--note", "schön 'und' gut") == "1 noted\n"
    assert "größe.bam" in rms("find", "schön")
    assert "no problems" in rms("check")
    (project / "größe.bam").rename(project / "away.bam")
    report = json.loads(rms("check", "--json", code=1))
    assert [row["problem"] for row in report["rows"]] == ["missing"] and not report["is_sound"]
    (project / "away.bam").rename(project / "größe.bam")
    assert "would delete" in rms("delete", "-n", "größe.bam")


def test_what_was_made_is_written_down(rms, project, tmp_path):
    text = rms("export", "reads 1.bam", "--format", "dot")
    assert text.startswith("// Exported by rms_jupyter") and "digraph" in text
    assert rms("export", "reads 1.bam", str(tmp_path / "graph.dot")) == f"written to {tmp_path / 'graph.dot'}\n"
    assert (tmp_path / "graph.dot").read_text().startswith("// Exported")


def test_a_store_is_backed_up_and_restored(rms, tmp_path):
    assert "backed up to" in rms("backup", str(tmp_path / "kept here"))
    restored = rms("restore", str(tmp_path / "kept here"), str(tmp_path / "new" / ".rms"), folder=tmp_path)
    assert "restored to" in restored
    assert "4 done, 1 failed" in rms("status", folder=tmp_path / "new")


def test_exit_codes_and_one_line_that_says_why(rms, tmp_path):
    said = rms("lineage", "nothing", code=1)
    assert said == "rms: nothing is called 'nothing' → search for it: rms tasks WORDS, rms files WORDS\n"
    assert "there is no store here" in rms("tasks", folder=tmp_path, code=1) and not list(tmp_path.iterdir())
    assert "rms open PATH makes one" in rms("tasks", "--store", "none", folder=tmp_path, code=1)
    assert rms("sql", "SELECT * FROM nowhere", code=1).count("\n") == 1
    assert "0 done" in rms("open", "a new.rms", folder=tmp_path)
    assert "0 done" in rms("status", "--store", "a new.rms", folder=tmp_path)


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["show", "no\udcff"], "nothing is called", 1),
        (["lineage", "no\udcff"], "nothing is called", 1),
        (["logs", "no\udcff"], "nothing is called", 1),
        (["sql", "SELECT count(*) AS found FROM files WHERE path LIKE '%\udcff%'"], "0\n", 0),
        (["open", "odd\udcff.rms"], "0 done", 0),
    ],
)
def test_text_that_utf_8_cannot_hold_is_taken_as_any_other(rms, project, tmp_path, words, said, code):
    assert said in rms(*words, folder=tmp_path if words[0] == "open" else project, code=code)


@pytest.mark.parametrize(
    "words, said",
    [
        (["lineage"], "WHAT is missing"),
        (["lineag", "x"], "did you mean rms lineage?"),
        (["panel"], "it is for notebooks"),
        (["tasks", "--bogus"], "unrecognized arguments: --bogus"),
        (["sql", "--as", "polars", "SELECT 1"], "--as is for notebooks"),
        (["watch", "run_1"], "is for notebooks"),
        (["--bogus"], "the verb is missing"),
        (["completion", "cmd"], "invalid choice"),
    ],
)
def test_what_is_not_typed_as_it_should_be(words, said, capsys):
    assert main(words) == 2
    seen = capsys.readouterr()
    assert said in seen.err and seen.err.count("\n") == 1 and "%rms" not in seen.err and not seen.out


def test_help_is_grouped_and_each_verb_has_its_own(capsys):
    for words in ([], ["--help"], ["-h"]):
        assert main(words) == 0
        text = capsys.readouterr().out
        assert "Search" in text and "rms lineage" in text and "%rms" not in text and "rms panel" not in text
        assert max(map(len, text.splitlines())) <= 80
    for name in verbs("rms"):
        assert main([name, "--help"]) == main(["--store", "none", name, "-h"]) == 0
        text = capsys.readouterr().out
        assert text.startswith(f"usage: rms {name}") and f"For example: rms {name}" in text
        assert verb_named(name, "rms").parser.summary[:40] in text


CHECK = """
import sys
from rms_jupyter.cli import main
def loaded(*names):
    return [name for name in names if name in sys.modules]
for words in (["--help"], ["lineage", "--help"], ["nothing"]):
    main(words)
light = loaded("duckdb", "pandas", "IPython", "numpy", "rich", "ipywidgets")
for words in (["tasks"], ["lineage", "reads 1.bam"], ["sql", "SELECT 1"], ["show", "align"]):
    assert main(words) == 0
print(light, loaded("pandas", "IPython", "ipywidgets"))
"""


def test_help_imports_little_and_nothing_needs_a_notebook(project):
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=project, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] []"


def test_who_has_read_enough_ends_it_quietly(project):
    line = f"{sys.executable} -m rms_jupyter tasks | head -n 1"
    done = subprocess.run(["bash", "-c", line], cwd=project, capture_output=True, text=True, timeout=120)
    assert "what" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("words", ["tasks", "tasks --json", "tasks --csv", "status", "completion bash", "--help"])
def test_an_answer_that_cannot_be_written_is_said_in_a_line(project, words):
    for end, code, said in (
        (">/dev/full", 1, "rms: the answer cannot be written: No space left on device\n"),
        (">&-", 0, ""),
    ):
        line = f"{sys.executable} -m rms_jupyter {words} {end}"
        done = subprocess.run(["bash", "-c", line], cwd=project, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (code, said)


def test_shells_complete(project, tmp_path):
    for shell in ("bash", "zsh", "fish"):
        done = process("completion", shell, folder=project)
        assert done.returncode == 0 and "lineage" in done.stdout and "params" in done.stdout
        if shell == "bash":
            (tmp_path / "rms.bash").write_text(done.stdout)
    ask = f"source '{tmp_path}/rms.bash'; COMP_WORDS=(rms li); COMP_CWORD=1; _shtab_rms; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True)
    assert done.stdout.split() == ["lineage"], done.stderr


def test_a_new_flow_runs_as_it_is_and_nothing_is_overwritten(tmp_path):
    assert "python spectra/flow.py" in process("new", "spectra", folder=tmp_path).stdout
    for said in ("6 done", "6 hit"):
        done = subprocess.run([sys.executable, "spectra/flow.py"], cwd=tmp_path, capture_output=True, text=True)
        assert said in done.stdout, done.stderr
    again, wrong = process("new", "spectra", folder=tmp_path), process("new", "../x", folder=tmp_path)
    assert again.returncode == 1 and "there is spectra already" in again.stderr
    assert wrong.returncode == 1 and "is not a valid name of a flow" in wrong.stderr


def test_help_is_a_word_too(rms):
    assert rms("help") == rms("--help")
    assert rms("help", "why") == rms("why", "--help")


def test_json_and_csv_together_are_refused(rms):
    assert "--json and --csv are two forms of one answer, choose one" in rms("tasks", "--json", "--csv", code=2)


def test_a_pull_from_what_is_no_copy_is_an_error(rms, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.txt").write_text("hi")
    for name in ("photos", "nowhere"):
        assert "there is no copy of a store at" in rms("pull", str(tmp_path / name), code=1)
    assert "copy" not in rms("status")


def test_a_cell_that_pulls_from_nowhere_fails(kernel, tmp_path):
    ran = kernel.run(f"%load_ext rms_jupyter\n%rms open a.rms\n%rms pull '{tmp_path}/nowhere'")
    assert not ran.ok and "there is no copy of a store" in ran.error and "%rms push ADDRESS" in ran.shown
