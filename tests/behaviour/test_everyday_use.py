"""A result is used as its value: everyday uses over frames, arrays, numbers, text and files; none silently wrong."""

import copy
import io
import json
import math
import os
import statistics
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression

import rms_jupyter as rms

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 4.1, 5.9, 8.2], "who": list("abab")})
ARRAY = np.arange(12.0).reshape(3, 4)


@pytest.fixture
def held(s, tmp_path):
    """Results by name: fresh ones, as a first call gives them."""
    return made(s, tmp_path)


def made(s, tmp_path):
    def write(path):
        Path(path).write_text("id,n\n1,2\n")

    values = {
        "frame": FRAME, "array": ARRAY, "series": FRAME["x"], "number": 3.5, "count": 7, "text": "late flights", "flag": True,
        "things": [3, 1, 2], "table": {"a": 1, "b": 2}, "np_number": np.float64(2.5), "pl": pl.DataFrame({"x": [1, 2]}),
        "mask": FRAME["x"] > 2, "function": math.sqrt, "model": LinearRegression().fit(FRAME[["x"]], FRAME["y"]),
    }  # fmt: skip
    results = {name: s.pipe(lambda value: copy.copy(value), name=name)(value) for name, value in values.items()}
    results["file"] = s.pipe(write, outputs="path")(str(tmp_path / "data.csv"))
    return results


