"""Where are copies kept?  In a folder that fsspec reaches: of this machine, over ssh, in S3, and what else it knows.

A copy has three folders. ``journal/`` holds texts of journals, each under a name that says which it is and how far it
goes (see `texts`); ``objects/`` content as it lies in a store; ``files/`` files of the project by their digests.
Nothing in it is ever written over, and what is there has come whole: under another name first, then moved.
"""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rms_jupyter.errors import StoreError
from rms_jupyter.store.layout import MARKER

PATIENCE = 60.0  # Seconds without an answer of a host.

_WHOLE_AT_ONCE = {"s3", "s3a", "gs", "gcs", "abfs", "az", "memory"}  # There an object is seen once it is complete.
_EXTRAS = {"ssh": "ssh", "sftp": "ssh", "s3": "s3", "s3a": "s3"}
_SSH = ("ssh", "sftp")


class CopyPlace:
    """A folder that holds a copy.

    Parameters
    ----------
    address : str
        A path, or what fsspec understands: ``ssh://host/folder``, ``s3://bucket/folder``.

    Raises
    ------
    StoreError
        If the address makes no sense, cannot be reached, or needs a package that is not installed.
    """

    def __init__(self, address: str | os.PathLike[str]) -> None:
        from fsspec.core import url_to_fs

        text = os.fspath(address)
        self.address = text if "://" in text else os.path.abspath(os.path.expanduser(text))
        protocol = self.address.partition("://")[0] if "://" in self.address else "file"
        try:
            self._fs, root = (
                _over_ssh(self.address) if protocol in _SSH else url_to_fs(self.address, skip_instance_cache=True)
            )
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            hint = f"pip install 'rms-jupyter[{extra}]'" if extra else f"install what fsspec needs for {protocol}"
            raise StoreError(f"{text} needs a package that is not installed: {error}", hint=hint) from None
        except ValueError as error:
            known = "a folder, ssh://host/folder or s3://bucket/folder"
            raise StoreError(f"{text} is not an address: {error}", hint=f"name {known}") from None
        except Exception as error:
            raise _unreachable(self.address, error) from None
        self._root = root.rstrip("/")
        self._at_once = protocol in _WHOLE_AT_ONCE
        self._is_here = protocol in ("file", "local")
        self._made: dict[str, int] = {}  # Folders that are there, and their modes.
        self._modes = os if self._is_here else getattr(self._fs, "ftp", None) if protocol in _SSH else None

    def refuse_store(self) -> None:
        """Refuse a folder that is a store itself, or lies in one: nobody would find there what was pushed.

        Raises
        ------
        StoreError
            Also if the place cannot be reached.
        """
        above = Path(self._root).parents if self._is_here else ()
        try:
            is_store = any(self._fs.exists(f"{folder}/{MARKER}") for folder in (self._root, *above))
        except Exception as error:
            raise _unreachable(self.address, error) from None
        if is_store:
            raise StoreError(
                f"{self.address} is a store or lies in one, and a copy needs a folder of its own",
                hint="name another folder, which those who share it push to and pull from: %rms push FOLDER",
            )

    def names(self, folder: str) -> list[str]:
        """List the names in a folder, none where there is no such folder; what is on its way is left out."""
        self._fs.invalidate_cache()
        try:
            found = self._fs.ls(self._full(folder), detail=False)
        except FileNotFoundError:
            return []
        except Exception as error:
            raise _unreachable(self.address, error) from None
        names = [path.rstrip("/").rpartition("/")[2] for path in found]
        return sorted(name for name in names if not name.startswith("."))

    def read(self, path: str) -> bytes:
        """Return what a file holds.

        Raises
        ------
        FileNotFoundError
        StoreError
            If the place cannot be reached.
        """
        self._refuse_odd(path)
        try:
            data: bytes = self._fs.cat_file(self._full(path))
        except FileNotFoundError:
            raise
        except Exception as error:
            raise _unreachable(self.address, error) from None
        return data

    def fetch(self, path: str, target: Path) -> None:
        """Copy a file to a path of this machine; see `read`."""
        self._refuse_odd(path)
        try:
            self._fs.get_file(self._full(path), str(target))
        except FileNotFoundError:
            raise
        except Exception as error:
            raise _unreachable(self.address, error) from None

    def write(self, path: str, source: bytes | Path) -> None:
        """Write a file, which appears whole or not at all."""
        target = self._full(path)
        folder, _, name = target.rpartition("/")
        partial = target if self._at_once else f"{folder}/.{name}.{uuid.uuid4().hex[:12]}"
        try:
            self._make(folder)
            if isinstance(source, bytes):
                self._fs.pipe_file(partial, source)
            else:
                self._fs.put_file(str(source), partial)
            self._share(partial, self._made.get(folder, 0) & 0o664)
            if partial != target:
                self._fs.mv(partial, target)
        except Exception as error:
            raise _unreachable(self.address, error) from None

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        try:
            self._fs.rm_file(self._full(path))
        except FileNotFoundError:
            pass
        except Exception as error:
            raise _unreachable(self.address, error) from None

    def _refuse_odd(self, path: str) -> None:
        """Take what is no file for nothing, in a folder of this machine: a pipe would not answer, a device not end."""
        full = self._full(path)
        if self._is_here and os.path.lexists(full) and not os.path.isfile(full):
            raise FileNotFoundError(full)

    def _full(self, path: str) -> str:
        return f"{self._root}/{path}"

    def _make(self, folder: str) -> None:
        """Make a folder unless it is there; it is for a group as the one above it is."""
        if folder in self._made or self._at_once:
            return
        self._made[folder] = self._mode_if_made(folder)

    def _mode_if_made(self, folder: str) -> int:
        if self._modes is None:
            self._fs.makedirs(folder, exist_ok=True)
            return 0
        try:
            mode = self._modes.stat(folder).st_mode
        except FileNotFoundError:
            above = folder.rpartition("/")[0] or "/"
            self._make(above)
            self._fs.makedirs(folder, exist_ok=True)
            self._share(folder, self._made[above] & 0o2775)
            mode = self._modes.stat(folder).st_mode
        return 0 if mode & stat.S_ISVTX else mode  # As /tmp is: for all, and each one's own.

    def _share(self, path: str, mode: int) -> None:
        """Let what was made be for the group that writes to the folder above it, whatever the user's umask."""
        if mode & 0o020 and self._modes:
            with contextlib.suppress(OSError):  # Some disks have no modes.
                self._modes.chmod(path, mode | 0o600)


