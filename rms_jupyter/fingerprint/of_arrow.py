"""When are two Arrow arrays or tables the same?

Same types, names, values and metadata. Chunks, offsets and what the buffers hold under a null do not count; a
dictionary counts with all its values and their order, as the categories of pandas do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rms_jupyter.fingerprint.of_numpy import content, texts
from rms_jupyter.fingerprint.recipes import by_reduce
from rms_jupyter.fingerprint.values import Walk, register, tagged

_OFFSETS = {pa.string(): np.int32, pa.binary(): np.int32, pa.large_string(): np.int64, pa.large_binary(): np.int64}
_BITS = {8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}


def column(array: Any, walk: Walk) -> bytes:
    """Describe an Arrow array, chunked or not."""
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if isinstance(array, pa.ExtensionArray):
        return tagged("arrow extension", [by_reduce(array.type, walk), column(array.storage, walk)])
    parts = [walk(str(array.type)), walk(len(array))]
    if pa.types.is_dictionary(array.type):
        return tagged("arrow dictionary", [*parts, column(array.indices, walk), column(array.dictionary, walk)])
    if array.type in _OFFSETS:
        return tagged("arrow text", [*parts, *_text(array, walk)])
    if pa.types.is_primitive(array.type) and array.type.bit_width in _BITS:
        nulls = _nulls(array)
        return tagged("arrow", [*parts, walk(None) if nulls is None else content(nulls), content(_primitive(array))])
    return tagged("arrow values", [*parts, walk(array.to_pylist())])


def _nulls(array: Any) -> Any:
    return array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None


def _text(array: Any, walk: Walk) -> list[bytes]:
    nulls = _nulls(array)
    if nulls is not None:
        is_bytes = pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)
        array = pc.fill_null(array, b"" if is_bytes else "")
    _, offsets, data = array.buffers()
    if not len(array) or offsets is None:
        return texts(np.array([], np.int64), b"", nulls, walk)
    ends = np.frombuffer(offsets, _OFFSETS[array.type])[array.offset : array.offset + len(array) + 1]
    return texts(np.diff(ends), memoryview(data)[ends[0] : ends[-1]] if data is not None else b"", nulls, walk)


def _primitive(array: Any) -> Any:
    return pc.fill_null(array.view(_BITS[array.type.bit_width]), 0).to_numpy()


def _table(tag: str) -> Any:
    def describe(table: Any, walk: Walk) -> bytes:
        columns = [column(c, walk) for c in table.columns]
        return tagged(tag, [walk(table.schema.names), *columns, *_marks(table, walk)])

    return describe


def _marks(table: Any, walk: Walk) -> list[bytes]:
    """Describe what only some tables have: metadata, fields that take no null, rows without columns."""
    schema = table.schema
    fields = [(field.nullable, field.metadata) for field in schema]
    marks = []
    if schema.metadata or any(field != (True, None) for field in fields):
        marks.append(walk((schema.metadata, fields)))
    if not fields and table.num_rows:
        marks.append(walk(table.num_rows))
    return marks


register(pa.Array, column, subclasses=True)
register(pa.ChunkedArray, lambda v, walk: tagged("arrow chunks", [column(v, walk)]))
register(pa.Table, _table("arrow table"))
register(pa.RecordBatch, _table("arrow batch"))
