"""The power goes: what was not synced is lost, torn, or there in another order; the store is as good as before.

Each file of the store may then be as it was at any moment since it was last synced, and the end of it be missing or
zeros. Sealed journals and objects are synced before they have their names; what marks a store was written long ago.
"""

import shutil
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

import rms_jupyter as rms
from tests.conftest import soak

CALLS = 12


def work(i):
    return list(range(i * 200)) if i % 3 == 0 else i * 2


def check(s):
    """Make all calls: whatever is on record, what they give is right."""
    work_ = s.register_pipe(work)
    results = [work_(i) for i in range(CALLS)]
    assert [result.content for result in results] == [work(i) for i in range(CALLS)]
    return sum(not result.task.hit for result in results)


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    """The store after each call, in the middle of which another session has ended."""
    folder = tmp_path_factory.mktemp("moments")
    store, kept = folder / "x.rms", []

    def keep():
        kept.append(folder / str(len(kept)))
        shutil.copytree(store, kept[-1])

    with rms.Session(store) as s:
        work_ = s.register_pipe(work)
        for i in range(CALLS // 2):
            work_(i)
            keep()
        s.sql("SELECT 1")
        keep()
    keep()
    with rms.Session(store) as s:
        work_ = s.register_pipe(work)
        keep()
        for i in range(CALLS // 2, CALLS):
            work_(i)
            keep()
            if i % 3 == 0:
                s.sql("SELECT 1")
                keep()
        s.tidy()
        keep()
    return kept


def is_synced(path):
    return "objects" in path.parts or path.suffix == ".zst" or path.name == "store.json"


def torn(data, how, where):
    cut = int(len(data) * where)
    return {"whole": data, "cut": data[:cut], "zeros": data[:cut] + bytes(len(data) - cut)}[how]


def after_the_power_went(moments, target, draw):
    """Put a store together of files as they were at different moments."""
    last = draw(st.integers(0, len(moments) - 1))
    names = {path.relative_to(moments[last]) for path in moments[last].rglob("*") if path.is_file()}
    for name in sorted(names):
        versions = [moment / name for moment in moments[: last + 1] if (moment / name).exists()]
        source = versions[-1] if is_synced(name) else draw(st.sampled_from(versions))
        data = source.read_bytes()
        if not is_synced(name):
            how = draw(st.sampled_from(["whole", "whole", "cut", "zeros"]))
            data = torn(data, how, draw(st.floats(0, 1)) if how != "whole" else 1)
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    for folder in ("journal", "running", "objects", "staging"):
        (target / folder).mkdir(exist_ok=True, parents=True)


@settings(
    max_examples=400 if soak() else 6,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
@pytest.mark.soak
def test_whatever_of_it_was_written(moments, tmp_path_factory, data):
    store = Path(tmp_path_factory.mktemp("after")) / "x.rms"
    after_the_power_went(moments, store, data.draw)
    with rms.Session(store) as s:
        check(s)
        assert s.sql("SELECT count(*) = count(DISTINCT id) FROM tasks").fetchall() == [(True,)]
    with rms.Session(store) as s:
        assert check(s) == 0
        ids = s.sql("SELECT id FROM tasks ORDER BY id").fetchall()
    for path in store.glob("provenance.*"):
        path.unlink()
    with rms.Session(store) as s:
        assert s.sql("SELECT id FROM tasks ORDER BY id").fetchall() == ids
    shutil.rmtree(store.parent)
