"""How is a finished journal kept small and still read at any place?

As zstd frames of 256 KiB each, with a seek table behind them: Zstandard's "seekable format" (contrib/seekable_format
in the zstd repository), which any zstd reads as one stream. What is damaged reads as zeros, which are no lines; without
its table, it is read from its beginning as far as that goes.
"""

from __future__ import annotations

import contextlib
import functools
import os
import struct
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from rms_jupyter.store.modes import share

FRAME = 256 * 1024
_SKIPPABLE, _SEEKABLE = 0x184D2A5E, 0x8F92EAB1
_ENTRY, _FOOTER = struct.Struct("<II"), struct.Struct("<IBI")


def seal(source: Path, target: Path) -> None:
    """Compress a journal to `target`, which appears whole or not at all, and remove the source.

    The caller has locked the source. A target that holds all of it is what another process has made that died then.

    Raises
    ------
    OSError
        If the disk is full, or not writable; then all is as it was.
    """
    if not _holds_all(source, target):
        partial = source.with_name(f".sealing-{source.stem}")
        try:
            _compress(source, partial)
            share(partial)
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync(target.parent)
    source.unlink()


def _compress(source: Path, partial: Path) -> None:
    import zstandard

    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    entries = []
    with source.open("rb") as plain, partial.open("wb") as packed:
        while block := plain.read(FRAME):
            frame = compressor.compress(block)
            packed.write(frame)
            entries.append(_ENTRY.pack(len(frame), len(block)))
        table = b"".join(entries) + _FOOTER.pack(len(entries), 0, _SEEKABLE)
        packed.write(struct.pack("<II", _SKIPPABLE, len(table)) + table)
        packed.flush()
        os.fsync(packed.fileno())


def _holds_all(source: Path, target: Path) -> bool:
    if not target.exists():
        return False
    try:
        sealed = SealedJournal(target)
    except OSError:
        return False
    return not sealed.flaw and sealed.size >= source.stat().st_size


def _sync(folder: Path) -> None:
    """Have the name of a new file on the disk before that of the old one goes."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # Not all file systems can.
            os.fsync(fd)
    finally:
        os.close(fd)


class SealedJournal:
    """Random access to a sealed journal, by offsets of the text it was made from.

    Attributes
    ----------
    size : int
        Of the text, in bytes.
    flaw : str
        What is wrong with the file as a whole, if anything.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY)
        self.flaw = ""
        self._salvaged = b""
        self._frame = functools.lru_cache(maxsize=8)(self._read_frame)
        try:
            entries = self._entries()
        except (OSError, ValueError, struct.error):
            self._salvaged = _beginning(path)
            self.flaw = f"only the first {len(self._salvaged):,} bytes of its text can be read"
            entries = [(0, len(self._salvaged))]
        self._packed = [0, *accumulate(packed for packed, _ in entries)]
        self._plain = [0, *accumulate(plain for _, plain in entries)]
        self.size = self._plain[-1]

    def read(self, start: int, end: int) -> bytes:
        """Read the bytes from `start` up to `end` of the original text."""
        end = min(end, self.size)
        parts = []
        number = bisect_right(self._plain, start) - 1
        while start < end:
            base = self._plain[number]
            part = self._frame(number)[start - base : end - base]
            parts.append(part)
            start += len(part)
            number += 1
        return b"".join(parts)

    def close(self) -> None:
        """Release the file."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            self.close()

    def _entries(self) -> list[tuple[int, int]]:
        size = os.fstat(self._fd).st_size
        count, _, magic = _FOOTER.unpack(os.pread(self._fd, _FOOTER.size, max(0, size - _FOOTER.size)))
        start = size - _FOOTER.size - count * _ENTRY.size
        if magic != _SEEKABLE or start < 8:
            raise ValueError("no seek table")
        entries = list(_ENTRY.iter_unpack(os.pread(self._fd, count * _ENTRY.size, start)))
        if sum(packed for packed, _ in entries) + 8 != start or any(plain > FRAME for _, plain in entries):
            raise ValueError("another seek table")
        return entries

    def _read_frame(self, number: int) -> bytes:
        import zstandard

        if self._salvaged:
            return self._salvaged
        start, length = self._packed[number], self._plain[number + 1] - self._plain[number]
        packed = os.pread(self._fd, self._packed[number + 1] - start, start)
        try:
            plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=length)
        except zstandard.ZstdError:
            plain = b""
        return plain if len(plain) == length else bytes(length)


def _beginning(path: Path) -> bytes:
    """Read as much of the text as comes before the damage."""
    import zstandard

    parts = []
    with path.open("rb") as file, contextlib.suppress(zstandard.ZstdError, OSError):
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        while part := reader.read(FRAME):
            parts.append(part)
    return b"".join(parts)