def _over_ssh(address: str) -> tuple[Any, str]:
    """Reach a host, that may have another name, user, port and key in the user's ``~/.ssh/config``."""
    import fsspec
    import paramiko

    named, config = urlsplit(address), os.path.expanduser("~/.ssh/config")
    if not named.hostname:
        raise ValueError("it names no host")
    said = paramiko.SSHConfig.from_path(config).lookup(named.hostname) if os.path.exists(config) else {}
    options = {
        "host": said.get("hostname", named.hostname),
        "username": named.username or said.get("user"),
        "password": named.password,
        "port": named.port or int(said.get("port", 22)),
        "key_filename": said.get("identityfile"),
        "sock": paramiko.ProxyCommand(said["proxycommand"]) if "proxycommand" in said else None,
        "timeout": PATIENCE,
        "channel_timeout": PATIENCE,
    }
    given = {name: value for name, value in options.items() if value is not None}
    reached = fsspec.filesystem(named.scheme, skip_instance_cache=True, **given)
    reached.ftp.get_channel().settimeout(PATIENCE)  # Else a host that is gone without a word is waited for for ever.
    return reached, named.path


def _unreachable(address: str, error: Any) -> StoreError:
    words = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(error, EOFError):
        words = "the connection was cut off"
    elif isinstance(error, TimeoutError):
        words = f"there was no answer for {PATIENCE:.0f} s"
    return StoreError(f"{address} cannot be used: {words}", hint="check the address, the connection and your rights")
