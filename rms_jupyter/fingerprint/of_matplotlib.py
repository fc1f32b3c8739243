"""When are two figures, or two colour maps, the same?

A figure when the same call drew it: its state is full of caches, so it has no digest. A colour map by its colours,
which it works out when they are first asked for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import Colormap

from rms_jupyter.fingerprint.values import Walk, refuse, register, tagged


def _colormap(colours: Any, walk: Walk) -> bytes:
    table = colours(np.arange(colours.N))
    outside = [colours.get_bad(), colours.get_under(), colours.get_over()]
    return tagged("colormap", map(walk, [type(colours), colours.name, colours.colorbar_extend, table, *outside]))


register(Artist, refuse("a figure has no stable content; pass the data it shows"), subclasses=True)
register(Colormap, _colormap, subclasses=True)