UNTRACED = {"flag", "function"}  # Python shares True, and `math.sqrt` is a function.
USES = {
    "head": lambda v: v["frame"].head(2),
    "attribute column": lambda v: v["frame"].x.mean(),
    "column": lambda v: v["frame"]["y"].sum(),
    "columns": lambda v: list(v["frame"][["x", "y"]].columns),
    "rows": lambda v: v["frame"].iloc[1:3],
    "boolean rows": lambda v: v["frame"][v["frame"].x > 2],
    "rows by a mask result": lambda v: FRAME[v["mask"]],
    "groupby": lambda v: v["frame"].groupby("who")["y"].mean(),
    "merge": lambda v: v["frame"].merge(v["frame"], on="x"),
    "pd.merge": lambda v: pd.merge(v["frame"], v["frame"], on="who"),
    "pd.concat": lambda v: pd.concat([v["frame"], v["frame"]]),
    "pd.DataFrame": lambda v: pd.DataFrame(v["frame"]),
    "describe": lambda v: v["frame"].describe(),
    "to_csv": lambda v: v["frame"].to_csv(),
    "len frame": lambda v: len(v["frame"]),
    "iterate frame": lambda v: list(v["frame"]),
    "isinstance": lambda v: [
        isinstance(v["frame"], pd.DataFrame),
        isinstance(v["count"], int),
        isinstance(v["things"], list),
    ],
    "series plus result": lambda v: FRAME["x"][::-1] + v["series"],
    "result plus series": lambda v: v["series"] + FRAME["x"][::-1],
    "frame times number": lambda v: FRAME[["x"]] * v["number"],
    "assign a number": lambda v: FRAME.assign(z=v["number"]),
    "assign a count": lambda v: FRAME.assign(z=v["count"]).dtypes["z"],
    "assign a series": lambda v: FRAME.assign(z=v["series"]),
    "fillna": lambda v: pd.Series([1.0, None]).fillna(v["number"]),
    "clip": lambda v: FRAME["x"].clip(upper=v["np_number"]),
    "np.asarray": lambda v: np.asarray(v["array"]),
    "np.mean": lambda v: np.mean(v["array"], axis=0),
    "np.concatenate": lambda v: np.concatenate([v["array"], v["array"]]),
    "np.where": lambda v: np.where(v["array"] > v["number"], 1, 0),
    "ufunc": lambda v: np.add(v["array"], v["number"]),
    "array plus result": lambda v: ARRAY + v["array"],
    "result plus array": lambda v: v["array"] + ARRAY,
    "matmul": lambda v: ARRAY.T @ v["array"],
    "index array": lambda v: v["array"][1, ::2],
    "index by a count": lambda v: list(range(20))[v["count"]],
    "array attributes": lambda v: (v["array"].shape, v["array"].dtype, v["array"].T.shape),
    "arithmetic": lambda v: (v["number"] * 2 + 1 - v["count"] / 2) ** 2 // 1 % 5,
    "reflected": lambda v: (10 - v["number"], 2 ** v["count"], divmod(20, v["count"])),
    "compare": lambda v: (v["number"] > 3, v["count"] == 7, v["text"] < "z", v["number"] >= 3),
    "round": lambda v: (round(v["number"]), abs(v["number"]), -v["number"], int(v["number"]), math.floor(v["number"])),
    "math": lambda v: math.sqrt(v["np_number"]) + math.fsum([v["number"], v["count"]]),
    "statistics": lambda v: statistics.mean([v["number"], 1.5]),
    "format": lambda v: f"{v['number']:.2f} {v['count']:>4} {v['text']!s} {v['text']:.4}",
    "print": lambda v: print(v["number"], v["text"], v["things"], file=io.StringIO()) or str(v["things"]),
    "json": lambda v: json.dumps([v["number"], v["count"], v["text"]]),
    "join": lambda v: "-".join([v["text"], "x"]),
    "text methods": lambda v: v["text"].upper().split(),
    "if": lambda v: ("yes" if v["flag"] else "no", bool(v["things"]), not v["count"]),
    "iterate": lambda v: [x + 1 for x in v["things"]],
    "sorted": lambda v: sorted(v["things"]),
    "in": lambda v: (3 in v["things"], "a" in v["table"], "late" in v["text"]),
    "unpack": lambda v: (lambda a, b, c: [a, b, c])(*v["things"]),
    "dict use": lambda v: (v["table"]["b"], {**v["table"]}, dict(v["table"]), list(v["table"].items())),
    "key of a dict": lambda v: {7: "seven"}[v["count"]],
    "range": lambda v: list(range(v["count"])),
    "call": lambda v: v["function"](16),
    "not callable": lambda v: (callable(v["frame"]), callable(v["number"]), callable(v["function"])),
    "plot": lambda v: [line.get_ydata().tolist() for line in plt.figure().subplots().plot(v["frame"].x, v["series"])],
    "scatter": lambda v: plt.figure().subplots().scatter(v["frame"]["x"], v["frame"]["y"]).get_offsets().data.tolist(),
    "axhline": lambda v: [float(y) for y in plt.figure().subplots().axhline(v["number"]).get_ydata()],
    "plot by name": lambda v: plt.figure().subplots().scatter("x", "y", data=v["frame"]).get_offsets().data.tolist(),
    "scikit-learn fit": lambda v: LinearRegression().fit(v["frame"][["x"]], v["frame"].y).coef_.round(6),
    "scikit-learn predict": lambda v: v["model"].predict(FRAME[["x"]]).round(6),
    "polars": lambda v: pl.DataFrame(v["frame"][["x", "y"]]),
    "polars of a result": lambda v: v["pl"].with_columns(z=pl.col("x") * 2),
    "pl.from_pandas": lambda v: pl.from_pandas(v["frame"]),
    "deepcopy": lambda v: __import__("copy").deepcopy(v["things"]),
    "open": lambda v: Path(v["file"]).read_text(),
    "read_csv": lambda v: pd.read_csv(v["file"]),
    "path methods": lambda v: (
        Path(v["file"]).name,
        os.path.getsize(v["file"]),
        os.path.exists(v["file"]),
        os.fspath(v["file"])[-8:],
    ),
    "str of a file": lambda v: str(v["file"]).endswith("data.csv"),
}


def plain(results):
    """The same without us."""
    return {name: Path(r.path) if name == "file" else r for name, r in results.items()}


def same(a, b):
    """Compare what two uses give, types included."""
    if isinstance(a, (tuple, list)) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (pd.DataFrame, pd.Series, pl.DataFrame)):
        return type(a) is type(b) and a.equals(b)
    if isinstance(a, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("when", ["fresh", "from the store"])
def test_used_as_its_value(s, tmp_path, use, when):
    results = made(s, tmp_path)
    expected = USES[use](plain(results))
    if when == "from the store":
        s.close()
        with rms.open(s.path) as later:
            results = made(later, tmp_path)
            assert all(rms.info(r).task.hit for name, r in results.items() if name not in UNTRACED)
            got = USES[use](results)
    else:
        got = USES[use](results)
    plt.close("all")
    assert same(got, expected), f"{got!r} instead of {expected!r}"
