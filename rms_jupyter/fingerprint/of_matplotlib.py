"""When are two figures the same?  When the same call drew them: their state is full of caches, so it has no digest."""

from __future__ import annotations

from typing import Any

from matplotlib.artist import Artist

from rms_jupyter.fingerprint.values import Undigestable, Walk, register


def _refuse(artist: Any, walk: Walk) -> bytes:
    raise Undigestable(f"{type(artist).__qualname__}: a figure has no stable content; pass the data it shows")


register(Artist, _refuse, subclasses=True)
