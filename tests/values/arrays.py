"""Arrays: numpy, sparse, dask."""

import dask
import dask.array as da
import dask.bag
import numpy as np
import sparse


class Measured(np.ndarray):
    unit = None


def measured(unit):
    made = np.arange(3.0).view(Measured)
    made.unit = unit
    return made


def drawn(generator, times=1):
    for _ in range(times):
        generator.normal()
    return generator


def masked(**options):
    return np.ma.array([1, 2, 3], mask=[0, 1, 0], **options)


def with_metadata(dtype, **metadata):
    return np.dtype(dtype, metadata=metadata)


dask.config.set(scheduler="synchronous")


def doubled(x):
    return 2 * x


NUMBERS = np.arange(6)
VALUES = """
NUMBERS
NUMBERS.reshape(2, 3)
NUMBERS.astype("i4")
NUMBERS.astype(">i8")
NUMBERS.astype("f8")
NUMBERS.astype("f4")
NUMBERS.astype("f2")
NUMBERS.astype("g")
NUMBERS.astype("c16")
NUMBERS.astype(bool)
NUMBERS.astype("U1")
NUMBERS.astype("S1")
NUMBERS.astype(np.dtypes.StringDType())
NUMBERS.astype(np.dtypes.StringDType(na_object=None))
NUMBERS.astype(object)
NUMBERS.astype("M8[D]")
NUMBERS.astype("M8[ns]")
NUMBERS.astype("m8[s]")
np.array([0.0])
np.array([-0.0])
np.array([np.nan])
np.array([])
np.zeros((0, 3))
np.zeros((3, 0))
np.array(1)
np.array("a")
np.array([{"x", "y"}, None], object)
np.zeros(2, [("a", "i4"), ("b", "f8")])
np.zeros(2, np.dtype([("a", "i4"), ("b", "f8")], align=True))
np.zeros(2, [("a", "i4"), ("c", "f8")])
np.zeros(2, [("a", "i4", (2,))])
np.zeros(2, [(("title", "a"), "i4")])
np.rec.array([(1, 2.0)], names="a,b")
np.matrix([[1, 2]])
masked()
masked(fill_value=7)
np.ma.array([1, 2, 3])
np.ma.masked
np.ma.masked_invalid([1.0, np.nan])
np.bool_(True)
np.int64(1)
np.int32(1)
np.float64(1)
np.float32(1)
np.complex128(1)
np.str_("a")
np.bytes_(b"a")
np.datetime64("2020-01-01")
np.datetime64("2020-01-01", "ns")
np.datetime64("NaT")
np.timedelta64(1, "D")
np.void(b"abc")
np.zeros(1, "i4,f8")[0]
np.dtype("f8")
np.dtype(">f8")
np.dtype("M8[ns]")
np.dtype([("a", "i4"), ("b", "f8")])
np.dtype([("a", "i4"), ("b", "f8")], align=True)
np.dtypes.StringDType()
np.dtypes.Float64DType
with_metadata("f8", unit="m")
with_metadata("f8", unit="s")
np.zeros(2, with_metadata("f8", unit="m"))
np.float64
np.sum
np.add
np.add.reduce
np.vectorize(len)
np.poly1d([1, 2])
np.polynomial.Polynomial([1, 2])
np.polynomial.Chebyshev([1, 2])
np.iinfo("i4")
np.random.default_rng(1)
np.random.default_rng(2)
drawn(np.random.default_rng(1))
np.random.RandomState(1)
drawn(np.random.RandomState(1))
drawn(np.random.RandomState(1), 2)
np.random.Generator(np.random.Philox(1))
np.random.PCG64(1)
np.random.SeedSequence(1)
np.random.SeedSequence(1).spawn(2)[1]
np.s_[1:2, ...]
np.errstate(divide="ignore")
sparse.COO.from_numpy(np.eye(3))
sparse.COO.from_numpy(np.eye(4))
sparse.COO.from_numpy(np.eye(3), fill_value=1.0)
da.ones(4, chunks=2)
da.ones(4, chunks=4)
da.from_array(np.arange(4), chunks=2)
da.from_array(np.arange(4), chunks=2) + 1
dask.bag.from_sequence([1, 2])
dask.delayed(doubled, pure=True)(1)
dask.delayed(doubled, pure=True)(2)
"""

NOT_COPIED = """
np.random.mtrand._rand
np.random.normal
masked(hard_mask=True)
np.finfo("f8")
np.finfo("f4")
"""

NOT_KEPT = """
measured(None)
measured("m")
"""

NO_DIGEST = """
np.nditer(NUMBERS)
np.broadcast(NUMBERS, NUMBERS)
"""
