"""Where is content that is too large for a journal line?

In ``objects/ab/<digest>.<format>``: written under a temporary name, synced, renamed; identical content once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from rms_jupyter.errors import StoreError
from rms_jupyter.store.full import reason


class Objects:
    """Content by digest, as files.

    Parameters
    ----------
    folder : Path
        The store's ``objects`` directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str, format: str) -> Path:
        """Where content is, or would be."""
        return self._folder / digest[:2] / f"{digest}.{format}"

    def put(self, digest: str, format: str, write: Callable[[Path], None]) -> int:
        """Keep content unless it is there already.

        Parameters
        ----------
        digest, format : str
            Names of the content.
        write : callable
            Writes it to a path.

        Returns
        -------
        int
            Its size on disk in bytes.

        Raises
        ------
        StoreError
            If the disk is full or not writable; nothing is left behind then.
        """
        target = self.path(digest, format)
        try:
            return target.stat().st_size
        except FileNotFoundError:
            pass
        partial = target.with_name(f".{digest}.{os.getpid()}-{threading.get_ident()}.{format}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write(partial)
            fd = os.open(partial, os.O_RDONLY)
            try:
                os.fdatasync(fd)
                size = os.fstat(fd).st_size
            finally:
                os.close(fd)
            partial.replace(target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise StoreError(
                f"cannot keep a result in {self._folder}: {reason(error)}",
                hint="free some disk space or check the permissions",
            ) from error
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return size

    def exists(self, digest: str, format: str) -> bool:
        """Tell whether content is kept."""
        return self.path(digest, format).exists()

    def read(self, name: str) -> bytes:
        """Give the bytes of an object by its name, ``<digest>.<format>``.

        Raises
        ------
        FileNotFoundError
        """
        return self.path(*_split(name)).read_bytes()

    def take_in(self, name: str, data: bytes) -> None:
        """Keep the bytes of an object that was read elsewhere, unless it is here already."""

        def write(path: Path) -> None:
            path.write_bytes(data)

        self.put(*_split(name), write)

    def remove(self, name: str) -> None:
        """Remove an object by its name, if it is there."""
        self.path(*_split(name)).unlink(missing_ok=True)

    def lacks(self, name: str) -> bool:
        """Tell whether there is no object of a name here."""
        return not self.exists(*_split(name))


def _split(name: str) -> tuple[str, str]:
    digest, _, format = name.partition(".")
    return digest, format
