"""When are two figures the same?  When the same call drew them: their state is full of caches, so it has no digest."""

from __future__ import annotations

from matplotlib.artist import Artist

from rms_jupyter.fingerprint.values import refuse, register

register(Artist, refuse("a figure has no stable content; pass the data it shows"), subclasses=True)
