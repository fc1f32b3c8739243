"""When are two sparse matrices the same, and two splines or trees?

Same class, shape, dtypes and stored entries, in the order in which they are stored; what scipy has found out about
that order and remembers does not count. A spline by what it was fitted to and became, without the memory that the
fitting left behind; a tree by its points, not by where its nodes are in memory.
"""

from __future__ import annotations

from typing import Any

from scipy.sparse import sparray, spmatrix

from rms_jupyter.fingerprint.recipes import attributes_of, by_attributes
from rms_jupyter.fingerprint.values import Walk, register, register_by_name, tagged


def _sparse(matrix: Any, walk: Walk) -> bytes:
    state = {name: value for name, value in vars(matrix).items() if not name.lstrip("_").startswith("has_")}
    return tagged("sparse", [walk(type(matrix)), attributes_of(type(matrix), state, walk)])


def _spline(spline: Any, walk: Walk) -> bytes:
    """Describe a spline by its points, weights, bounds, degree, smoothing and coefficients."""
    return tagged("spline", map(walk, [type(spline), spline._data[:7], spline._eval_args, spline.ext]))


register(sparray, _sparse, subclasses=True)
register(spmatrix, _sparse, subclasses=True)
register_by_name("scipy.interpolate._fitpack2.UnivariateSpline", _spline)
register_by_name(
    "scipy.signal._short_time_fft.ShortTimeFFT",
    by_attributes("win hop fs mfft scaling fft_mode phase_shift dual_win"),
)
register_by_name("scipy.spatial._ckdtree.cKDTree", by_attributes("data leafsize boxsize indices"))
