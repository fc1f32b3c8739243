"""What has the user put on classes of packages: methods, and accessors such as ``frame.lab``?

Of which classes the objects are that a function gets is not known from its code. So those are looked at that people put
things on, for the attributes that the code names.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Collection, Iterator
from typing import Any

from rms_jupyter.fingerprint.anatomy import getattr_or_none
from rms_jupyter.fingerprint.named_in_packages import is_mock
from rms_jupyter.fingerprint.origin import kind_of, kind_of_function

_CLASSES = {
    "pandas": ("DataFrame", "Series", "Index"),
    "xarray": ("DataArray", "Dataset"),
    "polars": ("DataFrame", "LazyFrame", "Series", "Expr"),
    "networkx": ("Graph", "DiGraph"),
    "matplotlib.axes": ("Axes",),
    "matplotlib.figure": ("Figure",),
    "sklearn.base": ("BaseEstimator",),
}
_OF_ACCESSORS = ("_accessor", "_ns", "fget", "func", "__func__")  # In pandas and xarray, in polars, in Python.

Put = tuple[type, str, Any]


def put_on_classes(names: Collection[str], others: Collection[type]) -> Iterator[Put]:
    """Find the attributes with some names that are code of the user's, on classes of packages.

    Parameters
    ----------
    names : collection of str
    others : collection of type
        Classes of packages to look at beside those that people put things on.
    """
    known = (getattr_or_none(sys.modules.get(module), name) for module, of in _CLASSES.items() for name in of)
    for cls in dict.fromkeys([*filter(None, known), *others]):
        for name in sorted(vars(cls).keys() & names):
            if (code := _of_the_user(vars(cls)[name])) is not None:
                yield cls, name, code


def _of_the_user(member: Any) -> Any:
    inner = (getattr_or_none(member, name) for name in _OF_ACCESSORS)
    for code in (member, *inner):
        if isinstance(code, types.FunctionType) and kind_of_function(code) == "user":
            return code
        if isinstance(code, type) and kind_of(code.__module__) == "user":
            return code
        if is_mock(code):
            return code
    return None
