"""Arrays with labels: xarray, over numpy, dask and pandas."""

import numpy as np
import pandas as pd
import xarray as xr


def array(name="t", **attrs):
    return xr.DataArray(np.arange(6.0).reshape(2, 3), {"y": [1, 2], "x": list("abc")}, ("y", "x"), name, attrs)


def dataset(**attrs):
    return xr.Dataset({"t": array(), "p": ("y", [1.0, 2.0])}, {"time": pd.Timestamp("2020")}, attrs)


def encoded():
    made = array()
    made.encoding["dtype"] = "f4"
    return made


def tree():
    return xr.DataTree.from_dict({"/": dataset(), "/fine": dataset(kind="fine")})


VALUES = """
array()
array("u")
array(None)
array(unit="K")
array(unit="C")
array().assign_coords(x=list("abd"))
array().T
array() + 1
array().isel(y=0)
array().drop_vars("x")
array().chunk(y=1)
array().astype("f4")
array().stack(z=("y", "x"))
encoded()
xr.DataArray(pd.date_range("2020", periods=3), dims="t")
xr.DataArray(np.float64(1))
dataset()
dataset(source="a")
dataset()[["p", "t"]]
dataset()[["t"]]
dataset().isel(x=[0, 1])
dataset().set_coords("p")
dataset().chunk()
xr.Dataset()
xr.Variable("x", [1, 2])
xr.Variable("x", [1, 2], {"unit": "m"})
xr.IndexVariable("x", [1, 2])
xr.Coordinates({"x": [1, 2]})
tree()
array().groupby("x")
array().rolling(x=2)
array().coords
array().indexes
array().x
"""
