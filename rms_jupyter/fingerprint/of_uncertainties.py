"""When are two numbers with errors the same?  Identity tells which errors they share; so they have no digest."""

from __future__ import annotations

from rms_jupyter.fingerprint.values import refuse, register_by_name

register_by_name("uncertainties.core.AffineScalarFunc", refuse("which errors it shares is not in it; pass the numbers"))
