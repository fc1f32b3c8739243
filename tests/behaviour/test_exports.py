"""Exports: what made a result, written down, makes it again in an interpreter that does not know this package."""

import collections
import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import json
import logging
import math
import os
import pathlib
import pickle
import subprocess
import sys
import textwrap
import xml.etree.ElementTree
from typing import NamedTuple

import nbformat
import numpy as np
import pandas as pd
import polars as pl
import pytest
from nbclient import NotebookClient

import rms_jupyter as rms
from tests import warm

_RUN = """
import pickle, runpy, sys
for name in ("rms_jupyter", "cloudpickle", "msgspec", "xxhash"):
    sys.modules[name] = None
result = runpy.run_path(sys.argv[1], run_name="__main__")["result"]
open(sys.argv[2], "wb").write(pickle.dumps(result))
"""


def run_clean(path, folder="/"):
    """Run a script where this package cannot be imported; gives what it prints."""
    ran = warm.run_script(_RUN.replace("open(", "0 and open("), path, folder=folder)
    assert ran.returncode == 0, ran.stderr + "\n" + pathlib.Path(path).read_text()
    return ran.stdout, ran.stderr


def run_in_new_interpreter(code, *arguments):
    command = [sys.executable, "-I", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


def again(s, what, tmp_path, name="again.py", run=warm.run_script):
    """Export, run in an interpreter that is clean but for pandas, or in a new one; gives the value."""
    path = s.export(what, dest=tmp_path / "exported" / name)
    out = tmp_path / "value.pickle"
    ran = run(_RUN, path, str(out))
    assert ran.returncode == 0, ran.stderr + "\n" + pathlib.Path(path).read_text()
    assert "not as recorded" not in ran.stderr
    return pickle.loads(out.read_bytes())


CUTOFF = 30
RATES = [1.5, float("inf")]
log = logging.getLogger("exported")


def load(n, start=0):
    return list(range(start, n))


def over(xs, times=1):
    return [x for x in xs if x > limit(times)]


def limit(times):
    log.info("asked")
    return CUTOFF * times


# K3 ---------------------------------------------------------------------------------------------------------------


def test_a_chain_of_calls_with_helpers_and_globals(s, tmp_path):
    load_, over_ = s.register_pipe(load), s.register_pipe(over)
    r = over_(load_(35))
    assert r.content == [31, 32, 33, 34]
    assert again(s, r, tmp_path, run=run_in_new_interpreter) == r.content
    text = s.export(r, "script")
    assert "load_1 = load(n=35, start=0)" in text and "over_1 = over(xs=load_1, times=1)" in text
    assert "CUTOFF = 30" in text and "rms_jupyter" not in text.split("\n", 1)[1]
    assert r.digest in text


def test_the_value_of_a_global_is_that_of_each_call(s, tmp_path, monkeypatch):
    over_ = s.register_pipe(over)
    join = s.register_pipe(lambda *parts: parts, name="join")
    first = over_([31, 41, 51])
    monkeypatch.setitem(globals(), "CUTOFF", 40)
    second = over_([31, 41, 51])
    monkeypatch.setitem(globals(), "CUTOFF", 50)
    r = join(first, second, over_([31, 41, 51]))
    assert again(s, r, tmp_path) == ([31, 41, 51], [41, 51], [51])


def test_globals_that_json_does_not_hold(s, tmp_path):
    r = s.register_pipe(lambda: (RATES, TABLE["a"].tolist(), WHEN), name="read")()
    assert again(s, r, tmp_path) == ([1.5, math.inf], [0, 1, 2], WHEN)


TABLE = {"a": np.arange(3)}
WHEN = datetime.datetime(2020, 5, 17, 12, tzinfo=datetime.UTC)


def test_two_versions_of_a_function_get_two_names(s, tmp_path):
    def made(text):
        path = tmp_path / f"cell_{len(text)}.py"
        path.write_text(textwrap.dedent(text))
        space = {"__name__": "__main__"}
        exec(compile(path.read_text(), str(path), "exec"), space)
        return space

    one = made("def half(x): return x / 2\ndef late(x): return half(x) + 1")
    two = made("def half(x): return x // 2\ndef late(x):\n    # newer\n    return [half(x + n) for n in (0, 1)]")
    a = s.register_pipe(one["late"])(7)
    b = s.register_pipe(two["late"])(a)
    c = s.register_pipe(lambda late, half: (late, half), name="half")(a, b)
    assert again(s, c, tmp_path) == (4.5, [2.0, 2.0])
    text = s.export(c, "script")
    assert "def late_v2(" in text and "# newer" in text and "late_2 = late_v2(x=late_1)" in text


def test_results_inside_lists_and_items_of_results(s, tmp_path):
    load_ = s.register_pipe(load)
    total = s.register_pipe(lambda parts, scale: sum(map(sum, parts["all"])) * scale, name="total")
    pair = s.register_pipe(lambda: ([1.25, 2.5], 1234567.5), name="pair")
    whole = pair().content
    r = total({"all": [load_(3), [10], load_(4)]}, whole[1])
    assert again(s, r, tmp_path) == (3 + 10 + 6) * 1234567.5
    assert "pair_1[1]" in s.export(r, "script") and "'all': [load_1, [10], load_2]" in s.export(r, "script")


def test_plain_values_of_results_inside_lists_are_made_again(s, tmp_path):
    ones = s.register_pipe(lambda n: np.ones(n), name="ones")
    stack = s.register_pipe(lambda arrays: np.stack(arrays), name="stack")
    r = stack([ones(3).content, ones(3).content, np.zeros(3)])
    assert (again(s, r, tmp_path) == [[1, 1, 1], [1, 1, 1], [0, 0, 0]]).all()
    assert "ones_1" in pathlib.Path(tmp_path / "exported/again.py").read_text()


def test_what_one_function_changes_another_does_not_see(s, tmp_path):
    load_ = s.register_pipe(load)
    grown = s.register_pipe(lambda xs: (xs.append(99), xs)[1], name="grown")
    join = s.register_pipe(lambda a, b, c: (a, b, c), name="join")
    xs = load_(2)
    r = join(grown(xs), grown(xs), xs)
    assert r.content == ([0, 1, 99], [0, 1, 99], [0, 1])
    assert again(s, r, tmp_path) == r.content


# Kinds of functions -----------------------------------------------------------------------------------------------


class Mode(enum.Enum):
    FAST = "fast"


@dataclasses.dataclass
class Params:
    """What is wanted."""

    cutoff: int = CUTOFF
    mode: Mode = Mode.FAST
    extra: list = dataclasses.field(default_factory=list)

    def applies(self, x):
        return x > self.cutoff and self.mode is Mode.FAST


class Base:
    def __init__(self, n):
        self.n = n

    @property
    def double(self):
        return self.n * 2


class Derived(Base):
    step = 3

    def __init__(self, n):
        super().__init__(n + self.step)

    @classmethod
    def of(cls, n):
        return cls(n).double

    def plus(self, m):
        return self.double + m


def twice(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) * 2

    return wrapper


@twice
def decorated(x, *, by=RATES[0]):
    return x + by


@functools.cache
def remembered(n):
    return n if n < 2 else remembered(n - 1) + remembered(n - 2)


@contextlib.contextmanager
def around(n):
    yield [n]


def scaled(factor, offset):
    def scale(x):
        return x * factor + offset[0]

    return scale


triple = scaled(3, [1])
quadruple = scaled(4, [2])


def defaults(x, table=TABLE, when=WHEN, mode=Mode.FAST, f=limit):
    return x, table["a"].sum().item(), when, mode.value, f(2)


def positional(a, /, b, *rest, c=1, **more):
    return a, b, rest, c, sorted(more.items())


def parse_xml(text):
    return xml.etree.ElementTree.fromstring(text).tag


def uses_classes(n):
    return Params(cutoff=n).applies(31), Derived(n).double, Derived.of(2), Params().extra


def uses_wrappers(n):
    with around(n) as [m]:
        return decorated(m), remembered(20), triple(n), quadruple(n)


def recursive(n):
    return 1 if n < 2 else n * other(n - 1)


def other(n):
    return recursive(n)


def imports_inside(n):
    import statistics
    from fractions import Fraction as F

    return statistics.mean([n, n + 1]), F(n, 3)


def divmod(xs):
    return len(xs)


def shadows_a_builtin(xs):
    return divmod(xs), max(xs)


def changes_a_global(n):
    global CUTOFF_SEEN
    CUTOFF_SEEN = n
    return f"{CUTOFF_SEEN:>{limit(0) + 5}} é {'nested'!r}"


Point = collections.namedtuple("Point", "x y")


class Place(NamedTuple):
    x: int
    y: int = 2


def uses_tuples(place):
    return Point(*place), Place(1)._replace(y=place.x)


def keeps_count(xs):
    total = 0

    def add(x):
        nonlocal total
        total += x

    for x in xs:
        add(x)
    return total


CALLS = {
    "classes": (uses_classes, (5,), {}),
    "wrappers": (uses_wrappers, (7,), {}),
    "decorated": (decorated, (1,), {"by": 2}),
    "closure": (triple, (5,), {}),
    "lambda": (lambda x, y=CUTOFF: x + y, (5,), {}),
    "partial": (functools.partial(positional, 1, c=5), (2, 3), {"z": 1}),
    "method": (Derived(3).plus, (4,), {}),
    "classmethod": (Derived.of, (4,), {}),
    "defaults": (defaults, (1,), {}),
    "positional": (positional, (1, 2, 3, 4), {"c": 5, "d": 6}),
    "odd keywords": (positional, (1, 2), {"not a name": 3, "class": 4}),
    "submodule": (parse_xml, ("<a b='c'/>",), {}),
    "recursive": (recursive, (6,), {}),
    "imports": (imports_inside, (7,), {}),
    "shadow": (shadows_a_builtin, ([4, 5],), {}),
    "global": (changes_a_global, (3,), {}),
    "builtin": (math.hypot, (3, 4), {}),
    "numpy": (np.linspace, (0, 1, 5), {}),
    "function argument": (lambda f, g, xs: [f(g(x)) for x in xs], (triple, lambda x: x + CUTOFF, [1, 2]), {}),
    "partial argument": (lambda f: f(2), (functools.partial(positional, 1, c=3),), {}),
    "type argument": (lambda t, e: (t(5).applies(6), e.value), (Params, Mode.FAST), {}),
    "instance argument": (lambda p, n: (p.applies(40), p.cutoff, n.double), (Params(39), Derived(2)), {}),
    "tuples": (lambda place: [list(x) for x in uses_tuples(place)], (Place(5),), {}),
    "nonlocal": (keeps_count, ([1, 2],), {}),
    "module argument": (lambda m: m.sqrt(4), (math,), {}),
}


@pytest.mark.parametrize("case", CALLS)
def test_functions_of_every_kind(case, s, tmp_path):
    function, args, kwargs = CALLS[case]
    pipe = s.register_pipe(function, name="asked")
    r = pipe(*args, **kwargs)
    expected = rms.value(r)
    found = again(s, r, tmp_path)
    assert type(found) is type(expected) and repr(found) == repr(expected)


VALUES = [
    *(None, True, -7, 10**30, 0.1, math.nan, -math.inf, 1 - 2j, "", b"\x00'\"", "a'b\"c\n\\ \u202e é 😀 \x00", "x" * 5000),
    *([], (), {}, set(), frozenset(), [(1,), {2}], {"a": {1: [None]}}, {(1, 2): frozenset({3})}, list(range(5000))),
    *(range(3), slice(1, None), ..., pathlib.Path("a'b"), datetime.date(2020, 1, 2), WHEN, datetime.timedelta(1, 2)),
    *(decimal.Decimal("1.10"), np.float32(0.1), np.int8(3), np.datetime64("2020-01-01"), bytearray(b"ab")),
    *(collections.OrderedDict(a=1), collections.Counter("aab"), int, len, math.sin),
    "'''\"\"\"\\", "{braces} %s $x", "\ud800", "coding: utf-7 +AAo-raise é", "#!x",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda v: ascii(v)[:30])
def test_values_of_every_kind(value, s, tmp_path):
    same = s.register_pipe(lambda x, tag: [x, tag], name="same")
    found, tag = again(s, same(value, 1), tmp_path)
    assert type(found) is type(value) and tag == 1
    assert repr(found) == repr(value)


def test_arrays_and_frames_are_written_beside_the_script(s, tmp_path):
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"]}, index=pd.Index([5, 6, 7], name="i"))
    odd = pd.DataFrame({("a", 1): pd.Categorical(["x", "y"]), ("b", 2): [1j, 2]})
    table = pl.DataFrame({"a": [1, 2], "b": [[1], None]})
    array = np.arange(10_000).reshape(100, 100)
    join = s.register_pipe(lambda *parts: parts, name="join")
    size = s.register_pipe(lambda part, n=0: (part, n), name="size")
    r = join(*[size(x) for x in (frame, odd, table, array)])
    found = again(s, r, tmp_path, run=run_in_new_interpreter)
    pd.testing.assert_frame_equal(found[0][0], frame)
    pd.testing.assert_frame_equal(found[1][0], odd)
    assert found[2][0].equals(table) and (found[3][0] == array).all()
    suffixes = {path.suffix for path in (tmp_path / "exported/again_inputs").iterdir()}
    assert suffixes == {".parquet", ".pickle", ".npy"}
    with pytest.raises(rms.RmsError, match="files beside"):
        s.export(r, "script")


def test_figures_run(s, tmp_path):
    def draw(xs):
        import matplotlib

        matplotlib.use("agg")
        from matplotlib.figure import Figure

        figure = Figure()
        figure.subplots().plot(xs)
        return figure

    path = s.export(s.register_pipe(draw)([1, 2]), dest="figure.py")
    assert "Figure(" in run_clean(path)[0]


def test_a_generator_is_made_for_each_use(s, tmp_path):
    def count(n):
        yield from range(n)

    count_, add = s.register_pipe(count), s.register_pipe(lambda a, xs=(): [a, *xs], name="add")
    numbers = count_(3)
    r = add(add(1, numbers), numbers)
    assert again(s, r, tmp_path) == r.content == [[1, 0, 1, 2], 0, 1, 2]


def test_names_do_not_collide(s, tmp_path):
    (tmp_path / "cell.py").write_text(
        textwrap.dedent("""
        import math as os, json as check_files
        late_1 = 5
        def result(INPUTS, load_1=0):
            late_2 = check_files.dumps(INPUTS)
            return late_2, os.floor(late_1), f"{late_1 + load_1}"
        def print(path):
            with open(path) as file:
                return [file.read(), late_1]
        class late:
            def __init__(self, x): self.x = x
            def __call__(self, print=3): return self.x, print, late, late_1
        def make(late):
            return late(2)()[:2], result(late_1)
    """)
    )
    space = {"__name__": "__main__"}
    exec(compile((tmp_path / "cell.py").read_text(), str(tmp_path / "cell.py"), "exec"), space)
    result, shown, make = (s.register_pipe(space[name]) for name in ("result", "print", "make"))
    join = s.register_pipe(lambda *late_1: late_1, name="late")
    r = join(result([1]), shown("cell.py"), make(space["late"]), join(result(result([2]))))
    assert repr(again(s, r, tmp_path)) == repr(r.content)


def test_the_text_of_nested_functions_keeps_its_strings(s, tmp_path):
    if True:

        def query(n):
            """Ask."""
            return f"""SELECT {n}
                FROM x""", "a\
    b", ("c"
"d")  # fmt: skip

    r = s.register_pipe(query)(1)
    assert again(s, r, tmp_path) == r.content == ("SELECT 1\n                FROM x", "a    b", "cd")


# Files ------------------------------------------------------------------------------------------------------------


def read(path):
    with open(path) as file:
        return file.read()


def write(text, path):
    with open(path, "w") as file:
        file.write(text.upper())


@pytest.mark.parametrize("name", ["plain.txt", "'; import os #", 'quote".txt', "new\nline.txt", "é 😀\\{x}.txt"])
def test_files_as_inputs_and_outputs(name, s, tmp_path):
    source = tmp_path / name
    source.write_text("hello")
    write_, read_ = s.register_pipe(write, outputs=["path"]), s.register_pipe(read)
    r = read_(write_(read_(name), str(tmp_path / f"out {name}")))
    assert r.content == "HELLO"
    (tmp_path / f"out {name}").unlink()
    assert again(s, r, tmp_path, f"{name}.py") == "HELLO"
    assert again(s, r.task and write_(read_(name), str(tmp_path / f"out {name}")), tmp_path) == str(
        tmp_path / f"out {name}"
    )
    source.write_text("HELLO there")
    path = str(tmp_path / "exported" / f"{name}.py")
    ran = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, cwd="/")
    assert ran.returncode and "has 11 bytes, not 5" in ran.stderr


