"""Does a call run again when what it depends on around it is another: options of libraries, the environment of programs?"""

import calendar
import codecs
import collections.abc
import contextlib
import copyreg
import csv
import getpass
import io
import logging
import mimetypes
import os
import pickle
import shutil
import socket
import sqlite3
import subprocess
import sys

import pandas as pd
import pytest

import rms_jupyter as rms
from rms_jupyter.fingerprint import registered


@pytest.fixture
def s(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with rms.Session(tmp_path / "x.rms") as session:
        yield session


@contextlib.contextmanager
def variable(name, value):
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


@contextlib.contextmanager
def attribute(thing, name, value):
    before = getattr(thing, name)
    setattr(thing, name, value)
    try:
        yield
    finally:
        setattr(thing, name, before)


def check(s, function, changed):
    """Ask as things are, as they are in `changed`, and as they were."""
    first, pipe = function(), s.pipe(function)
    assert pipe() == pipe() == first
    with changed():
        assert pipe() == function() != first
        assert pipe() == function()
    assert pipe() == first
    assert len(s.tasks()) == 2


def scaled():
    from sklearn.preprocessing import StandardScaler

    return type(StandardScaler().fit_transform(pd.DataFrame({"a": [1.0, 2.0]}))).__name__


def with_attributes():
    import xarray as xr

    return (xr.DataArray([1.0], attrs={"unit": "m"}) + 1).attrs


def printed_by_xarray():
    import xarray as xr

    return str(xr.Dataset({f"v{i}": i for i in range(9)}))


def root():
    import mpmath

    return str(mpmath.sqrt(2))


def asked_of_sympy():
    import sympy

    return str(sympy.ask(sympy.Q.positive(sympy.Symbol("x"))))


def printed_by_polars():
    import polars as pl

    return str(pl.DataFrame({"a": range(9)}))


def printed_by_pint():
    import pint

    return str(pint.application_registry.Quantity(1, "inch"))


def hubble():
    from astropy.cosmology import default_cosmology

    return default_cosmology.get().H0.value


def drawn_by_plotly():
    import plotly.graph_objects as go

    return go.Figure().layout.template.to_plotly_json()


def drawn_by_pandas():
    import matplotlib.pyplot as plt

    [line] = pd.Series([1, 2]).plot().lines
    plt.close()
    return line.get_linewidth()


def coloured_by_seaborn():
    import seaborn

    return seaborn.color_palette()[0]


def sniffed():
    return mimetypes.guess_type("a.rms-probe")


def read_by_dialect():
    try:
        return list(csv.reader(io.StringIO("a;b"), "rms-probe"))
    except csv.Error:
        return "none of that name"


def read_by_csv():
    try:
        return len(list(csv.reader(io.StringIO("a" * 50))))
    except csv.Error:
        return "too long"


def deepest():
    try:
        return _down(1500)
    except RecursionError:
        return "too deep"


def _down(n):
    return n and _down(n - 1)


def digits():
    try:
        return len(str(10**5000))
    except ValueError:
        return "too many"


def waits():
    with socket.socket() as made:
        return made.gettimeout()


def is_logged():
    return logging.getLogger("rms-probe").isEnabledFor(logging.INFO)


def called():
    return logging.getLevelName(27)


def weeks():
    return calendar.month(2026, 1)


def coloured_by_name():
    import matplotlib

    return tuple(matplotlib.colormaps["rms-probe"](0.0)) if "rms-probe" in matplotlib.colormaps else ()


def chunks():
    import dask.array

    return dask.array.ones((3000, 3000)).chunks


class Place:
    def __init__(self, name="home"):
        self.name = name


def kept_in_a_database():
    try:
        return sqlite3.connect(":memory:").execute("SELECT ?", (Place(),)).fetchone()
    except sqlite3.Error:
        return "of no kind that SQLite knows"


def read_from_a_database():
    opened = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_COLNAMES)
    return opened.execute('SELECT "a" AS "n [rms_probe]"').fetchone()


def there_and_back():
    return pickle.loads(pickle.dumps(Place())).name


def spelled():
    try:
        return "abc".encode("rms_probe")
    except LookupError:
        return "no codec of that name"


def spelled_without_mistakes():
    try:
        return "\u00e4".encode("ascii", errors="rms-probe")
    except LookupError:
        return "nothing of that name is done"


def is_a_sequence():
    return isinstance(Place(), collections.abc.Sequence)


def by(module, name, *args, **kwargs):
    """Put off the import of a library until a test needs it."""
    return lambda: getattr(pytest.importorskip(module), name)(*args, **kwargs)


@contextlib.contextmanager
def assumed():
    from sympy import Q, Symbol
    from sympy.assumptions import global_assumptions

    global_assumptions.add(Q.positive(Symbol("x")))
    try:
        yield
    finally:
        global_assumptions.clear()


