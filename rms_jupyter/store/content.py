"""How is a value kept exactly, and read back?

Plain scalars as JSON in the record; other content encoded in the record up to 8 KB, else as an object: arrays as npy
(memory-mapped on load), text and bytes as they are, frames and tables as Arrow IPC files (large ones compressed where
that pays, and memory-mapped), everything else pickled.
"""

from __future__ import annotations

import io
import math
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rms_jupyter.errors import NotRecomputable, RmsError, StoreError, words_of
from rms_jupyter.fingerprint import exactly
from rms_jupyter.fingerprint.preview import is_well_formed, type_name
from rms_jupyter.fingerprint.remembered import library_of
from rms_jupyter.fingerprint.traced import TracedInt, copy_of_scalar
from rms_jupyter.fingerprint.values import digest as digest_of
from rms_jupyter.fingerprint.values import scalar_digest
from rms_jupyter.harmless import one_line
from rms_jupyter.interrupts import interruptible
from rms_jupyter.model import ResourceRecord
from rms_jupyter.store.full import number_in, reason
from rms_jupyter.store.objects import Objects
from rms_jupyter.store.seals import content_length
from rms_jupyter.store.upkeep.trust import admit

INLINE = 8 * 1024
_PLAIN = {bool: "bool", int: "int", float: "float", str: "str", type(None): "NoneType"}
_SAFE_COLUMNS = "biufMm"
ARRAYS = frozenset({"npy", "frozen.npy", "fortran.npy", "ffrozen.npy"})
_MAPPED_FROM = {**dict.fromkeys(ARRAYS, INLINE), "arrow": 64 << 20, "table.arrow": 64 << 20}  # Bytes.
_COMPRESSED_FROM, _SAMPLE = 4 << 20, 1 << 20


class Unpicklable(TypeError):
    """A value cannot be kept; the message says why."""


class ReadBackOtherwise(Unpicklable):
    """What was kept is not what comes back."""


class Codec(NamedTuple):
    """How one kind of value becomes a file and a value again."""

    accepts: Callable[[Any], bool]
    write: Callable[[Any, Any], None]
    read: Callable[[Any], Any]


def keep(value: Any, digest: str, objects: Objects, limit: int | None = None, verify: bool = False) -> ResourceRecord:
    """Keep a value; what cannot be kept gets a record without content.

    Parameters
    ----------
    value : object
    digest : str
        Its digest, which names the object.
    objects : Objects
        Where content beyond 8 KB goes.
    limit : int, optional
        Bytes beyond which a value is not kept.
    verify : bool
        Whether to read back what is pickled, and to refuse it if it is another value then.

    Raises
    ------
    Unpicklable
        If no format can hold the value, or the disk is full or not writable.
    """
    if is_small_scalar(value):
        return scalar_resource(value)
    try:
        kept = _keep(value, digest, objects, limit)
    except (StoreError, OSError) as error:
        raise Unpicklable(error.message if isinstance(error, StoreError) else reason(error)) from error
    except (RmsError, Unpicklable, MemoryError):
        raise
    except Exception as error:
        raise Unpicklable(f"{type_name(value)} cannot be kept ({words_of(error)})") from error
    note_own(kept, objects)
    if verify and kept.format == "pickle" and not _comes_back(value, kept, objects):
        for name in object_names(kept):
            objects.remove(name)
        raise ReadBackOtherwise(f"{type_name(value)} cannot be kept exactly: read back, it is another")
    return kept


def _comes_back(value: Any, kept: ResourceRecord, objects: Objects) -> bool:
    """Whether what was kept is read back as the same."""
    try:
        again = restore(kept, objects)
        return type(again) is type(value) and digest_of(again).hex() == kept.digest
    except Exception:
        return False


