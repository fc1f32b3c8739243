"""When are two sets of parameters the same?  When the parameters are, in order, and the names they may use."""

from __future__ import annotations

from typing import Any

from rms_jupyter.fingerprint.values import Walk, register_by_name, tagged


def _parameters(parameters: Any, walk: Walk) -> bytes:
    """Describe parameters; the names were put together from a set, so that their order is another in each process."""
    walk.doubts = True
    state = parameters.__reduce__()[2]
    symbols = sorted(state["unique_symbols"].items(), key=lambda item: item[0])
    return tagged("parameters", map(walk, [type(parameters), state["params"], symbols]))


register_by_name("lmfit.parameter.Parameters", _parameters)
