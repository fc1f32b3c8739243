"""How is a store looked at that no notebook has open?  By a kernel of the sidebar's own, which writes nothing."""

from __future__ import annotations

from pathlib import Path

from rms_jupyter import opening
from rms_jupyter.errors import StoreError
from rms_jupyter.store.layout import nearest
from rms_jupyter.working_folder import working_folder


def look() -> None:
    """Open the store of the working folder read-only.

    That is the nearest ``.rms`` upward; else, of the stores that lie in the folder, the one that was last written.

    Raises
    ------
    StoreError
        If there is none.
    """
    folder = Path(working_folder())
    beside = sorted((path.parent for path in folder.glob("*/store.json")), key=_last_written)
    found = [*beside, nearest(folder)]
    store = next((path for path in reversed(found) if (path / "store.json").exists()), None)
    if store is None:
        raise StoreError("there is no store beside the notebook, nor in a folder above", hint="%rms open makes one")
    opening.open(store, read_only=True)


def _last_written(store: Path) -> float:
    return max(path.stat().st_mtime for path in (store, *store.iterdir()))