def _keep(value: Any, digest: str, objects: Objects, limit: int | None) -> ResourceRecord:
    name, codec = _codec_for(value)
    estimate = _size_estimate(value)
    if limit is not None and estimate > limit:
        return ResourceRecord(digest=digest, type=type_name(value), size=estimate)
    if estimate <= INLINE:
        buffer = io.BytesIO()
        codec.write(value, buffer)
        data = buffer.getvalue()
        if len(data) <= INLINE:
            return ResourceRecord(digest=digest, type=type_name(value), format=name, data=data, size=len(data))
        size = objects.put(digest, name, lambda path: _write_bytes(path, data))
    else:
        size = objects.put(digest, name, lambda path: _write_to(path, codec, value))
    return ResourceRecord(digest=digest, type=type_name(value), format=name, size=size)


@interruptible
def restore(resource: ResourceRecord, objects: Objects) -> Any:
    """Read a value back.

    Raises
    ------
    LookupError
        If its content is not kept (any more); `DamagedObject` if it is not what was written.
    UntrustedContent
        If it is a pickle in a store that came from elsewhere.
    """
    if resource.format == "json":
        return copy_of_scalar(resource.value)
    if not resource.format:
        raise LookupError("not kept")
    codec = _CODECS.get(resource.format)
    if codec is None:
        raise LookupError(f"kept as {one_line(resource.format, 40)}, which this version cannot read")
    admit(may_read(resource, objects))
    if _is_inline(resource):
        return codec.read(io.BytesIO(resource.data))
    objects.bring(f"{resource.digest}.{resource.format}")
    try:
        if resource.size > _MAPPED_FROM.get(resource.format, resource.size):
            return codec.read(objects.checked_path(resource.digest, resource.format))
        return codec.read(io.BytesIO(objects.content(resource.digest, resource.format)))
    except FileNotFoundError:
        raise LookupError("no longer kept") from None


def may_read(resource: ResourceRecord, objects: Objects) -> bool:
    """Whether to read a value back can run nothing but what is trusted, or was made in this session."""
    return objects.is_trusted or resource.format != "pickle" or _mark(resource) in objects.own


def note_own(resource: ResourceRecord, objects: Objects) -> None:
    """Note that a value was made in this session."""
    if not objects.is_trusted:
        objects.own.add(_mark(resource))


def _mark(resource: ResourceRecord) -> object:
    return resource.digest, resource.format, resource.data


def object_names(resource: ResourceRecord) -> list[str]:
    """Name the object that holds a value's content, if one does: ``<digest>.<format>``."""
    if resource.kind == "file" or _is_inline(resource) or resource.format in ("", "json"):
        return []
    return [f"{resource.digest}.{resource.format}"]


def _is_inline(resource: ResourceRecord) -> bool:
    """Whether content is in the record itself; that of ``b""`` is nothing."""
    return bool(resource.data) or not resource.size


def is_small_scalar(value: Any) -> bool:
    """Tell values that are kept as JSON in the record."""
    return type(value) in _PLAIN and (type(value) is not str or len(value) <= INLINE) and is_plain(value)


def scalar_resource(value: Any) -> ResourceRecord:
    """Describe a value that is kept as JSON."""
    size = len(value) if type(value) is str else 8
    value = int(value) if isinstance(value, TracedInt) else copy_of_scalar(value)
    return ResourceRecord(scalar_digest(value).hex(), type=_PLAIN[type(value)], format="json", value=value, size=size)


def is_plain(value: Any) -> bool:
    """Tell whether JSON holds a value exactly: None, bool, 64-bit int, finite float, well-formed str."""
    kind = type(value)
    if kind is int:
        return bool(-(1 << 63) <= value < 1 << 63)
    if kind is float:
        return bool(math.isfinite(value))
    if kind is str:
        return is_well_formed(value)
    return kind in _PLAIN


def dumps(value: Any) -> bytes:
    """Pickle by reference where that works, by value where it does not.

    Raises
    ------
    Unpicklable
        If it cannot be pickled.
    """
    buffer = io.BytesIO()
    _write_pickle(value, buffer)
    return buffer.getvalue()


