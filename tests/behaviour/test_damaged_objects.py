"""What was kept and then damaged is never taken for what was written: it is told, computed again, and replaced."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rms_jupyter as rms
from rms_jupyter.fingerprint.values import digest


class Sample:
    def __init__(self, name):
        self.name = name


def text(n):
    return "äbc\n" * n


def data(n):
    return b"\0abc" * n


def array(n):
    return np.arange(float(n))


def frozen_array(n):
    made = np.arange(float(n))
    made.flags.writeable = False
    return made


def frame(n):
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=n), "name": ["a"] * n})


def table(n):
    return pa.table({"x": np.random.default_rng(0).normal(size=n)})


def polars_frame(n):
    return pl.DataFrame({"x": np.random.default_rng(0).normal(size=n)})


def items(n):
    return [str(i) for i in range(n)]


def samples(n):
    return [Sample(str(i)) for i in range(n)]


def functions(n):
    return [lambda x, i=i: x + i for i in range(n // 10)]


MAKERS = [text, data, array, frozen_array, frame, table, polars_frame, items, samples, functions]
SIZE = 5000


def flip(place):
    def damage(path):
        content = bytearray(path.read_bytes())
        content[place if place is not None else len(content) // 2] ^= 1
        path.write_bytes(content)

    return damage


def become_a_folder(path):
    path.unlink()
    path.mkdir()


def become_a_fifo(path):
    path.unlink()
    os.mkfifo(path)


DAMAGES = {
    "first byte": flip(0),
    "tenth byte": flip(9),
    "middle byte": flip(None),
    "last byte of the content": flip(-27),
    "first byte of the seal": flip(-26),
    "last byte": flip(-1),
    "half": lambda path: os.truncate(path, path.stat().st_size // 2),
    "less a byte": lambda path: os.truncate(path, path.stat().st_size - 1),
    "less the seal and a byte": lambda path: os.truncate(path, path.stat().st_size - 27),
    "emptied": lambda path: os.truncate(path, 0),
    "doubled": lambda path: path.write_bytes(path.read_bytes() * 2),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a fifo": become_a_fifo,
}


def object_of(session, result):
    [path] = (session.path / "objects").rglob(f"{result.digest}*")
    return path


def problems(report):
    return {row["what"]: row["problem"] for row in report}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("make", MAKERS)
def test_a_damaged_result_is_no_hit_and_is_replaced(s, reopen, make, damage):
    first = s.register_pipe(make)(SIZE)
    path = object_of(s, first)
    DAMAGES[damage](path)
    later = reopen(s)
    make_ = later.register_pipe(make)
    with pytest.warns(rms.RmsWarning, match=rf"damaged: {make.__name__}\(5000\) runs again"):
        again = make_(SIZE)
    assert not again.task.hit and again.task.reason == "output_changed its stored result is damaged"
    assert again.digest == first.digest and digest(again.content).hex() == first.digest
    last = reopen(later)
    assert last.check(full=True).headline == "0 files, 1 kept result, no problems"
    found = last.register_pipe(make)(SIZE)
    assert found.task.hit and digest(found.content).hex() == first.digest


def test_an_object_of_another_name_is_no_hit(s, reopen):
    pipe = s.register_pipe(array)
    first, other = pipe(SIZE), pipe(SIZE + 1)
    shutil.copy(object_of(s, other), object_of(s, first))
    with pytest.warns(rms.RmsWarning, match="damaged"):
        assert len(reopen(s).register_pipe(array)(SIZE).content) == SIZE


def test_damage_shows_in_the_kernel_that_made_it_too(s):
    make_ = s.pipe(items)
    make_(SIZE)
    DAMAGES["half"](object_of(s, rms.info(make_(SIZE))))
    with pytest.warns(rms.RmsWarning, match="damaged"):
        assert make_(SIZE) == items(SIZE)
    assert make_(SIZE) == items(SIZE) and s.check(full=True).headline.endswith("no problems")


@pytest.mark.parametrize("n", [SIZE, 300_000])
@pytest.mark.parametrize("damage", ["middle byte", "less a byte", "emptied", "doubled"])
def test_values_are_computed_again(s, reopen, n, damage):
    s.pipe(array)(n)
    [path] = (s.path / "objects").rglob("*.npy")
    DAMAGES[damage](path)
    later = reopen(s)
    with pytest.warns(rms.RmsWarning, match="damaged"):
        value = later.pipe(array)(n)
    assert np.array_equal(value, array(n)) and value.flags.writeable
    assert reopen(later).check(full=True).headline.endswith("no problems")


def test_a_handle_computes_its_damaged_content_again(s, reopen):
    result = s.register_pipe(array)(SIZE)
    later = reopen(s)
    later.register_pipe(array)
    DAMAGES["middle byte"](object_of(s, result))
    with pytest.warns(rms.RmsWarning, match=r"array\(5000\) is damaged: it was computed again"):
        assert np.array_equal(later.home.resource(result.id).content, array(SIZE))
    assert later.check(full=True).headline.endswith("no problems")


def test_a_handle_says_why_its_damaged_content_is_not_computed_again(s, reopen):
    result = s.register_pipe(array)(SIZE)
    DAMAGES["middle byte"](object_of(s, result))
    with pytest.raises(rms.NotRecomputable, match=r"stored result of array\(5000\) is damaged; .*no pipe array"):
        reopen(s).home.resource(result.id).content


def test_inputs_of_tasks_are_computed_again(s, reopen, how):
    def total(xs):
        return float(xs.sum())

    def planned(session):
        with session.plan() as plan:
            results = [session.register_pipe(total)(session.register_pipe(array)(n)) for n in (SIZE, 300_000)]
        return plan, results

    first = s.register_pipe(array)
    damaged = [object_of(s, first(n)) for n in (SIZE, 300_000)]
    for path in damaged:
        DAMAGES["middle byte"](path)
    later = reopen(s)
    plan, results = planned(later)
    with pytest.warns(rms.RmsWarning, match="damaged"):
        plan.run(**how)
    assert [result.content for result in results] == [array(n).sum() for n in (SIZE, 300_000)]
    assert later.check(full=True).headline.endswith("no problems")


@pytest.mark.parametrize("damage", ["middle byte", "half", "emptied", "doubled"])
def test_what_was_said_is_said_again_or_the_call_runs(s, reopen, caplog, damage):
    def say(n):
        for i in range(n):
            logging.getLogger("lab").warning("line %s", i)
        return n

    s.pipe(say)(300)
    [path] = (s.path / "objects").rglob("*.json")
    DAMAGES[damage](path)
    caplog.clear()
    with pytest.warns(rms.RmsWarning, match="what it showed is damaged"):
        assert reopen(s).pipe(say)(300) == 300
    assert caplog.messages == [f"line {i}" for i in range(300)]


def test_what_a_call_changed_is_changed_again_or_the_call_runs(s, reopen):
    def fill(xs):
        xs[:] = np.arange(len(xs))

    s.pipe(fill)(np.zeros(SIZE))
    for path in (s.path / "objects").rglob("*.npy"):
        DAMAGES["middle byte"](path)
    later, xs = reopen(s), np.zeros(SIZE)
    with pytest.warns(rms.RmsWarning, match="damaged"):
        later.pipe(fill)(xs)
    assert np.array_equal(xs, np.arange(SIZE))
    assert later.check(full=True).headline.endswith("no problems")


def test_an_argument_is_kept_again(s, reopen):
    def total(xs):
        return float(xs.sum())

    given = np.arange(float(SIZE))
    first = s.register_pipe(total)(given)
    [path] = (s.path / "objects").rglob("*.npy")
    DAMAGES["middle byte"](path)
    later = reopen(s)
    total_ = later.register_pipe(total)
    assert set(problems(later.check(full=True)).values()) == {"corrupt"}
    with pytest.raises(rms.RmsError, match="damaged"):
        later.rerun(later.home.resource(first.id))
    with pytest.warns(rms.RmsWarning, match="stored copy of an argument is damaged"):
        total_(given)
    assert later.check(full=True).headline.endswith("no problems") and total_(given).task.hit
    later.rerun(later.home.resource(first.id))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("damage", ["middle byte", "less a byte", "emptied", "doubled"])
def test_repair_and_rerun_replace_what_is_damaged(s, reopen, make, damage):
    result = s.register_pipe(make)(SIZE)
    path = object_of(s, result)
    DAMAGES[damage](path)
    later = reopen(s)
    later.register_pipe(make)
    call = f"{make.__name__}(5000)"
    assert problems(later.check(full=True)) == {call: "corrupt"}
    report = later.check(repair=True)
    assert problems(report) == {} and report.notes == ["computed again: 1 damaged result"]
    DAMAGES[damage](path)
    assert digest(later.rerun(result).content).hex() == result.digest
    assert problems(later.check(full=True)) == {}


def unsealed(path):
    os.truncate(path, path.stat().st_size - 26)


@pytest.mark.parametrize("make", MAKERS)
def test_what_older_versions_kept_is_read(s, reopen, make):
    first = s.register_pipe(make)(SIZE)
    unsealed(object_of(s, first))
    later = reopen(s)
    found = later.register_pipe(make)(SIZE)
    assert found.task.hit and digest(found.content).hex() == first.digest
    assert later.check(full=True).headline == "0 files, 1 kept result, no problems"


@pytest.mark.parametrize("make", [text, data, array, frozen_array])
def test_what_older_versions_kept_and_then_was_damaged_is_found(s, reopen, make):
    first = s.register_pipe(make)(SIZE)
    unsealed(path := object_of(s, first))
    DAMAGES["middle byte"](path)
    later = reopen(s)
    assert problems(later.check(full=True)) == {f"{make.__name__}(5000)": "corrupt"}


def test_other_tools_read_what_is_kept(s):
    assert np.array_equal(np.load(object_of(s, s.register_pipe(array)(SIZE))), array(SIZE))
    assert pd.read_pickle(object_of(s, s.register_pipe(items)(SIZE))) == items(SIZE)


def test_nothing_else_lies_beside_what_is_kept(s):
    path = object_of(s, s.register_pipe(array)(SIZE))
    assert list(Path(path.parent).iterdir()) == [path]
