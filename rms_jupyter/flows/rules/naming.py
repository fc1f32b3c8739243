"""How is a file called, where its name is taken?"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator


def available_name(path: str | os.PathLike[str]) -> str:
    """Return a path at which nothing is: as it is given, or with ``_1``, ``_2``, ... before its ending.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str

    Examples
    --------
    >>> import pathlib, tempfile
    >>> results = pathlib.Path(tempfile.mkdtemp(), "results.h5r")
    >>> pathlib.Path(available_name(results)).name
    'results.h5r'
    >>> results.touch()
    >>> pathlib.Path(available_name(results)).name
    'results_1.h5r'
    """
    return next(name for name in numbered(os.fspath(path)) if not os.path.lexists(name))


def numbered(path: str) -> Iterator[str]:
    """Return a path, then the same with ``_1``, ``_2``, ... before its ending.

    Examples
    --------
    >>> list(itertools.islice(numbered("a.b/c"), 3))
    ['a.b/c', 'a.b/c_1', 'a.b/c_2']
    """
    stem, ending = os.path.splitext(path)
    yield path
    for number in itertools.count(1):
        yield f"{stem}_{number}{ending}"