def _codec_for(value: Any) -> tuple[str, Codec]:
    for name, codec in _CODECS.items():
        if codec.accepts(value):
            return name, codec
    raise AssertionError("pickle accepts everything")


def _size_estimate(value: Any) -> int:
    try:
        cls = type(value)  # An object that makes up attributes as they are asked for would be changed by asking it.
        if hasattr(cls, "nbytes") and isinstance(value.nbytes, int):
            return value.nbytes
        if hasattr(cls, "memory_usage") and hasattr(cls, "columns"):
            return int(value.memory_usage().sum())
        return sys.getsizeof(value)
    except Exception:
        return 0


def _write_to(path: Path, codec: Codec, value: Any) -> None:
    with path.open("wb") as file:
        codec.write(value, file)


def _write_bytes(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _is(module: str, *names: str) -> Callable[[Any], bool]:
    """Test for exact library types without importing the library."""

    def accepts(value: Any) -> bool:
        return type(value).__name__ in names and library_of(value) == module

    return accepts


def _is_safe_array(value: Any) -> bool:
    return _is("numpy", "ndarray")(value) and _is_safe_kind(value.dtype)


def _is_turned(value: Any) -> bool:
    """Whether an array lies in memory in Fortran's order, which its digest does not say."""
    return bool(_is_safe_array(value) and value.flags.f_contiguous and not value.flags.c_contiguous)


def _read_frozen(source: Any) -> Any:
    return exactly.frozen(_read_array(source))


def _is_safe_kind(dtype: Any) -> bool:
    """Accept dtypes that npy describes wholly: no objects, no padding, nothing said of them."""
    if dtype.names:
        packed = sum(dtype.fields[name][0].itemsize for name in dtype.names) == dtype.itemsize
        plain = packed and not dtype.isalignedstruct and all(len(field) == 2 for field in dtype.fields.values())
        return plain and dtype.metadata is None and all(_is_safe_kind(dtype.fields[name][0]) for name in dtype.names)
    return not dtype.hasobject and dtype.kind not in "TV" and dtype.base.metadata is None


def _write_array(value: Any, file: Any) -> None:
    import numpy as np

    np.save(file, value, allow_pickle=False)


def _read_array(source: Any) -> Any:
    import numpy as np

    if isinstance(source, Path):
        try:
            return np.asarray(np.load(source, mmap_mode="c", allow_pickle=False))
        except ValueError:
            pass  # An empty array cannot be mapped.
    return np.load(source, allow_pickle=False)


def _is_safe_frame(value: Any) -> bool:
    """Accept frames that Arrow gives back exactly: unique text labels, flat index, plain column types."""
    if not _is("pandas", "DataFrame")(value) or ("pyarrow" not in sys.modules and not _has_pyarrow()):
        return False
    columns, index = value.columns, value.index
    plain_index = type(index).__name__ == "RangeIndex" or (
        index.nlevels == 1 and getattr(index.dtype, "kind", "O") in "iu" and isinstance(index.name, (str, type(None)))
    )
    return (
        plain_index
        and not value.attrs
        and value.flags.allows_duplicate_labels
        and columns.name is None
        and columns.is_unique
        and type(columns.dtype).__name__ == "StringDtype"
        and len(columns) > 0
        and all(type(c) is str for c in columns)
        and all(_is_safe_dtype(dtype) for dtype in value.dtypes)
    )


def _is_safe_dtype(dtype: Any) -> bool:
    if type(dtype).__name__ == "StringDtype":
        return bool(dtype.storage != "python")
    is_of_numpy = library_of(dtype) == "numpy"
    return is_of_numpy and dtype.kind in _SAFE_COLUMNS and dtype.itemsize != 2


def _has_pyarrow() -> bool:
    import importlib.util

    return importlib.util.find_spec("pyarrow") is not None


def _write_frame(value: Any, file: Any) -> None:
    import pyarrow as pa

    _write_table(pa.Table.from_pandas(value, nthreads=1), file)  # To begin threads takes longer than to copy columns.


def _read_frame(source: Any) -> Any:
    return _read_table(source).to_pandas()


def _write_table(value: Any, file: Any) -> None:
    def write_sample(sample: Any, start: int, rows: int) -> None:
        _write_ipc(value.slice(start, rows), sample, "zstd")

    _write_ipc(value, file, "zstd" if _shrinks(value.nbytes, value.num_rows, write_sample) else None)


def _write_ipc(table: Any, file: Any, compression: str | None) -> None:
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(file, table.schema, options=options) as writer:
        writer.write_table(table)


def _shrinks(size: int, rows: int, write_sample: Callable[[Any, int, int], None]) -> bool:
    """Whether it pays to compress a table: it is large, and a sample of it gets at least twice as small."""
    if size < _COMPRESSED_FROM or not rows:
        return False
    sample, count = io.BytesIO(), max(1, rows * _SAMPLE // size)
    write_sample(sample, (rows - count) // 2, count)
    return 2 * sample.tell() < size * count / rows


def _read_table(source: Any) -> Any:
    import pyarrow as pa

    if isinstance(source, Path):
        with source.open("rb") as file:
            length = content_length(file)
        buffer = pa.memory_map(str(source)).read_buffer(length)
    else:
        buffer = pa.py_buffer(source.getbuffer())
    return pa.ipc.open_file(buffer).read_all()


def _write_polars(value: Any, file: Any) -> None:
    def write_sample(sample: Any, start: int, rows: int) -> None:
        value.slice(start, rows).write_ipc(sample, compression="zstd")

    is_compressed = _shrinks(value.estimated_size(), value.height, write_sample)
    value.write_ipc(file, compression="zstd" if is_compressed else "uncompressed")


def _read_polars(source: Any) -> Any:
    import polars as pl

    return pl.read_ipc(source)


def _write_pickle(value: Any, file: Any) -> None:
    from rms_jupyter.fingerprint.pickling import ContentPickler

    start = file.tell()
    try:
        ContentPickler(file, protocol=5).dump(value)
    except Exception as error:
        if isinstance(error, OSError) and not isinstance(file, io.BytesIO) and number_in(words_of(error)):
            raise  # The disk is full.
        file.seek(start)
        file.truncate()
        raise Unpicklable(f"{type_name(value)} cannot be pickled ({words_of(error)})") from error


def _read_pickle(source: Any) -> Any:
    try:
        return pickle.load(source)
    except (AttributeError, ImportError) as error:
        raise NotRecomputable(
            f"this result needs something that is not defined here: {words_of(error)}",
            hint="run the cell or install the package that defines it, then ask again",
        ) from error


_CODECS: dict[str, Codec] = {
    "txt": Codec(
        lambda v: type(v) is str and is_plain(v),
        lambda v, file: file.write(v.encode()) and None,
        lambda source: source.read().decode(),
    ),
    "bin": Codec(lambda v: type(v) is bytes, lambda v, file: file.write(v) and None, lambda source: source.read()),
    "fortran.npy": Codec(lambda v: _is_turned(v) and v.flags.writeable, _write_array, _read_array),
    "ffrozen.npy": Codec(_is_turned, _write_array, _read_frozen),
    "npy": Codec(lambda v: _is_safe_array(v) and v.flags.writeable, _write_array, _read_array),
    "frozen.npy": Codec(_is_safe_array, _write_array, _read_frozen),
    "arrow": Codec(_is_safe_frame, _write_frame, _read_frame),
    "table.arrow": Codec(_is("pyarrow", "Table"), _write_table, _read_table),
    "polars.arrow": Codec(_is("polars", "DataFrame"), _write_polars, _read_polars),
    "pickle": Codec(lambda v: True, _write_pickle, _read_pickle),
}
