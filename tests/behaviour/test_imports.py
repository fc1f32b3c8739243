"""Pipes of whole modules, and imports that give pipes."""

from __future__ import annotations

import sys

import pytest

import rms_jupyter as rms
from rms_jupyter.compat.rms import convert_import_str
from rms_jupyter.errors import RegistrationError, RmsError

IMPORTS = """
# Normal python import
from genomictools import align as a, sort
from biodata.bed import (
    count,
)
import biodata.bed as bb; import biodata.bed
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    (tmp_path / "genomictools.py").write_text(
        "K = 15\nfrom os.path import join\ndef align(x): return x * K\ndef sort(x): return _own(x)\n"
        "def _own(x): return sorted(x)\nclass Read: pass\n"
    )
    (tmp_path / "biodata").mkdir()
    (tmp_path / "biodata" / "__init__.py").write_text("")
    (tmp_path / "biodata" / "bed.py").write_text("def count(x): return len(x)\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("genomictools", "biodata", "biodata.bed"):
        sys.modules.pop(name, None)


def test_all_functions_of_a_module_are_pipes(s, modules):
    tools = s.register_module("genomictools")
    assert (tools.align(2), tools.align(2), tools.sort([2, 1]), tools.K) == (30, 30, [1, 2], 15)
    assert s.sql("SELECT pipe FROM tasks ORDER BY pipe").fetchall() == [("genomictools.align",), ("genomictools.sort",)]
    assert tools.Read.__name__ == "Read" and sys.modules["genomictools"].align(1) == 15 and "align" in dir(tools)
    for name in ("_own", "join"):
        with pytest.raises(RegistrationError, match=f"{name} is not a pipe"):
            getattr(tools, name)
    with pytest.raises(AttributeError):
        tools.nothing
    with pytest.raises(RegistrationError, match="biodata defines no function"):
        s.register_module("biodata")


def test_imports_are_converted_to_those_of_pipes(s, modules):
    s.register_module("genomictools")
    s.register_module("biodata.bed", returns="resource")
    names = {"rms": rms}
    exec(convert_import_str(IMPORTS), names)
    assert (names["a"](1), names["sort"]([3, 1])) == (15, [1, 3])
    assert names["a"].name == "genomictools.align"
    assert names["bb"].count([1]).content == names["biodata"].bed.count([1]).content == names["count"]([1]).content == 1
    assert len(s.sql("SELECT * FROM tasks").fetchall()) == 3


def test_what_is_not_a_pipe_is_refused(s, modules):
    with pytest.raises(RegistrationError, match=r"no function of biodata\.bed is a pipe"):
        s.rmsimport("biodata.bed")
    with pytest.raises(RegistrationError, match=r"genomictools\.align is not a pipe"):
        s.rmsimport("genomictools", "align")
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        s.rmsimport("genomictools", "nothing")
    assert s.rmsimport("genomictools", "K") == 15
    align = s.register_pipe(sys.modules["genomictools"].align)
    assert s.rmsimport("genomictools", "align") is align


@pytest.mark.parametrize(
    "text, message",
    [
        ("from a import *", r"from a import \* cannot be converted"),
        ("from . import a", "line 1 imports by a relative name"),
        ("import a\nimport os; os.system('x')", "line 2 is not an import"),
        ("import a b", "not valid imports"),
        ("import a\0", "not valid imports"),
    ],
)
def test_what_cannot_be_converted_is_refused(text, message):
    with pytest.raises(RmsError, match=message):
        convert_import_str(text)