def short_units():
    pint = pytest.importorskip("pint")
    pint.application_registry.get().Quantity(1)
    return attribute(pint.application_registry.get().formatter, "default_format", "~P")


def another_cosmology():
    cosmology = pytest.importorskip("astropy.cosmology")
    return cosmology.default_cosmology.set(cosmology.WMAP9)


@contextlib.contextmanager
def put(put, take_back):
    put()
    try:
        yield
    finally:
        take_back()


def another_type():
    return put(
        lambda: mimetypes.add_type("x/rms", ".rms-probe"), lambda: mimetypes._db.types_map[True].pop(".rms-probe")
    )


def another_dialect():
    return put(lambda: csv.register_dialect("rms-probe", delimiter=";"), lambda: csv.unregister_dialect("rms-probe"))


def set_to(function, value, before):
    return lambda: put(lambda: function(value), lambda: function(before))


def another_adapter():
    return put(
        lambda: sqlite3.register_adapter(Place, lambda place: place.name),
        lambda: sqlite3.adapters.pop((Place, sqlite3.PrepareProtocol)),
    )


def another_converter():
    return put(
        lambda: sqlite3.register_converter("rms_probe", lambda data: data * 2),
        lambda: sqlite3.converters.pop("RMS_PROBE"),
    )


def another_way_to_pickle():
    return put(
        lambda: copyreg.pickle(Place, lambda place: (Place, ("away",))), lambda: copyreg.dispatch_table.pop(Place)
    )


def another_codec():
    def find(name):
        return codecs.CodecInfo(lambda text, errors="": (b"mine", 3), None, name=name) if name == "rms_probe" else None

    return put(lambda: codecs.register(find), lambda: codecs.unregister(find))


def another_colormap():
    matplotlib = pytest.importorskip("matplotlib")
    lab = matplotlib.colors.ListedColormap(["red", "blue"], name="rms-probe")
    return put(lambda: matplotlib.colormaps.register(lab), lambda: matplotlib.colormaps.unregister("rms-probe"))


OPTIONS = [
    (scaled, by("sklearn", "config_context", transform_output="pandas")),
    (with_attributes, by("xarray", "set_options", keep_attrs=False)),
    (printed_by_xarray, by("xarray", "set_options", display_max_rows=3)),
    (root, lambda: pytest.importorskip("mpmath").workdps(30)),
    (asked_of_sympy, assumed),
    (printed_by_polars, by("polars", "Config", tbl_rows=3)),
    (printed_by_pint, short_units),
    (hubble, another_cosmology),
    (drawn_by_plotly, lambda: attribute(pytest.importorskip("plotly.io").templates, "default", "plotly_dark")),
    (drawn_by_pandas, by("matplotlib", "rc_context", {"lines.linewidth": 7})),
    (coloured_by_seaborn, by("seaborn", "color_palette", "Set2")),
    (coloured_by_name, another_colormap),
    (chunks, lambda: pytest.importorskip("dask.config").set({"array.chunk-size": "1MiB"})),
    (sniffed, another_type),
    (read_by_dialect, another_dialect),
    (read_by_csv, set_to(csv.field_size_limit, 5, 131_072)),
    (deepest, set_to(sys.setrecursionlimit, 3000, sys.getrecursionlimit())),
    (digits, set_to(sys.set_int_max_str_digits, 0, 4300)),
    (waits, set_to(socket.setdefaulttimeout, 5, None)),
    (called, lambda: put(lambda: logging.addLevelName(27, "NOTICE"), lambda: logging._levelToName.pop(27))),
    (weeks, set_to(calendar.setfirstweekday, calendar.SUNDAY, calendar.MONDAY)),
    (kept_in_a_database, another_adapter),
    (read_from_a_database, another_converter),
    (there_and_back, another_way_to_pickle),
    (spelled, another_codec),
    (is_logged, set_to(logging.getLogger("rms-probe").setLevel, logging.INFO, logging.NOTSET)),
]


@pytest.mark.parametrize(("function", "changed"), OPTIONS, ids=[function.__name__ for function, _ in OPTIONS])
def test_options_of_libraries_are_inputs(s, function, changed):
    check(s, function, changed)


@pytest.mark.parametrize(
    ("function", "changes"),
    [
        (spelled_without_mistakes, lambda: codecs.register_error("rms-probe", lambda error: ("a", error.end))),
        (is_a_sequence, lambda: collections.abc.Sequence.register(Place)),
    ],
)
def test_what_is_registered_for_good_is_an_input(s, function, changes, monkeypatch):
    monkeypatch.setattr(registered, "adopted", {})  # It stays an input of all that this process does.
    before, pipe = function(), s.pipe(function)
    assert pipe() == pipe() == before
    changes()
    assert pipe() == pipe() == function() != before
    assert len(s.tasks()) == 2