def test_another_content_of_the_same_size_is_noticed(s, tmp_path):
    (tmp_path / "in.txt").write_text("hello")
    path = s.export(s.register_pipe(read)(s.register_file("in.txt")), dest="again.py")
    (tmp_path / "in.txt").write_text("hallo")
    ran = subprocess.run([sys.executable, "-I", path], capture_output=True, text=True, cwd="/")
    assert ran.returncode and "in.txt has another content" in ran.stderr


def test_a_file_named_in_the_code(s, tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    r = s.register_pipe(lambda: pathlib.Path("table.csv").read_text(), name="table")()
    assert again(s, r, tmp_path) == "a\n1\n"


def test_local_modules(s, tmp_path, monkeypatch):
    (tmp_path / "helping.py").write_text("LIMIT = 3\nimport math as m\ndef clean(x):\n    return _inner(x) + LIMIT\n"
                                         "def _inner(x):\n    return m.floor(x)\n")  # fmt: skip
    (tmp_path / "late_loaded.py").write_text("import deeper\ndef f(x):\n    return deeper.g(x)\n")
    (tmp_path / "deeper.py").write_text("def g(x):\n    return -x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    space = {"__name__": "__main__"}
    path = tmp_path / "cell.py"
    path.write_text("import helping\nfrom helping import clean as tidy\nLIMIT = 100\ndef late(x):\n"
                    "    import late_loaded\n    return helping.clean(x), tidy(x), helping.LIMIT, LIMIT, late_loaded.f(x)\n")  # fmt: skip
    exec(compile(path.read_text(), str(path), "exec"), space)
    late = s.register_pipe(space["late"])
    first = late(1.5)
    space["helping"].LIMIT = 4
    r = s.register_pipe(lambda a, b: (a, b), name="join")(first, late(1.5))
    assert r.content == ((4, 4, 3, 100, -1.5), (5, 5, 4, 100, -1.5))
    for name in ("helping", "late_loaded", "deeper"):
        sys.modules.pop(name, None)
        (tmp_path / f"{name}.py").unlink()
    assert again(s, r, tmp_path) == r.content


# Where it is written ----------------------------------------------------------------------------------------------


def test_only_its_own_unchanged_exports_are_replaced(s, tmp_path):
    r = s.register_pipe(load)(3)
    for name in ("a.py", "a.ipynb", "a.dot"):
        path = tmp_path / name
        assert s.export(r, dest=path) == str(path)
        s.export(r, dest=path)
        path.write_text(path.read_text().replace("load", "loud"))
        with pytest.raises(rms.OverwriteError, match="is there already"):
            s.export(r, dest=path)
        s.export(r, dest=path, overwrite=True)
        assert "loud" not in path.read_text()
    (tmp_path / "mine.py").write_bytes(b"\xff")
    with pytest.raises(rms.OverwriteError):
        s.export(r, dest="mine.py")
    assert (tmp_path / "mine.py").read_bytes() == b"\xff"
    with pytest.raises(rms.RmsError, match="is a directory"):
        s.export(r, "script", tmp_path)
    assert not list(tmp_path.glob(".*.py*"))


def test_formats(s, tmp_path):
    r = s.register_pipe(load)(3)
    with pytest.raises(rms.RmsError, match="format 'svg' is not known") as error:
        s.export(r, "svg")
    assert "script, notebook, dot" in error.value.hint
    for bad in ({}, {"dest": "x.txt"}):
        with pytest.raises(rms.RmsError, match="format"):
            s.export(r, **bad)
    assert s.export(r, "script", "x.txt") == str(tmp_path / "x.txt")


def test_a_graph_with_hostile_labels(s):
    odd = s.register_pipe(lambda text: text, name="odd")
    text = s.export(odd('"]; evil [label="x\\'), "dot")
    assert text.startswith("// Exported") and text.rstrip().endswith("}")
    for line in text.splitlines():
        bare = line.replace("\\\\", "").replace('\\"', "")
        assert bare.count('"') % 2 == 0 and "evil" not in "".join(bare.split('"')[::2])


# What cannot be exported ------------------------------------------------------------------------------------------


def test_what_is_not_deterministic_is_loaded_and_said(s, tmp_path):
    now = s.register_pipe(lambda: {"pid": os.getpid()}, name="now", deterministic=False)
    keep = s.register_pipe(lambda x: x["pid"], name="keep")
    r = keep(now())
    assert again(s, r, tmp_path) == os.getpid()
    assert "now() cannot be written down: it is declared as not deterministic" in s.export(r, "script")
    with pytest.raises(rms.RmsError, match=r"now\(\) cannot be written down: it is declared as not deterministic"):
        s.export(now(), "script")


def test_what_is_missing_is_named(s, monkeypatch):
    same = s.register_pipe(lambda x, y=0: 1, name="same")
    space = {"__name__": "__main__"}
    exec("def nowhere(x): return x\nclass Nowhere: pass", space)
    monkeypatch.setattr(sys.modules["__main__"], "Nowhere", space["Nowhere"], raising=False)
    unkept = s.register_pipe(lambda x: 1, name="unkept", ignore="x")
    for result, said in [
        (s.register_pipe(space["nowhere"])(1), "nowhere.* cannot be written down: nowhere: its source is not known"),
        (same(space["Nowhere"]()), r"x of same.* cannot be exported: Nowhere: its source is not known"),
        (same(space["nowhere"]), r"x of same.* cannot be exported: nowhere: its source is not known"),
        (same(np.zeros(20_000_000)), r"x of same.* was not kept"),
        (unkept(x for x in [1]), r"unkept.* cannot be exported: its argument x .* was not kept"),
    ]:
        with pytest.raises(rms.RmsError, match=said) as error:
            s.export(result, "script")
        assert error.value.hint


def test_a_file_that_was_registered_is_not_exported(s, tmp_path):
    (tmp_path / "in.txt").write_text("x")
    with pytest.raises(rms.RmsError, match="registered or given"):
        s.export(s.register_file("in.txt"), "script")


def test_an_export_from_another_kernel(s, reopen, tmp_path):
    r = s.register_pipe(over)(s.register_pipe(load)(35))
    second = reopen(s)
    assert again(second, r.id, tmp_path) == [31, 32, 33, 34]
    second.close()


# Notebooks and magics ---------------------------------------------------------------------------------------------


def test_a_notebook_gives_the_same_value(s, tmp_path):
    join = s.register_pipe(lambda xs, big, text: (xs, int(big.sum()), text), name="join")
    r = join(s.register_pipe(over)(s.register_pipe(load)(35)), np.arange(1000), "<b>*x*</b> `\n# é")
    path = s.export(r, dest=tmp_path / "out" / "a 'b'.ipynb")
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert book.cells[0].cell_type == "markdown" and "<b>" not in book.cells[0].source
    block = "import sys\nsys.modules['rms_jupyter'] = None"
    book.cells.insert(1, nbformat.v4.new_code_cell(block))
    NotebookClient(book, resources={"metadata": {"path": str(tmp_path / "out")}}, timeout=120).execute()
    assert book.cells[-1].outputs[-1].data["text/plain"] == repr(r.content)
    assert "over_1 = over(xs=load_1, times=1)" in [cell.source.splitlines()[-1] for cell in book.cells if cell.source]


def test_the_magic(kernel, tmp_path):
    kernel.run("""%%rms
import math
CUTOFF = 30
def load(n):
    return [CUTOFF * i for i in range(n)]  # as written
class Box:
    def __init__(self, x): self.x = x
def late(xs):
    return math.fsum(Box(x).x for x in xs)
delayed = late(load(5))
""")
    ran = kernel.run("%rms export delayed --format script out.py")
    assert ran.ok and f"written to {tmp_path / 'out.py'}" in ran.text
    assert "# as written" in (tmp_path / "out.py").read_text()
    assert run_clean(str(tmp_path / "out.py"))[0] == "300.0\n"
    ran = kernel.run("%rms export late out.ipynb")
    assert json.loads((tmp_path / "out.ipynb").read_text())["nbformat"] == 4
    (tmp_path / "mine.py").write_text("x")
    ran = kernel.run("%rms export delayed mine.py")
    assert not ran.ok and "is there already" in ran.error and "--overwrite" in ran.error
    assert "digraph" in kernel.run("%rms export delayed --format dot").text
    assert "delayed" in kernel.complete("%rms export del") and "--format" in kernel.complete("%rms export --f")


def test_cells_as_pipes(kernel, tmp_path):
    kernel.run("import rms_jupyter\nn, xs = 3, [1, 2]")
    ran = kernel.run(
        "%%rms cell first -i n,xs -o c,d\nimport math\ndef f(x):\n    return math.sqrt(x) + n\nc = f(4) * n\nd = [c]\nxs.append(n)\nc"
    )
    assert ran.ok, ran.error
    ran = kernel.run("%%rms cell second -i xs,d -o e\ne = xs + d")
    assert ran.ok, ran.error
    assert kernel.value("e") == "[1, 2, 3, 15.0]"
    ran = kernel.run("%rms export e out.py")
    assert ran.ok, ran.error
    assert run_clean(str(tmp_path / "out.py"))[0] == "[1, 2, 3, 15.0]\n"
    ran = kernel.run("%rms export second both.py")
    assert ran.ok, ran.error
    assert run_clean(str(tmp_path / "both.py"))[0] == "{'e': [1, 2, 3, 15.0]}\n"
