"""Which task made a figure?  What is written into the file's own metadata says it, wherever the file goes."""

from __future__ import annotations

import os
import re
import stat
import struct
import zlib
from typing import NamedTuple

_MARK = re.compile(rb"rms:task:([0-9a-f]{32}):([0-9]{1,18})(?![0-9])")
_LOOKED_AT = 1_000_000  # Bytes: metadata stand at the beginning of a file, those of a PDF at its end.
_MOST = 100
_PNG_HEADER = 33  # Bytes: what says that it is one, and how large.


class TaskMark(NamedTuple):
    """The key of a task, and when it started, in microseconds since 1970.

    Examples
    --------
    >>> str(TaskMark("0" * 32, 17))
    'rms:task:00000000000000000000000000000000:17'
    """

    key: str
    started: int

    def __str__(self) -> str:
        return f"rms:task:{self.key}:{self.started}"

    def as_metadata(self, format: str) -> dict[str, str]:
        """Return what `savefig` is to write into the metadata; each format has fields of its own.

        Examples
        --------
        >>> TaskMark("0" * 32, 17).as_metadata("pdf")
        {'Keywords': 'rms:task:00000000000000000000000000000000:17'}
        """
        if format == "eps":  # It has no other field, and says by itself who has drawn it.
            return {"Creator": f"Matplotlib, https://matplotlib.org/, {self}"}
        return {{"png": "Task", "svg": "Identifier", "pdf": "Keywords"}[format]: str(self)}


def marked(data: bytes, format: str, mark: TaskMark) -> bytes:
    """Write a mark into the metadata of a file that another library has made; JSON has it already.

    Examples
    --------
    >>> marked(b"<head></head>", "html", TaskMark("0" * 32, 17))
    b'<head><meta name="task" content="rms:task:00000000000000000000000000000000:17"></head>'
    """
    text = str(mark).encode()
    match format:
        case "html":
            return data.replace(b"<head>", b'<head><meta name="task" content="' + text + b'">', 1)
        case "svg":
            return re.sub(rb"<svg\b[^>]*>", lambda tag: tag[0] + b"<metadata>" + text + b"</metadata>", data, count=1)
        case "pdf":
            return data + b"%" + text + b"\n"
        case "png":
            chunk = b"tEXtTask\0" + text
            packed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
            return data[:_PNG_HEADER] + packed + data[_PNG_HEADER:]
    return data


def marks_in(path: str | os.PathLike[str]) -> list[TaskMark]:
    """Find the marks in a file, whoever made it: none of it is parsed; of what cannot be read, there are none."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return []
        with open(path, "rb") as file:
            data = file.read(_LOOKED_AT)
            end = file.seek(0, os.SEEK_END)
            file.seek(max(len(data), end - _LOOKED_AT))
            data += file.read(_LOOKED_AT)
    except (OSError, ValueError):
        return []
    found = (TaskMark(key.decode(), int(started)) for key, started in _MARK.findall(data))
    return list(dict.fromkeys(found))[:_MOST]
