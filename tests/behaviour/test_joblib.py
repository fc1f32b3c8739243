"""Code written for joblib.Memory, with its import changed: joblib's own documented examples."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import numpy as np
import pytest

from rms_jupyter.compat.joblib import MemorizedFunc, Memory, NotMemorizedFunc, expires_after
from rms_jupyter.errors import RmsError


@pytest.fixture
def memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    memory = Memory("your_cache_location", verbose=0)
    yield memory
    memory.session.close()


def ran(memory) -> int:
    """How many tasks are there?"""
    return memory.session.sql("SELECT count(*) FROM tasks").fetchall()[0][0]


def test_a_function_is_computed_once_for_each_argument_also_by_another_memory(memory):
    @memory.cache
    def f(x):
        """Double it."""
        return x * 2

    assert isinstance(f, MemorizedFunc) and (f.__name__, f.__doc__) == ("f", "Double it.") and f.func_id.endswith("f")
    assert [f(1), f(1), f(2), f(x=1)] == [2, 2, 4, 2] and ran(memory) == 2
    other = Memory(memory.location, verbose=0).cache(f.func)
    assert other(2) == 4 and other.check_call_in_cache(2) and not other.check_call_in_cache(3)
    assert memory.eval(f.func, 2) == 4 and memory.cache(f)(2) == 4 and ran(memory) == 2
    value, metadata = f.call(2)
    assert value == 4 and ran(memory) == 3 and metadata["input_args"] == {"x": "2"}


def test_arrays(memory):
    square = memory.cache(np.square)
    cached = memory.cache(lambda a: a**2, mmap_mode="r")
    a = np.vander(np.arange(3)).astype(float)
    assert np.array_equal(square(a), a**2) and np.array_equal(cached(a), cached(a)) and ran(memory) == 2


def test_arguments_that_are_ignored(memory):
    @memory.cache(ignore=["debug"])
    def my_func(x, debug=True):
        return x + 1

    assert my_func(0) == my_func(0, debug=False) == 1 and ran(memory) == 1


def test_shelving(memory):
    @memory.cache
    def square(x):
        return x**2

    shelved = square.call_and_shelve(4)
    assert shelved.get() == 16 and ran(memory) == 1
    shelved.clear()
    with pytest.raises(KeyError):
        shelved.get()
    assert not square.check_call_in_cache(4) and square(4) == 16


def test_results_that_hold_no_more(memory):
    @memory.cache(cache_validation_callback=expires_after(seconds=0.5))
    def f(x):
        return x

    assert f(1) == f(1) == 1 and ran(memory) == 1
    time.sleep(0.6)
    assert not f.check_call_in_cache(1) and f(1) == 1 and ran(memory) == 2
    assert f.check_call_in_cache(1)

    seen = []
    g = memory.cache(
        f.func, cache_validation_callback=lambda metadata: seen.append(metadata) or metadata["duration"] > 1
    )
    g(1)
    assert (
        ran(memory) == 3 and set(seen[0]) == {"duration", "time", "input_args"} and seen[0]["input_args"] == {"x": "1"}
    )


def test_methods(memory):
    class Model:
        def __init__(self, offset):
            self.offset = offset
            self.method = memory.cache(self.method)

        def method(self, x):
            return x + self.offset

    assert Model(3).method(1) == Model(3).method(1) == 4 and Model(4).method(1) == 5 and ran(memory) == 2


def test_async_functions(memory):
    async def double(x):
        return x * 2

    async def use(f):
        shelved = await f.call_and_shelve(2)
        value, metadata = await f.call(2)
        return await f(1), await f(1), shelved.get(), value, metadata.get("input_args")

    f = memory.cache(double)
    assert asyncio.run(use(f)) == (2, 2, 4, 4, {"x": "2"}) and ran(memory) == 3 and f.check_call_in_cache(1)
    never = memory.cache(double, cache_validation_callback=lambda metadata: False)
    assert asyncio.run(never(1)) == 2 and ran(memory) == 4
    assert asyncio.run(use(Memory(None).cache(double))) == (2, 2, 4, 4, None)


def test_room_is_made_and_all_is_deleted(memory):
    @memory.cache
    def zeros(n):
        return np.zeros((n, 1000)) + n

    first, _ = zeros(100), zeros(200)
    memory.reduce_size(items_limit=1)
    assert np.array_equal(zeros(100), first)
    memory.reduce_size(bytes_limit="1K", age_limit=None)
    zeros.clear()
    assert not zeros.check_call_in_cache(100)
    zeros(100)
    memory.clear(warn=False)
    assert not zeros.check_call_in_cache(100)


def test_without_a_location_nothing_is_kept():
    f = Memory(location=None).cache(lambda x: [x])
    assert isinstance(f, NotMemorizedFunc) and f(1) is not f(1) and not f.check_call_in_cache(1)
    shelved = f.call_and_shelve(1)
    assert shelved.get() == [1]
    shelved.clear()
    with pytest.raises(KeyError):
        shelved.get()
    assert f.call(1) == ([1], {})
    with pytest.raises(RmsError, match="the backend 's3' is not known"):
        Memory("x", backend="s3")


SCRIPT = """
from joblib import Parallel, delayed
from rms_jupyter.compat.joblib import Memory
memory = Memory("cache", verbose=0)
costly = memory.cache(lambda x: x * 10)
print(Parallel(n_jobs=2)(delayed(costly)(x) for x in (1, 2, 1, 2)), costly.check_call_in_cache(2))
"""


def test_in_parallel(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "[10, 20, 10, 20] True\n"
