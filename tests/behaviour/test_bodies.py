"""Bodies: what a pipe runs besides functions and cells."""

import subprocess

import rms_jupyter as rms
from rms_jupyter.fingerprint.values import digest
from rms_jupyter.fingerprint.version import CodeVersion
from rms_jupyter.handles.pipe import Pipe
from rms_jupyter.model import Contract, Piece
from rms_jupyter.run.call.body import Body
from rms_jupyter.run.call.definition import Definition


class Shell(Body):
    """A command with one argument, in 15 lines."""

    def __init__(self, name, command):
        self.name, self._command = name, command

        def run(path):
            return subprocess.run(["sh", "-c", command, "sh", path], capture_output=True, text=True, check=True).stdout

        self.function = run

    def describe(self, ignore):
        return CodeVersion(digest(self._command), {"command": digest(self._command).hex()}, {"command": self._command})

    def pieces(self, name, reads):
        return {name: Piece("lost", self._command)}


def shell(s, name, command):
    pipe = Pipe(Definition(Shell(name, command), Contract()), lambda: s)
    s.define(pipe)
    return pipe


def test_a_command_is_a_pipe(s, tmp_path):
    reads = tmp_path / "reads.txt"
    reads.write_text("a\nb\n")
    assert shell(s, "count", 'wc -l < "$1"')(str(reads)).strip() == "2"
    again = shell(s, "count", 'wc -l < "$1"').lookup(str(reads))
    assert again is not None and again.content.strip() == "2" and again.task.pipe.name == "count"
    reads.write_text("a\nb\nc\n")
    assert shell(s, "count", 'wc -l < "$1"').lookup(str(reads)) is None
    assert shell(s, "count", 'wc -c < "$1"')(str(reads)).strip() == "6"
    assert "command" in str(s.why(rms.info(shell(s, "count", 'wc -c < "$1"')(str(reads)))))


def test_a_command_runs_in_plans(s, how, tmp_path):
    (tmp_path / "reads.txt").write_text("a\nb\n")
    pipe = shell(s, "count", 'wc -l < "$1"')
    with s.plan() as plan:
        lines = pipe(str(tmp_path / "reads.txt"))
    assert plan.run(**how).counts == {"done": 1} and rms.value(lines).strip() == "2"
