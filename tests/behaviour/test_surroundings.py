"""Does a call run again when what it depends on around it is another: options of libraries, the environment of programs?"""

import contextlib
import getpass
import os
import shutil
import subprocess
import sys

import pandas as pd
import pytest

import rms_jupyter as rms


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
]


@pytest.mark.parametrize(("function", "changed"), OPTIONS, ids=[function.__name__ for function, _ in OPTIONS])
def test_options_of_libraries_are_inputs(s, function, changed):
    check(s, function, changed)


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
