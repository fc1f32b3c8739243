"""How is a finished journal kept small and still read at any place?

As zstd frames of 256 KiB each, with a seek table behind them: Zstandard's "seekable format" (contrib/seekable_format
in the zstd repository), which any zstd reads as one stream.
"""

from __future__ import annotations

import functools
import os
import struct
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

FRAME = 256 * 1024
_SKIPPABLE, _SEEKABLE = 0x184D2A5E, 0x8F92EAB1
_ENTRY, _FOOTER = struct.Struct("<II"), struct.Struct("<IBI")


def seal(source: Path, target: Path) -> None:
    """Compress a journal to `target`, which appears whole or not at all, and remove the source."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=1)
    partial = target.with_suffix(f".{os.getpid()}.tmp")
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
    partial.replace(target)
    source.unlink()


class SealedJournal:
    """Random access to a sealed journal, by offsets of the text it was made from."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._file.seek(-_FOOTER.size, os.SEEK_END)
        count, _, magic = _FOOTER.unpack(self._file.read(_FOOTER.size))
        if magic != _SEEKABLE:
            raise ValueError(f"{path.name} has no seek table")
        self._file.seek(-_FOOTER.size - count * _ENTRY.size, os.SEEK_END)
        entries = list(_ENTRY.iter_unpack(self._file.read(count * _ENTRY.size)))
        self._packed = [0, *accumulate(packed for packed, _ in entries)]
        self._plain = [0, *accumulate(plain for _, plain in entries)]
        self.size = self._plain[-1]
        self._frame = functools.lru_cache(maxsize=8)(self._read_frame)

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
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.close()

    def _read_frame(self, number: int) -> bytes:
        import zstandard

        packed = os.pread(self._file.fileno(), self._packed[number + 1] - self._packed[number], self._packed[number])
        return zstandard.ZstdDecompressor().decompress(packed)
