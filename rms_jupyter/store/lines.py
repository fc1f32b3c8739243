"""How is a record written down, and is a line intact?

A line is eight hex digits of the CRC-32 of its JSON, a space, the JSON, and a newline. JSON holds no raw newline, so a
span of bytes can be cut into lines wherever it was torn.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

_PREFIX = 9


def line_of(json: bytes) -> bytes:
    r"""Write a record's JSON as a line.

    Examples
    --------
    >>> line_of(b'{"a":1}')
    b'561bacaf {"a":1}\n'
    """
    return b"%08x %b\n" % (crc32(json), json)


def json_of(line: bytes) -> bytes | None:
    """Give the JSON of a line (with or without its newline), or None when the line is damaged."""
    json = line[_PREFIX:].removesuffix(b"\n")
    try:
        return json if len(json) > 1 and int(line[: _PREFIX - 1], 16) == crc32(json) else None
    except ValueError:
        return None


def lines_of(span: bytes, start: int = 0) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Cut a span into (offset, line, JSON or None); what follows the last newline is left out.

    Parameters
    ----------
    span : bytes
        Part of a journal that begins at a line.
    start : int
        Offset of the span in its journal.
    """
    place, end = 0, span.rfind(b"\n") + 1
    while place < end:
        stop = span.index(b"\n", place) + 1
        line = span[place:stop]
        yield start + place, line, json_of(line)
        place = stop
