"""Frames and tables come back as they were, however they are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from rms_jupyter.store import content


def noise(rows):
    chance = np.random.default_rng(1)
    return pd.DataFrame({"a": chance.normal(size=rows), "b": chance.integers(0, 2**60, rows)})


def even(rows):
    return pd.DataFrame({"a": np.arange(rows) // 100, "b": ["left", "right"] * (rows // 2)})


MADE = {
    "pandas": lambda frame: frame,
    "polars": lambda frame: pl.DataFrame({name: list(frame[name]) for name in frame}),
    "arrow": lambda frame: pa.Table.from_pandas(frame),
}


@pytest.mark.parametrize("as_what", MADE)
@pytest.mark.parametrize(("frame", "is_smaller"), [(noise, False), (even, True)])
def test_what_does_not_shrink_is_kept_as_it_is_and_mapped(s, reopen, monkeypatch, as_what, frame, is_smaller):
    monkeypatch.setattr(content, "_COMPRESSED_FROM", 100_000)
    monkeypatch.setattr(content, "_SAMPLE", 20_000)
    monkeypatch.setattr(content, "_MAPPED_FROM", dict.fromkeys(content._MAPPED_FROM, content.INLINE))
    pipe = s.register_pipe(lambda rows: MADE[as_what](frame(rows)), name="make")
    first = pipe(20_000)
    size = sum(path.stat().st_size for path in (s.path / "objects").rglob(f"{first.digest}*"))
    assert (size < 100_000) == is_smaller  # A few kilobytes stand in the record itself.
    again = reopen(s).register_pipe(lambda rows: MADE[as_what](frame(rows)), name="make")(20_000)
    assert again.task.hit and again.content.equals(first.content) and type(again.content) is type(first.content)


def test_a_frame_that_was_mapped_is_the_callers_own(s, reopen, monkeypatch):
    monkeypatch.setattr(content, "_MAPPED_FROM", dict.fromkeys(content._MAPPED_FROM, content.INLINE))
    s.pipe(noise)(5000)
    pipe = reopen(s).pipe(noise)
    mine = pipe(5000)
    mine.loc[0, "a"] = 1000.0
    mine["c"] = mine["a"] * 2
    assert mine["c"][0] == 2000 and pipe(5000).equals(noise(5000))


def test_empty_and_odd_tables_are_kept(s, monkeypatch):
    monkeypatch.setattr(content, "_COMPRESSED_FROM", 1)
    monkeypatch.setattr(content, "_SAMPLE", 1)
    for frame in (noise(0), noise(1), even(2), pd.DataFrame({"t": ["x" * 100_000]})):
        pipe = s.pipe(lambda frame: frame[::-1], name="turn")
        assert pipe(frame).equals(pipe(frame))
