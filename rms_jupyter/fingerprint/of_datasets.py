"""When are two Arrow datasets the same?  Nobody knows before they are read, so they have no digest."""

from __future__ import annotations

from pyarrow.dataset import Dataset, Fragment, Scanner

from rms_jupyter.fingerprint.values import refuse, register

for _cls in (Dataset, Fragment, Scanner):
    register(_cls, refuse("what it will read is not known yet; pass the paths, or the table"), subclasses=True)
