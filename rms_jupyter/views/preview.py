"""What does a value or file look like at a glance?  Nothing is unpickled, and nothing large is read for it."""

from __future__ import annotations

import base64
import csv
import os
import re
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct

from rms_jupyter import model
from rms_jupyter.errors import words_of
from rms_jupyter.harmless import cut, one_line
from rms_jupyter.store.store import Store


class TextGlimpse(Struct, frozen=True, tag_field="kind", tag="text"):
    """The beginning of a text, or a few words on a value."""

    text: str


class ImageGlimpse(Struct, frozen=True, tag_field="kind", tag="image"):
    """A picture: its media type, and its bytes as base64."""

    type: str
    data: str


class TableGlimpse(Struct, frozen=True, tag_field="kind", tag="table"):
    """The first rows and columns of a table of so many rows."""

    columns: list[str]
    rows: list[list[str]]
    total: int


Glimpse = TextGlimpse | ImageGlimpse | TableGlimpse

IMAGES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
}
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_FRAMES = {"arrow", "table.arrow", "polars.arrow"}
_LARGEST, _LARGEST_IMAGE, _HEAD = 50_000_000, 2_000_000, 4096
_ROWS, _COLUMNS, _SAMPLE = 8, 12, 1_000_000


def glimpse(store: Store, resource: model.ResourceRecord) -> Glimpse | None:
    """Look at a resource; None where there is nothing to be seen."""
    try:
        if resource.kind == "file" or resource.path:
            return _of_file(resource)
        if resource.format == "json":
            return _text(repr(resource.value))
        if resource.format in _FRAMES and resource.size <= _LARGEST:
            return _of_frame(store.restore(resource))
        if resource.format.endswith("npy"):
            return _text(_of_array(store.restore(resource)))
        if resource.format == "txt" and resource.size <= _LARGEST:
            return _text(store.restore(resource))
    except FileNotFoundError:
        return _text("the file is not there")
    except Exception as error:  # It is damaged, gone, or needs a library that is not here.
        return _text(f"cannot be shown: {words_of(error)}")
    return _text(resource.preview) if resource.preview else None


def picture_of(displays: list[dict[str, Any]]) -> Glimpse | None:
    """Find the first picture among what a task showed."""
    for bundle in displays:
        for kind in ("image/png", "image/jpeg"):
            data = bundle.get(kind)
            if isinstance(data, str) and len(data) <= 4 * _LARGEST_IMAGE // 3:
                return ImageGlimpse(kind, data.strip())
    return None


def _text(text: str) -> Glimpse:
    return TextGlimpse(cut(text, 2000))


def _of_file(resource: model.ResourceRecord) -> Glimpse | None:
    state, found = resource.state, os.stat(resource.path)
    if state is None or (found.st_size, found.st_mtime_ns) != (state.size, state.mtime_ns):
        return _text("the file has changed since")
    kind = IMAGES.get(os.path.splitext(resource.path)[1].lower())
    if kind and found.st_size <= _LARGEST_IMAGE:
        with open(resource.path, "rb") as file:
            return ImageGlimpse(kind, base64.b64encode(file.read()).decode())
    separator = _SEPARATORS.get(os.path.splitext(resource.path)[1].lower())
    if separator and found.st_size <= _LARGEST_IMAGE and (table := _of_rows(resource.path, separator)):
        return table
    with open(resource.path, "rb") as file:
        head = file.read(_HEAD)
    if b"\0" in head:
        return None
    text = head.decode("utf-8", "replace")
    return _text(text if len(head) < _HEAD else f"{text.rpartition(chr(10))[0] or text}\n…")


def _of_rows(path: str, separator: str) -> Glimpse | None:
    """Read a table of text; None where its first line does not name columns, or lines are not of one length."""
    with suppress(csv.Error), open(path, encoding="utf-8", errors="replace", newline="") as file:
        names, *rows = list(csv.reader(file, delimiter=separator)) or [[]]
        numbers = any(re.match(r"\s*[-+.\d]", name) for name in names)
        if len(names) > 1 and rows and not numbers and {len(row) for row in rows} == {len(names)}:
            shown = [[one_line(cell, 60) for cell in row[:_COLUMNS]] for row in [names, *rows[:_ROWS]]]
            return TableGlimpse(shown[0], shown[1:], len(rows))
    return None


def _of_frame(frame: Any) -> Glimpse:
    total = len(frame)
    head = frame.slice(0, _ROWS) if hasattr(frame, "slice") else frame.head(_ROWS)
    names = list(getattr(head, "column_names", head.columns))[:_COLUMNS]
    columns = [list(head[name].to_pylist() if hasattr(head[name], "to_pylist") else head[name]) for name in names]
    rows = [[one_line(_cell(value), 60) for value in row] for row in zip(*columns, strict=True)]
    return TableGlimpse([one_line(str(name), 60) for name in names], rows, total)


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _of_array(array: Any) -> str:
    import numpy as np

    lines = [f"{array.dtype} {array.shape}"]
    if array.size and array.dtype.kind in "biuf":
        part = array.reshape(-1)[:_SAMPLE]
        of = f" of the first {_SAMPLE:,}" if array.size > _SAMPLE else ""
        lines.append(f"from {np.nanmin(part):g} to {np.nanmax(part):g}, mean {np.nanmean(part):g}{of}")
    lines.append(np.array2string(array.reshape(-1)[:20], threshold=20) + (" …" if array.size > 20 else ""))
    return "\n".join(lines)


def literal(value: Any) -> str:
    """Word an argument as it is on record."""
    if isinstance(value, str):
        return one_line(value, 200) if value.startswith("<") else one_line(f'"{value}"', 200)
    return one_line(msgspec.json.encode(value).decode(), 200)
