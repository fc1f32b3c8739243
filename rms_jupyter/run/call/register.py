"""How does a file that nobody computed come on record?"""

from __future__ import annotations

import msgspec

from rms_jupyter.errors import StaleInputError
from rms_jupyter.fingerprint.files import FileDigests
from rms_jupyter.run.task.outputs import file_resource
from rms_jupyter.store.store import Store, status_record


def register_file(store: Store, files: FileDigests, path: str, force: bool = False) -> int:
    """Put a file on record.

    Parameters
    ----------
    store, files
    path : str
        Absolute path.
    force : bool
        Record the content as it is now, although another was recorded.

    Returns
    -------
    int
        The id of the file on record; the same as before if nothing has changed.

    Raises
    ------
    StaleInputError
        If the content is another than was recorded, and `force` is not given.
    """
    resource = file_resource(path, files)
    known = store.find_path(path)
    if known is not None and not store.status(known[0]):
        if known[1].digest == resource.digest:
            return known[0]
        if not force:
            raise StaleInputError(
                f"{path} has changed since it was recorded",
                hint=f"if the new content is right: register_file({path!r}, force=True)",
            )
    record = msgspec.structs.replace(resource, k=store.next_k())
    if known is None or store.status(known[0]):
        return store.append(record)
    return store.append_all([status_record([known[0]], "overwritten", store.next_k()), record])[-1]
