"""How do further libraries have their options now, where that is not how they come?

Each is asked only by code that works with it. NumPy, pandas, matplotlib and decimal are in `settings`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

OPTIONS: dict[str, tuple[str, ...]] = {
    "sklearn": ("options of scikit-learn",),
    "xarray": ("options of xarray", "how xarray prints", "how numpy treats errors", "how numpy prints"),
    "mpmath": ("the precision of mpmath",),
    "sympy": ("assumptions of sympy",),
    "polars": ("how polars prints",),
    "pint": ("how pint prints",),
    "astropy": ("defaults of astropy",),
    "plotly": ("the template of plotly",),
    "altair": ("the theme of altair",),
    "dask": ("options of dask",),
}
IN_TEXT = ("how xarray prints", "how polars prints", "how pint prints")

_SKLEARN_SPEED = ("working_memory", "pairwise_dist_chunk_size", "enable_cython_pairwise_dist", "display")
_XARRAY = {
    "arithmetic_broadcast": True,
    "arithmetic_compat": "minimal",
    "arithmetic_join": "inner",
    "keep_attrs": "default",
    "use_new_combine_kwarg_defaults": False,
}
_XARRAY_PRINTS = {
    "display_max_children": 12,
    "display_max_rows": 12,
    "display_max_items": 20,
    "display_values_threshold": 200,
    "display_style": "html",
    "display_width": 80,
    "display_expand_attrs": "default",
    "display_expand_coords": "default",
    "display_expand_data_vars": "default",
    "display_expand_data": "default",
    "display_expand_indexes": "default",
    "display_default_indexes": False,
}
_OF_DASK = ("array", "dataframe", "tokenize")
_POLARS = {
    "set_fmt_float": "mixed",
    "set_float_precision": None,
    "set_thousands_separator": "",
    "set_decimal_separator": ".",
    "set_trim_decimal_zeros": False,
}


def others(now: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is there of some settings, and not as usual."""
    return {name: now[name] for name, value in usual.items() if name in now and now[name] != value}


def _sklearn() -> dict[str, Any]:
    usual = dict(sys.modules["sklearn._config"]._global_config)
    for name in _SKLEARN_SPEED:
        usual.pop(name, None)
    return others(sys.modules["sklearn"].get_config(), usual)


def _mpmath() -> str:
    working = sys.modules["mpmath"].mp
    return "" if (working.prec, working.pretty) == (53, False) else repr((working.prec, working.pretty))


def _sympy() -> str:
    assumed = sys.modules["sympy.assumptions.assume"].global_assumptions
    return ", ".join(sorted(map(str, assumed)))


def _polars() -> dict[str, Any]:
    now = sys.modules["polars"].Config.state(if_set=True)
    return {name: value for name, value in now.items() if name not in _POLARS or value != _POLARS[name]}


def _pint() -> str:
    registry = sys.modules["pint"].application_registry.get()
    is_used = type(registry).__name__ != "LazyRegistry"
    return str(registry.formatter.default_format) if is_used else ""


def _astropy() -> dict[str, Any]:
    found: dict[str, Any] = {}
    if cosmology := sys.modules.get("astropy.cosmology"):
        found["cosmology"] = cosmology.default_cosmology.get().name
    if solar_system := sys.modules.get("astropy.coordinates.solar_system"):
        found["ephemeris"] = str(solar_system.solar_system_ephemeris.get())
    usual = {"cosmology": "Planck18", "ephemeris": "builtin"}
    return {name: value for name, value in found.items() if value != usual[name]}


def _dask() -> dict[str, Any]:
    """Those by which it computes, not where: a client sets others."""
    config = sys.modules["dask.config"]
    return others({name: config.config.get(name) for name in _OF_DASK}, config.merge(*config.defaults))


def _other_than(usual: str, now: str) -> str:
    return "" if now == usual else now


LOOKS: dict[str, Callable[[], dict[str, Any] | str]] = {
    "options of scikit-learn": _sklearn,
    "options of xarray": lambda: others(sys.modules["xarray"].get_options(), _XARRAY),
    "how xarray prints": lambda: others(sys.modules["xarray"].get_options(), _XARRAY_PRINTS),
    "the precision of mpmath": _mpmath,
    "assumptions of sympy": _sympy,
    "how polars prints": _polars,
    "how pint prints": _pint,
    "defaults of astropy": _astropy,
    "the template of plotly": lambda: _other_than("plotly", str(sys.modules["plotly.io"].templates.default)),
    "options of dask": _dask,
    "the theme of altair": lambda: _other_than("default", str(sys.modules["altair"].theme.active)),
}
