"""What lies where in a store's directory, and can this version work with it?"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path

import msgspec

from rms_jupyter.errors import CannotRecord, StoreError
from rms_jupyter.store.full import reason, writing_to
from rms_jupyter.store.modes import make_folder, share
from rms_jupyter.store.small_files import read_json

FORMAT = 1
DEFAULT_NAME, MARKER = ".rms", "store.json"
_MISREAD = re.compile(r"[?\\\ud800-\udfff]")


class Marker(msgspec.Struct, frozen=True):
    """What a store says of itself: its format, its identity, and the signatures of users, by the names of their keys.

    Stores of older versions have no identity.
    """

    format: int = FORMAT
    id: str = ""
    signatures: dict[str, str] = {}


class Layout:
    """The paths of a store.

    Parameters
    ----------
    root : Path
        The store's directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.marker = root / MARKER
        self.journal = root / "journal"
        self.rejected = root / "journal" / "rejected"
        self.running = root / "running"
        self.objects = root / "objects"
        self.outputs = root / "outputs"
        self.figures = root / "figures"
        self.queue = root / "queue"
        self.settings = root / "config.toml"
        self.staging = root / "staging"
        self.arriving = self.staging  # Where journals are written that come from copies: on the disk of the store.
        self.claims = root / "claims"
        self.restoring = root / "restoring"
        self.database = root / "provenance.duckdb"

    def prepare(self, read_only: bool) -> None:
        """Make the store if it is not there, and refuse what is not a store we know.

        Raises
        ------
        StoreError
            If the path is no store, was made by a newer version, or cannot be read or written (`CannotRecord`).
        """
        try:
            self._refuse_others(read_only)
        except PermissionError as error:
            raise StoreError(
                f"the store {self.root} cannot be read: {error.strerror}",
                hint="ask whom it belongs to, or open another: %rms open PATH",
            ) from None
        if not read_only:
            self._make()

    def _refuse_others(self, read_only: bool) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(
                f"{self.root} is a file, not a store",
                hint="a store is a folder, made if it is missing: %rms open analysis.rms; pipes take files by path",
            )
        if self.marker.exists():
            self._check_format()
        elif read_only:
            raise StoreError(f"there is no store at {self.root}", hint="check the path, or open it without --read-only")
        elif self.root.exists() and any(self.root.iterdir()) and not self.journal.exists():
            raise StoreError(
                f"{self.root} is a directory with other things in it",
                hint=f"name an empty or a new directory: %rms open {self.root / DEFAULT_NAME}",
            )

    @property
    def is_being_restored(self) -> bool:
        """Whether a restore has begun to make it, and has not come to its end."""
        is_begun = self.restoring.is_file() and not self.root.is_symlink()
        return is_begun and (self.journal.is_dir() or os.listdir(self.root) == [self.restoring.name])

    def build_database_in(self, folder: Path) -> None:
        """Keep the database and what is staged for it somewhere else."""
        self.database, self.staging = folder / self.database.name, folder

    def can_hold_a_database(self) -> bool:
        """Whether DuckDB opens files in this directory: it takes some characters for something else."""
        return not _MISREAD.search(str(self.root))

    def read_marker(self) -> Marker:
        """Read what the store says of itself; of a torn marker, nothing."""
        try:
            return read_json(self.marker, Marker)
        except (OSError, ValueError):
            return Marker()

    def write_marker(self, marker: Marker) -> None:
        """Let the store say something else of itself.

        Raises
        ------
        StoreError
        """
        partial = self.marker.with_name(f".{self.marker.name}-{secrets.token_hex(8)}")
        with writing_to(self.root):
            try:
                partial.write_bytes(msgspec.json.encode(marker) + b"\n")
                share(partial)
                partial.replace(self.marker)
            except OSError:
                with contextlib.suppress(OSError):
                    partial.unlink(missing_ok=True)
                raise

    def _check_format(self) -> None:
        found = self.read_marker().format
        if found > FORMAT:
            raise StoreError(
                f"the store {self.root} was made by a newer version of rms_jupyter (format {found}, known: {FORMAT})",
                hint="pip install --upgrade rms-jupyter",
            )

    def _make(self) -> None:
        try:
            for folder in (self.root, self.journal, self.running, self.objects, self.staging):
                make_folder(folder)
            if not self.marker.exists():
                ignoring = self.root / ".gitignore"
                ignoring.write_text("*\n")
                share(ignoring)
                self.write_marker(Marker())
            if not os.access(self.journal, os.W_OK):
                raise PermissionError(13, "Permission denied")
        except OSError as error:
            raise CannotRecord(
                f"the store {self.root} cannot be written: {reason(error)}",
                hint=f"look only: %rms open {self.root} --read-only; or another place: %rms open PATH",
            ) from None


def nearest(start: Path) -> Path:
    """Find the store to use from a directory: the nearest ``.rms`` upward, else one in it.

    Examples
    --------
    >>> nearest(Path("/")).as_posix()
    '/.rms'
    """
    for folder in (start, *start.parents):
        if os.path.exists(folder / DEFAULT_NAME / MARKER):  # One that may not be read is none.
            return folder / DEFAULT_NAME
    return start / DEFAULT_NAME
