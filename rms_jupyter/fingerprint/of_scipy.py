"""When are two sparse matrices the same?

Same class, shape, dtypes and stored entries, in the order in which they are stored; what scipy has found out about
that order and remembers does not count.
"""

from __future__ import annotations

from typing import Any

from scipy.sparse import sparray, spmatrix

from rms_jupyter.fingerprint.values import Walk, register, tagged


def _sparse(matrix: Any, walk: Walk) -> bytes:
    state = {name: value for name, value in vars(matrix).items() if not name.lstrip("_").startswith("has_")}
    return tagged("sparse", [walk(type(matrix)), walk(state)])


register(sparray, _sparse, subclasses=True)
register(spmatrix, _sparse, subclasses=True)
