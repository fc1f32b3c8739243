"""What looks into the memory of an argument does so on a hit too, whatever class it is of; or the call runs."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xarray as xr

FRAME = {"a": [1.0, 2.0], "b": [3, 4]}
ROWS = [(1, 2.0), (3, 4.0)]
FIELDS = [("a", int), ("b", float)]


def _frozen_part(a):
    part = a[:1]
    part.flags.writeable = False
    return part


def _numbers():
    return np.arange(4.0)


def _masked():
    return np.ma.array(_numbers(), mask=[0, 0, 1, 0])


def _mapped():
    _numbers().tofile("numbers.bin")
    return np.memmap("numbers.bin", float, "r+")


def _first(a):
    a[0] = 77


def _first_of_frame(frame):
    frame.iloc[0, 0] = 77


def _in_row(rows):
    rows["a"] = 77


CASES = {
    "a part of a masked array": (lambda a: a[:2], _masked, _first),
    "what is under a mask": (np.asarray, _masked, _first),
    "a masked array around an array": (lambda a: np.ma.masked_greater(a, 2, copy=False), _numbers, _first),
    "a matrix": (lambda a: a.T, lambda: np.matrix([[1.0, 2.0]]), lambda a: a.__setitem__((0, 0), 77)),
    "a field of records": (lambda r: r.a, lambda: np.rec.array(ROWS, FIELDS), _in_row),
    "a record": (lambda r: r[0], lambda: np.rec.array(ROWS, FIELDS), _in_row),
    "a broadcast array": (lambda a: np.broadcast_to(a, (2, 4)), _numbers, _first),
    "a read-only part": (_frozen_part, _numbers, _first),
    "a part of a file": (lambda a: a[:2], _mapped, _first),
    "a part of a file as a plain array": (lambda a: np.asarray(a)[:2], _mapped, _first),
    "a column": (lambda f: f["a"].to_numpy(), lambda: pd.DataFrame(FRAME), _first_of_frame),
    "columns": (lambda f: [f[n].values for n in f], lambda: pd.DataFrame(FRAME), _first_of_frame),
    "a part of a column": (lambda f: f["a"].values[:1], lambda: pd.DataFrame(FRAME), _first_of_frame),
    "a frame of one kind": (lambda f: f.to_numpy(), lambda: pd.DataFrame(np.eye(2)), _first_of_frame),
    "a series": (lambda s: s.values, lambda: pd.Series([1.0, 2.0]), lambda s: s.__setitem__(0, 77)),
    "a frame around an array": (lambda a: pd.DataFrame(a.reshape(2, 2), copy=False), _numbers, _first),
    "a labelled array around one": (xr.DataArray, _numbers, _first),
    "a sparse matrix around an array": (
        lambda a: scipy.sparse.csr_array((a, np.arange(4), [0, 4]), shape=(1, 4), copy=False),
        _numbers,
        _first,
    ),
}


@pytest.mark.filterwarnings("ignore::rms_jupyter.RmsWarning", "ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("name", CASES)
def test_what_is_written_to_an_argument_is_seen_in_a_result_that_looks_into_it(s, reopen, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function, make, write = CASES[name]

    def after(call):
        argument = make()
        result = call(argument)
        writeable = getattr(getattr(result, "flags", None), "writeable", None)
        write(argument)
        return type(result), repr(result), writeable

    plainly, pipe = after(function), s.pipe(function, name="f")
    assert after(pipe) == plainly == after(pipe)
    assert after(reopen(s).pipe(function, name="f")) == plainly


def test_columns_that_are_handed_out_come_from_the_store(s):
    pipe = s.pipe(lambda f: (f["a"].values, f["b"].to_numpy()), name="f")
    for _ in range(2):
        pipe(pd.DataFrame(FRAME))
    assert len(s.tasks()) == 1


def test_an_array_that_a_call_makes_read_only_is_that_on_a_hit(s):
    def lock(a):
        a.flags.writeable = False
        return a.sum()

    lock = s.pipe(lock)
    with pytest.warns(match="lock runs each time.*whether an array may be written to"):
        for _ in range(2):
            a = np.arange(3.0)
            assert lock(a) == 3 and not a.flags.writeable


@pytest.mark.filterwarnings("ignore::rms_jupyter.RmsWarning")
def test_a_result_that_is_mapped_from_a_file_is_mapped_from_it(s, tmp_path):
    path = str(tmp_path / "numbers.bin")
    np.arange(3.0).tofile(path)
    opened = s.pipe(lambda path, mode: np.memmap(path, float, mode), name="opened")
    for n in (5, 6):
        mapped = opened(path, "r+")
        mapped[0] = n
        mapped.flush()
        assert type(mapped) is np.memmap and np.fromfile(path)[0] == n == opened(path, "r")[0]
    kind = s.pipe(lambda a: type(a).__name__, name="kind")
    assert [kind(a) for a in (mapped, np.array(mapped), opened(path, "r"))] == ["memmap", "ndarray", "memmap"]


def test_text_comes_back_as_it_was_stored(s):
    def text(storage):
        return pd.DataFrame({"a": pd.array(["x"], pd.StringDtype(storage))})

    pipe = s.pipe(text)
    for storage in ("python", "pyarrow") * 2:
        assert pipe(storage).dtypes["a"].storage == storage
    ask = s.pipe(lambda frame: frame.dtypes["a"].storage, name="ask")
    assert [ask(text(storage)) for storage in ("python", "pyarrow")] == ["python", "pyarrow"]


def test_a_function_sees_what_is_under_a_mask_and_labels_that_no_row_uses(s):
    total = s.pipe(lambda a: float(np.asarray(a).sum()), name="total")
    labels = s.pipe(lambda index: [list(level) for level in index.levels], name="labels")
    assert [total(np.ma.array([1, n], mask=[0, 1])) for n in (2, 3)] == [3, 4]
    part = pd.MultiIndex.from_product([["a", "b"], [1, 2]])[:2]
    assert labels(part) == [["a", "b"], [1, 2]] and labels(part.remove_unused_levels()) == [["a"], [1, 2]]


CELLS = {
    "of a masked array": ("m = np.ma.array([1.0, 2.0], mask=[0, 1])\nv = m[:1]", "m[0] = 7", "v"),
    "under a mask": ("m = np.ma.array([1.0, 2.0], mask=[0, 1])\nv = m.data", "m[0] = 7", "v"),
    "of records": ("m = np.zeros(2, [('a', 'i8')])\nv = m.view(np.recarray)", "m['a'] = 7", "v"),
    "of a file": ("m = np.memmap('n.bin', float, 'r+')", "m[:1] = 7; m.flush()", "np.fromfile('n.bin'), m"),
}


@pytest.mark.parametrize("case", CELLS)
def test_views_that_a_cell_leaves_are_views_when_it_is_run_again(kernel, case):
    made, write, seen = CELLS[case]
    kernel.run("import numpy as np\nnp.zeros(3).tofile('n.bin')")
    for _ in range(2):
        assert (ran := kernel.run(f"%%rms cell\n{made}", cell="one")).ok, ran.error
        kernel.run(write)
        found = kernel.run(f"print({seen})").text
        assert "7" in found
        kernel.run("np.zeros(3).tofile('n.bin')")


class Metres(float):
    pass


def test_a_number_with_attributes_is_the_callers_own_on_a_hit(s):
    second = s.pipe(lambda numbers: numbers[1], name="second")
    for _ in range(2):
        numbers = [Metres(1), Metres(2)]
        second(numbers).place = "here"
        assert numbers[1].place == "here"
    assert len(s.tasks()) == 1
