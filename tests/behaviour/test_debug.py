"""A task that has failed somewhere runs again in the kernel, and the debugger lands in it."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.cluster.dask import Dask

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

SETUP = """%%rms
import numpy as np, pandas as pd
def load(n):
    return np.arange(n)
def scaled(x):
    print("scaling")
    return x * 2
def fit(data, frame, loaded, path, options=None, sample=None):
    marker = scaled(data).sum()
    with open(path) as file:
        text = file.read()
    raise ValueError(f"no fit of {marker}")
"""
CALLS = """%%rms run {}
frame = pd.DataFrame({{"a": [0.5, 1.5]}})
loaded = load(4)
failed = fit(np.full(5, 3), frame, loaded, "in.txt", {{"deep": [loaded, 2]}}, sample="s_1")
other = fit(np.full(5, 4), frame, loaded, "in.txt", sample="s_2")
"""


@pytest.mark.parametrize("where", ["-j 1", "-j 2", "--on threads", "-j 2 isolated", "dask"])
def test_the_debugger_lands_in_the_users_function_with_what_it_was_given(kernel, where, tmp_path):
    Path("in.txt").write_text("hello")
    kernel.run(SETUP.replace("%%rms", "%%rms pipe load scaled fit --isolate" if "isolated" in where else "%%rms"))
    with contextlib.ExitStack() as stack:
        if where == "dask":
            address = stack.enter_context(Dask(tmp_path, workers=1)).address
            where = f"--on dask://{address}"
        assert "no fit of 30" in kernel.run(CALLS.format(where.replace("isolated", ""))).error
    before = kernel.value("len(__import__('rms_jupyter').current().tasks())")
    ran = kernel.run("%rms rerun --debug failed")
    assert not ran.ok and "ValueError: no fit of 30" in ran.error and ran.text == "scaling\n"
    assert "fit(data, frame, loaded, path, options, sample)" in ran.error and "site-packages" not in ran.error
    typed = [
        "p marker, text, sample",
        "p type(data).__name__, data.sum(), type(frame).__name__, frame.a.sum()",
        "p type(loaded).__name__, loaded.tolist(), type(options['deep'][0]).__name__",
        "data[0] = 99",
        "p data[0]",
        "q",
    ]
    told = _COLOURS.sub("", kernel.run("%debug", typed=typed).text)
    assert "raise ValueError" in told
    assert (
        "(np.int64(30), 'hello', 's_1')" in told and "('ndarray', np.int64(15), 'DataFrame', np.float64(2.0))" in told
    )
    assert "('ndarray', [0, 1, 2, 3], 'ndarray')" in told and "np.int64(99)" in told
    assert kernel.value("len(__import__('rms_jupyter').current().tasks())") == before
    assert "ValueError: no fit of 30" in kernel.run("%rms rerun failed --debug").error, (
        "what was tried out is forgotten"
    )
    kernel.run("%%rms\ndef fit(data, frame, loaded, path, options=None, sample=None):\n    return float(data.sum())")
    assert kernel.run("%rms rerun --debug failed").result == "15.0"
    ran = kernel.run("%rms rerun failed")
    assert ran.ok and "15.0" in ran.result and "fit ran" in ran.shown


def writes(values, frame):
    values[0] = 7
    frame["b"] = 1
    return float(values.sum()) + len(frame.columns)


def test_a_function_that_writes_into_what_the_notebook_gave_it_runs_again(s):
    pipe = s.register_pipe(writes)
    result = pipe(np.zeros(3), pd.DataFrame({"a": [1]}))
    assert result.content == s.rerun(result, debug=True) == s.rerun(result).content == s.rerun(result).content == 9.0
    large = pipe(np.zeros(100_000), pd.DataFrame({"a": range(100_000)}))
    assert large.content == s.rerun(large, debug=True) == s.rerun(large).content == 9.0
    assert pipe(np.zeros(3), pd.DataFrame({"a": [1]})).task.hit


def test_pipes_in_what_is_debugged_leave_no_records(s):
    inner = s.register_pipe(lambda x: x + 1, name="inner")
    result = s.register_pipe(lambda x: inner(x) * 2, name="outer")(1)
    assert s.rerun(result, debug=True) == 4 and len(s.tasks()) == 1
