"""When are two objects of xarray the same?

Same class, names, dimensions, coordinates, attributes, encodings, indexes and values, in the same order. What a file
holds that was not loaded yet is not known, and so has no digest.
"""

from __future__ import annotations

from typing import Any

import xarray as xr
from xarray.core.indexes import Indexes, PandasIndex

from rms_jupyter.fingerprint.values import Undigestable, Walk, register, tagged


def _variable(variable: Any, walk: Walk) -> bytes:
    if variable._in_memory or isinstance(variable, xr.IndexVariable):
        data = variable.values
    elif variable.chunks is not None:
        data = variable.data
    else:
        raise Undigestable("xarray: it was not read from its file yet; pass the path, or call load() before")
    return tagged("variable", map(walk, [type(variable), variable.dims, data, variable.attrs, variable.encoding]))


def _array(array: Any, walk: Walk) -> bytes:
    coords = {name: coord.variable for name, coord in array.coords.items()}
    walk.doubts = True
    parts = map(walk, [type(array), array.name, array.variable, coords])
    return tagged("data array", [*parts, _indexes(array, walk)])


def _dataset(dataset: Any, walk: Walk) -> bytes:
    variables = dict(dataset.variables)
    walk.doubts = True
    about = [type(dataset), variables, set(dataset.coords), dict(dataset.sizes), dataset.attrs, dataset.encoding]
    return tagged("dataset", [*map(walk, about), _indexes(dataset, walk)])


def _tree(tree: Any, walk: Walk) -> bytes:
    """Describe a node by all of its tree, and where in it the node is."""
    nodes = {node.path: node.to_dataset(inherit=False) for node in tree.root.subtree}
    return tagged("tree", map(walk, [type(tree), tree.root.name, tree.path, nodes]))


def _indexes(labelled: Any, walk: Walk) -> bytes:
    return tagged("indexes", map(walk, (item for pair in labelled.xindexes.items() for item in pair)))


def _indexes_alone(indexes: Any, walk: Walk) -> bytes:
    variables = {name: indexes.variables[name] for name in indexes}
    return tagged("all indexes", map(walk, [type(indexes), dict(indexes), variables]))


def _pandas_index(index: Any, walk: Walk) -> bytes:
    return tagged("pandas index", map(walk, [type(index), index.index, index.dim]))


register(xr.Variable, _variable, subclasses=True)
register(xr.DataArray, _array, subclasses=True)
register(xr.Dataset, _dataset, subclasses=True)
register(Indexes, _indexes_alone)
register(PandasIndex, _pandas_index, subclasses=True)
if hasattr(xr, "DataTree"):
    register(xr.DataTree, _tree, subclasses=True)
