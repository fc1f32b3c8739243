"""Which attributes of an object only remember what can be found out again, or where it is?  They do not count.

Known are: what a cached property has put there, whatever library the property is from; private attributes of a
package's classes whose names end in ``cache``; and, by name, those of the tables below.
"""

from __future__ import annotations

import functools
import types
from typing import Any

from rms_jupyter.fingerprint.origin import kind_of_class

_WORDS = ("cache", "lazy", "reify")
_SCALARS = (bool, int, float, str, bytes)

_ONLY_REMEMBERED = {
    "astropy.modeling.core.CompoundModel": "_tdict _leaflist _fittable",
    "astropy.modeling.core.Model": "_parameters _constraints_cache _sync_constraints",
    "astropy.modeling.parameters.Parameter": "_model",
    "astropy.time.core.TimeBase": "_delta_ut1_utc _delta_tdb_tt SCALES",
    "dateutil.rrule.rrulebase": "_len _cache _cache_complete _cache_gen _cache_lock",
    "matplotlib.colors.Normalize": "callbacks",
    "matplotlib.path.Path": "_readonly",
    "matplotlib.transforms.TransformNode": "_parents _invalid _inverted",
    "scipy.sparse.linalg._interface.LinearOperator": "_MatrixLinearOperator__adj",
    "scipy.spatial._qhull.Delaunay": "_transform _vertex_to_simplex _vertex_neighbor_vertices",
    "sklearn.feature_extraction.text._VectorizerMixin": "_stop_words_id",
    "sklearn.utils._bunch.Bunch": "_deprecated_key_to_warnings",
    "statsmodels.regression.linear_model.RegressionModel": "_df_model _df_resid rank",
    "xarray.core.groupby.GroupBy": "_dims _groups _sizes",
}


@functools.cache
def remembered(cls: type) -> frozenset[str]:
    """Name the attributes that do not count, in instances of a class.

    Examples
    --------
    >>> class Sample:
    ...     @functools.cached_property
    ...     def total(self): ...
    >>> remembered(Sample)
    frozenset({'total'})
    """
    names = {name for base in cls.__mro__ for name, member in vars(base).items() if _is_lazy(member)}
    return frozenset(names.union(*(_ONLY_REMEMBERED.get(full_name(base), "").split() for base in cls.__mro__)))


def looks_remembered(name: Any, value: Any) -> bool:
    """Whether an attribute of a class of a package only remembers, by its looks.

    That is ``_cache``, unless it is a switch or a limit; and what astropy hangs on an array that nothing was said of.
    """
    if name == "info":
        return hasattr(value, "_attrs") and not said_of_column(value)
    is_private = type(name) is str and name.startswith("_")
    return is_private and name.rstrip("_").endswith("cache") and type(value) not in _SCALARS


def said_of_column(info: Any) -> dict[str, Any]:
    """Give what was said of a column of astropy, without whose it is."""
    names = ("name", "unit", "format", "description", "meta")
    said = {name: (info._attrs or {}).get(name) for name in names}
    return {name: item for name, item in said.items() if item is not None}


@functools.cache
def is_of_a_package(cls: type) -> bool:
    """Whether a class is not the user's."""
    return kind_of_class(cls) != "user"


def module_of(thing: Any) -> str:
    """Name the module that a class or function says it is of; Cython's kinds of functions say nothing that can be read.

    Examples
    --------
    >>> module_of(int), module_of(type("Made", (), {"__module__": None}))
    ('builtins', '')
    """
    module = getattr(thing, "__module__", None)
    return module if isinstance(module, str) else ""


def library_of(value: Any) -> str:
    """Name the library that the class of a value says it is of.

    Examples
    --------
    >>> import collections.abc
    >>> library_of(3), library_of(collections.abc.Hashable)
    ('builtins', 'abc')
    """
    return module_of(type(value)).partition(".")[0]


def full_name(cls: type) -> str:
    """Name a class with its module.

    Examples
    --------
    >>> full_name(int)
    'builtins.int'
    """
    return f"{module_of(cls)}.{cls.__qualname__}"


def _is_lazy(member: Any) -> bool:
    kind = type(member)
    if isinstance(member, functools.cached_property):
        return True
    is_descriptor = hasattr(kind, "__get__") and kind is not types.FunctionType
    return is_descriptor and any(word in kind.__name__.lower() for word in _WORDS)