def test_what_a_cell_registers_is_an_input(kernel):
    kernel.run("import random, collections.abc")
    kernel.run("class Cards:\n    def __len__(self): return 3\n    def __getitem__(self, n): return (0, 1, 2)[n]")
    plainly = (
        "try:\n        return sorted(random.sample(Cards(), 3))\n    except TypeError:\n        return 'no sequence'"
    )
    kernel.run(f"%%rms\ndef f():\n    {plainly}")
    assert kernel.value("f()") == "'no sequence'"
    kernel.run("collections.abc.Sequence.register(Cards)")
    assert kernel.value("f()") == "[0, 1, 2]"


def told_by_a_shell():
    return subprocess.check_output(["sh", "-c", "echo $(printenv RMS_PROBE)"])


def told_by_a_program():
    return subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ.get('RMS_PROBE'))"], capture_output=True
    ).stdout


def told_by_system():
    return os.system('test "$(printenv RMS_PROBE)" = 7')


@pytest.mark.parametrize("function", [told_by_a_shell, told_by_a_program, told_by_system])
def test_programs_inherit_the_environment(s, function):
    check(s, function, lambda: variable("RMS_PROBE", "7"))


def test_another_program_of_the_name_is_found_by_another_path(s, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        tool = tmp_path / name / "rms-tool"
        tool.write_text(f"#!/bin/sh\necho {name}\n")
        tool.chmod(0o755)
    with variable("PATH", f"{tmp_path}/a:{os.environ['PATH']}"):
        other = f"{tmp_path}/b:{os.environ['PATH']}"
        check(s, lambda: subprocess.check_output("rms-tool"), lambda: variable("PATH", other))


def width():
    return shutil.get_terminal_size().columns


def user():
    return getpass.getuser()


@pytest.mark.parametrize(("function", "name"), [(width, "COLUMNS"), (user, "LOGNAME")])
def test_variables_that_functions_of_python_ask_for_are_inputs(s, function, name):
    check(s, function, lambda: variable(name, "77"))


PUT = {
    "a constant": ("import scipy.constants", "x * scipy.constants.c", "scipy.constants.c", "3"),
    "a constant by another name": ("from scipy import constants as C", "x * C.c", "C.c", "3"),
    "a constant of a module in C": ("import math", "x * math.pi", "math.pi", "3"),
    "a method that other code of the package calls": (
        "import pprint",
        "pprint.pformat(x)",
        "pprint.PrettyPrinter.pformat",
        "lambda self, value: 'mine'",
    ),
    "by a class that was imported": (
        "import textwrap\nfrom textwrap import TextWrapper",
        "textwrap.fill('a b ' * x, 6)",
        "TextWrapper.wrap",
        "lambda self, text: ['mine']",
    ),
    "something new": ("import numpy as np\nnp.rms_probe = 1", "x * np.rms_probe", "np.rms_probe", "5"),
}


@pytest.mark.parametrize("name", PUT)
def test_what_a_cell_puts_into_a_package_is_an_input(kernel, name):
    imports, expression, place, other = PUT[name]
    kernel.run(imports)
    kernel.run(f"def plainly(x):\n    return {expression}\ncame = {place}")
    kernel.run(f"%%rms\ndef f(x):\n    return {expression}")
    assert kernel.value("f(2) == f(2) == plainly(2)") == "True"
    assert kernel.value("plainly(2)") != kernel.run(f"{place} = {other}\nprint(f(2) == plainly(2))\nplainly(2)").result
    assert kernel.value("f(2) == plainly(2)") == "True"
    ran = kernel.run(f"{place} = came\nprint(f(2) == plainly(2))")
    assert ran.text.startswith("True") and "hit" in ran.shown, ran.shown


def test_what_a_cell_puts_into_a_package_that_it_imports_is_an_input(kernel):
    kernel.run("import colorsys\ncolorsys.ONE_THIRD = 5")
    kernel.run("%%rms\ndef f(x):\n    return colorsys.hls_to_rgb(x, .2, .3)")
    first = kernel.value("f(.1)")
    kernel.run("colorsys.ONE_THIRD = 1 / 3")
    assert kernel.value("f(.1) == colorsys.hls_to_rgb(.1, .2, .3)") == "True" and kernel.value("f(.1)") != first


MINE = """
import math
def put(value):
    math.pi = value
def put_any(owner, name, value):
    setattr(owner, name, value)
def other():
    math.degrees = math.radians
"""
PUT_OTHERWISE = {
    "by a name that is made up": ("x * math.pi", "for name in ['pi']:\n    setattr(math, name, 3)"),
    "as one of its names": ("x * math.pi", "vars(math)['pi'] = 3"),
    "by a text": ("x * math.pi", "exec('math.pi = 3')"),
    "by a function of a module": ("x * math.pi", "mine.put(3)"),
    "by a function of a module, by a name that is made up": ("x * math.pi", "mine.put_any(math, 'pi', 3)"),
    "by an import": ("x * scipy.constants.c", "import mine_too"),
    "another function of it": ("math.degrees(x)", "mine.other()"),
    "with some arguments": ("json.dumps([x])", "mine.put_any(json, 'dumps', functools.partial(json.dumps, indent=2))"),
    "a mock": ("math.degrees(x)", "mock.patch('math.degrees', return_value=7).start()"),
    "a mock in a class": ("str(pd.Series([x]).sum())", "mock.patch.object(pd.Series, 'sum', return_value=7).start()"),
    "where a function imports it": ("inside(x)", "mine.put(3)"),
    "where a function imports it from there": ("from_inside(x)", "mine.put(3)"),
}
INSIDE = """
def inside(x):
    import math
    return x * math.pi
def from_inside(x):
    from math import pi
    return x * pi
"""


@pytest.mark.parametrize("way", PUT_OTHERWISE)
def test_what_is_put_into_a_package_otherwise_is_an_input(kernel, way):
    expression, put = PUT_OTHERWISE[way]
    for name, text in {"mine": MINE, "mine_too": "import scipy.constants\nscipy.constants.c = 3\n"}.items():
        kernel.run(f"from pathlib import Path\nPath('{name}.py').write_text({text!r})")
    kernel.run(
        f"import functools, json, math, mine, pandas as pd, scipy.constants\nfrom unittest import mock\n{INSIDE}"
    )
    kernel.run(f"def plainly(x):\n    return {expression}\n")
    kernel.run(f"%%rms\ndef f(x):\n    return {expression}")
    assert kernel.value("f(2) == plainly(2)") == "True"
    assert "hit" in kernel.run("first = f(2)").shown
    assert kernel.value("first") != kernel.run(f"{put}\nprint(f(2) == plainly(2))\nplainly(2)").result
    assert kernel.value("f(2) == plainly(2)") == "True"


@pytest.mark.parametrize(
    "come, body",
    [
        ("import scipy", "x * scipy.constants.c"),
        ("", "inside(x)"),
        ("import skimage", "skimage.img_as_float(np.array([x])).dtype.name"),
    ],
)
def test_what_a_package_loads_when_it_is_asked_for_is_no_change(kernel, come, body):
    kernel.run(f"{come}\nimport numpy as np\ndef inside(x):\n    import colorsys\n    return x * colorsys.ONE_THIRD")
    kernel.run(f"%%rms\ndef f(x):\n    return {body}")
    assert kernel.run("f(2)").ok
    assert "f hit" in kernel.run("f(2)").shown


def test_what_a_package_has_made_of_another_s_function_stays_where_it_is(kernel):
    kernel.run("import dask.array")
    kernel.run("%%rms\ndef f(n):\n    return int(dask.array.ones(n).sum().compute())")
    assert kernel.run("%%rms run -j 2 --on loky\nfound = [f(n) for n in range(1, 4)]").ok
    assert kernel.value("found") == "[1, 2, 3]"


def test_what_a_cell_puts_into_a_package_is_there_in_workers(kernel):
    kernel.run("import math, textwrap\ncame = math.pi")
    kernel.run("%%rms\ndef f(x):\n    return x * math.pi, textwrap.fill('a b ' * x, 6)")
    kernel.run("math.pi = 3\ntextwrap.TextWrapper.wrap = lambda self, text: ['mine']")
    kernel.run("%%rms run -j 2 --on loky\nfound = [f(x) for x in range(4)]")
    assert kernel.value("found") == "[(0, 'mine'), (3, 'mine'), (6, 'mine'), (9, 'mine')]"
    kernel.run("math.pi = came")
    kernel.run("%%rms run -j 2 --on loky\nfound = [f(x) for x in range(4)]")
    assert kernel.value("found[2] == (2 * came, 'mine')") == "True"
    kernel.run("for name in ['pi']:\n    setattr(math, name, 4)")
    kernel.run("%%rms run -j 2 --on loky\nfound = [f(x) for x in range(4)]")
    assert kernel.value("found[2]") == "(8, 'mine')"


def test_what_a_script_puts_into_a_package_is_an_input(tmp_path):
    """In a process of its own, as its text is what tells."""
    script = "import math\nimport rms_jupyter as rms\npipe = rms.open('a.rms').pipe(lambda x: x * math.pi, name='f')\n"
    (tmp_path / "a.py").write_text(script + "before = pipe(1)\nmath.pi = 3\nprint(before, pipe(1))\n")
    for _ in range(2):
        told = subprocess.run([sys.executable, "a.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert told.stdout == "3.141592653589793 3\n"
