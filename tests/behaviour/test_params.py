"""Which parameters went into a result: a row a distinct value, what varies first, scalars only."""

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rms_jupyter as rms

TMAX, SEEN = 5.0, 3


@pytest.fixture
def flights(s):
    """A figure made of 30 files; gives the pipes by name."""
    Path("raw").mkdir()
    for n in range(30):
        Path(f"raw/{n:02}.csv").write_text(f"late\n{n}\n")

    @s.pipe
    def load(path):
        return pd.read_csv(path)

    @s.pipe
    def clean(df, least=0, unit="min"):
        return df[(df.late >= least) & (df.late < TMAX * 100)]

    @s.pipe(outputs="out")
    def plot(tables, out, title="a/b"):
        Path(out).write_text(f"{title} {len(tables)} {TMAX}")

    return load, clean, plot


def rows(found):
    return [tuple(row.values()) for row in found.rows()]


def test_one_row_a_distinct_value_and_what_varies_first(s, flights):
    load, clean, plot = flights
    figure = plot([clean(load(f"raw/{n:02}.csv"), least=n // 20) for n in range(30)], "late.png")
    assert rows(s.params(figure)) == [
        ("least", 0, "clean", 20),
        ("least", 1, "clean", 10),
        ("TMAX", 5.0, "clean, plot", 31),
        ("title", "a/b", "plot", 1),
        ("unit", "min", "clean", 30),
    ]
    assert list(s.params(figure).df().columns) == ["parameter", "value", "pipe", "calls"]
    assert rows(s.params("late.png")) == rows(s.params(figure)), "inputs and outputs are no parameters"


def test_only_what_is_one_value(s):
    def f(x, d, xs, when, step, many, on=True, none=None):
        return x

    r = s.register_pipe(f)(
        1, {"a": 1}, [1, 2], datetime.date(2026, 5, 4), np.float64(2.5), pd.DataFrame({"a": [1]}), on=False
    )
    assert {row["parameter"]: row["value"] for row in s.params(r).rows()} == {
        "x": 1, "when": "datetime.date(2026, 5, 4)", "step": 2.5, "on": False, "none": None,
    }  # fmt: skip


def test_what_was_made_from_it_counts_when_asked_for(s):
    one = s.register_pipe(lambda a: [a], name="one")
    two = s.register_pipe(lambda x, b: [*x, b], name="two")
    first = one(7)
    last = two(two(first, 8), 9)
    assert rows(s.params(first)) == [("a", 7, "one", 1)]
    assert rows(s.params(first, down=True, depth=1)) == [("a", 7, "one", 1), ("b", 8, "two", 1)]
    assert rows(s.params(last, depth=1)) == [("b", 9, "two", 1)]
    assert rows(s.params(last)) == [("b", 8, "two", 1), ("b", 9, "two", 1), ("a", 7, "one", 1)]


def test_a_diamond_counts_once(s):
    add = s.register_pipe(lambda a, b, k=1: [a[0] + b[0]], name="add")
    node = add([1], [1])
    for _ in range(40):
        node = add(node, node)
    assert rows(s.params(node)) == [("k", 1, "add", 41)]


def test_hostile_values_and_unknown_things(s):
    f = s.register_pipe(lambda x: [x], name="f")
    assert "<b>" not in s.params(f("'; DROP TABLE x; <b>"))._repr_html_()
    with pytest.raises(rms.RmsError, match="not on record"):
        s.params(object())


def test_in_a_cell(kernel):
    kernel.run("%%rms\nTMAX = 5.0\ndef clean(n):\n    return [n * TMAX]\ndef table(parts):\n    return len(parts)")
    kernel.run("t = table([clean(n) for n in range(3)])")
    shown = kernel.run("%rms lineage table --params").shown
    assert "parameter" in shown and "TMAX" in shown and "calls" in shown and "parts" not in shown
