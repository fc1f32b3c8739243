"""When are two Arrow arrays or tables the same?  Same types, names and values; chunks and buffers do not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_128

from rms_jupyter.fingerprint.values import Walk, register, tagged

_OFFSETS = {pa.string(): np.int32, pa.binary(): np.int32, pa.large_string(): np.int64, pa.large_binary(): np.int64}


def column(array: Any, walk: Walk) -> bytes:
    """Describe an Arrow array, chunked or not."""
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    parts = [walk(str(array.type)), walk(len(array))]
    if pa.types.is_dictionary(array.type):
        return tagged("arrow dictionary", [*parts, column(array.indices, walk), column(array.dictionary, walk)])
    if array.type in _OFFSETS:
        return tagged("arrow text", [*parts, _nulls(array, walk), *_text(array)])
    if pa.types.is_primitive(array.type) and not pa.types.is_boolean(array.type):
        return tagged("arrow", [*parts, _nulls(array, walk), _bytes(_primitive(array))])
    return tagged("arrow values", [*parts, walk(array.to_pylist())])


def _nulls(array: Any, walk: Walk) -> bytes:
    return _bytes(array.is_null().to_numpy(zero_copy_only=False)) if array.null_count else walk(None)


def _text(array: Any) -> list[bytes]:
    if array.null_count:
        array = pc.fill_null(
            array, b"" if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type) else ""
        )
    _, offsets, data = array.buffers()
    if not len(array) or offsets is None:
        return [_bytes(b""), _bytes(b"")]
    ends = np.frombuffer(offsets, _OFFSETS[array.type])[array.offset : array.offset + len(array) + 1]
    text = memoryview(data)[ends[0] : ends[-1]] if data is not None else b""
    return [_bytes(np.diff(ends)), _bytes(text)]


def _primitive(array: Any) -> Any:
    width = array.type.bit_width // 8
    raw = array.view({1: pa.uint8(), 2: pa.uint16(), 4: pa.uint32(), 8: pa.uint64()}[width])
    return pc.fill_null(raw, 0).to_numpy()


def _bytes(buffer: Any) -> bytes:
    state = xxh3_128()
    content: Any = np.ascontiguousarray(buffer).view(np.uint8) if isinstance(buffer, np.ndarray) else buffer
    state.update(content)
    return state.digest()


def _table(table: Any, walk: Walk) -> bytes:
    return tagged("arrow table", [walk(table.schema.names), *(column(c, walk) for c in table.columns)])


for _cls in (pa.Array, pa.ChunkedArray):
    register(_cls, column, subclasses=True)
for _cls in (pa.Table, pa.RecordBatch):
    register(_cls, _table)
