"""The comparison of notebooks finds what differs, and leaves out what differs between plain runs too."""

from __future__ import annotations

import copy

import nbformat
import pytest

from tests.corpus.differences import changed_hits, differences, reruns
from tests.corpus.test_notebooks import NOTEBOOKS
from tests.corpus.watched import Shown
from tests.corpus.ways import Account, Cell, as_cell, code_cells, with_pipes

CELLS = [Cell("a", "x = f()", {}), Cell("b", "draw()", {"compare": "shape", "runs": "draws"})]


def text(text, name="stdout"):
    return {"kind": "stream", "name": name, "text": text}


def value(kind, shown, size=""):
    return {"type": kind, "shown": shown, "size": size, "all": [kind, shown]}


@pytest.fixture
def plain():
    cells = [Shown([text("took 3 ms\nsum 10\n")]), Shown([text("0.25\n")])]
    return Account(cells, {"x": value("int", "1"), "u": value("ndarray", "[3]", "(1,)")}, [["x", "y"]])


@pytest.fixture
def twin(plain):
    twin = copy.deepcopy(plain)
    twin.cells[0].outputs[0]["text"] = "took 14.5 µs\nsum 10\n"
    twin.variables["u"] = value("ndarray", "[8]", "(1,)")
    return twin


@pytest.fixture
def found(plain, twin):
    def found(change):
        here = copy.deepcopy(plain)
        change(here)
        return [f"{difference.where}: {difference.what}" for difference in differences(CELLS, here, plain, twin)]

    return found


def test_what_differs_between_plain_runs_is_left_out(found):
    def change(here):
        here.cells[0].outputs[0]["text"] = "took 1 s\nsum 10\n"
        here.cells[1].outputs[0]["text"] = "0.99\n"
        here.variables["u"] = value("ndarray", "[0]", "(1,)")

    assert found(change) == []


@pytest.mark.parametrize(
    "change, expected",
    [
        (lambda here: here.cells[0].outputs[0].update(text="took 3 ms\nsum 11\n"), "stream differs"),
        (lambda here: here.cells[0].outputs[0].update(text="it took 3 ms\nsum 10\n"), "stream differs"),
        (lambda here: here.cells[0].outputs[0].update(name="stderr"), "shows other outputs"),
        (lambda here: here.cells[0].outputs.clear(), "shows other outputs"),
        (lambda here: here.cells[1].outputs.clear(), "shows other outputs"),
        (lambda here: here.variables.update(x=value("int", "2")), "has another value"),
        (lambda here: here.variables.update(x=value("float", "1")), "has another type"),
        (lambda here: here.variables.update(u=value("ndarray", "[3]", "(2,)")), "has another type or size"),
        (lambda here: here.variables.pop("x"), "is lost"),
        (lambda here: here.variables.update(z=value("int", "1")), "is not there in a plain run"),
        (lambda here: here.aliases.clear(), "one object in a plain run, not here"),
        (lambda here: here.aliases.append(["p", "q"]), "one object here, not in a plain run"),
        (lambda here: setattr(here, "died", "the kernel died"), "the kernel died"),
    ],
)
def test_a_change_is_found(found, change, expected):
    [difference] = found(change)
    assert difference.endswith(f": {expected}")


def test_a_second_run_must_be_a_hit_or_say_why_not(plain):
    plain.cells[0].remarks += ["rms: f ran 3 times before", "f ran 2× 4 ms: code_changed g · g 2 hits, saved 1 s"]
    plain.cells[1].remarks += ["draw ran 4 ms: not_cached rng: a generator"]
    needless, needed = reruns(CELLS, plain)
    assert (needless.is_said, needless.why, needless.must) == (False, "code_changed g", "")
    assert (needed.is_said, needed.why, needed.must) == (True, "not_cached rng: a generator", "draws")


def test_a_hit_shows_what_the_run_showed(plain, twin):
    assert changed_hits(CELLS, twin, plain) == []
    twin.cells[0].remarks.append("cell_x hit, saved 4 ms")
    [difference] = changed_hits(CELLS, twin, plain)
    assert difference.where == "cell 1 (x = f())"
    for account, kernel in ((twin, 1), (plain, 2)):
        account.cells[0].outputs = [text(f"/tmp/ipykernel_{kernel}/3534314593.py:2: UserWarning: careful\n", "stderr")]
    assert changed_hits(CELLS, twin, plain) == [], "the number of the kernel is another"


def test_what_timeit_says_of_a_busy_machine_is_no_difference(plain, twin):
    doubt = "The slowest run took 5.96 times longer than the fastest. This could mean that ...\n"
    for account, before in ((plain, ""), (twin, doubt)):
        account.cells[0].outputs = [text(f"{before}864 ns ± 260 ns per loop\n")]
    found = differences(CELLS, twin, plain, plain)
    assert [difference.where for difference in found] == ["variable u"], "which is random"


def test_cells_are_rewritten():
    assert with_pipes("if a:\n    def f(): ...") == "%%rms\nif a:\n    def f(): ..."
    assert with_pipes("class A:\n    def f(self): ...") == "class A:\n    def f(self): ..."
    assert with_pipes("def f(:") == "def f(:" and with_pipes("%time f()") == "%time f()"
    assert as_cell("%time f()") == "%%rms cell\n%time f()"
    assert as_cell("%%bash\nls") == "%%bash\nls" and as_cell(" ") == " "


def test_the_notebooks_are_small_and_without_outputs():
    assert len(NOTEBOOKS) >= 40
    for path in NOTEBOOKS:
        book = nbformat.read(path, as_version=4)
        nbformat.validate(book)
        assert len(book.cells) < 25, path
        assert not any(cell.get("outputs") for cell in book.cells), path
        for cell in code_cells(path):
            assert "compare" not in cell.marks or cell.marks["reason"], f"{path}: {cell.ident} does not say why"
