"""Which files do libraries open that read and write below Python, where no audit hook hears of it?

The table says which of their functions open files, and how. Functions of ours stand before these from when a library is
imported; they note what is opened while a task runs, and pass everything on. What other libraries open is not heard,
nor what is called by a name that was taken from its module before the session was opened.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import os
import re
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from rms_jupyter.run.task import noting
from rms_jupyter.run.task.file_events import absolute, stand
from rms_jupyter.run.task.noting import noted_here, untouched
from rms_jupyter.upon_import import UponImport

Opened = tuple[Any, str]  # What names files, and how they are opened: r, w, a for what keeps what they hold.
Opens = Callable[[tuple[Any, ...], dict[str, Any]], Opened]

_CHANGES_DATABASE = re.compile(
    r"(?:^|;)\s*(create|insert|update|delete|drop|alter|attach|detach|set|reset|load|call|use|import)\b", re.IGNORECASE
)
_IN_QUOTES = re.compile(r"'([^'\n]+)'|\"([^\"\n]+)\"")


def _argument(place: int, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[place] if len(args) > place else next((kwargs[name] for name in names if name in kwargs), None)


def _opens(how: str, place: int, *names: str) -> Opens:
    return lambda args, kwargs: (_argument(place, names, args, kwargs), how)


def _opens_hdf5(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Opened:
    flags = _argument(1, ("flags",), args, kwargs)
    return _argument(0, ("name",), args, kwargs), "a" if flags is None or flags & 1 else "r"


def _opens_in_mode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Opened:
    mode = _argument(1, ("mode",), args, kwargs) or "r"
    how = "w" if mode[0] in "wx" else "a" if "a" in mode or "+" in mode else "r"
    return _argument(0, ("path", "filename", "fp", "file"), args, kwargs), how


def _of_object(opens: Opens) -> Opens:
    return lambda args, kwargs: opens(args[1:], kwargs)


def _with_those_beside(opens: Opens) -> Opens:
    """What has its data, or an index, in files of the same name: ``rivers.shp`` and ``rivers.dbf``."""

    def opened(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Opened:
        names, how = opens(args, kwargs)
        path = absolute(names)
        return (names if path is None or how != "r" else [path, *_beside(path)]), how

    return opened


def _beside(path: str) -> list[str]:
    return glob.glob(f"{glob.escape(os.path.splitext(path)[0])}.*") if os.path.isfile(path) else []


def _opens_in_sql(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Opened:
    texts = [value for value in (*args, *kwargs.values()) if isinstance(value, str)]
    names = [one or other for text in texts for one, other in _IN_QUOTES.findall(text)]
    return [name for name in (*names, *texts) if os.path.splitext(name)[1]], "a"


def _each(names: str, opens: Opens, prefix: str = "") -> dict[str, Opens]:
    return {f"{prefix}{name}": opens for name in names.split()}


_FROM = "source", "path", "path_or_paths", "sources", "file", "input_file"
_TO = "file", "path", "where", "workbook", "target", "output_file", "dest", "base_dir"
_GEO = "path_or_buffer", "path_or_bytes", "path"
_SQL = "sql query execute executemany from_query read_csv read_parquet read_json from_csv_auto from_parquet"
_TABLE: dict[str, dict[str, Opens]] = {
    "h5py.h5f": {"open": _opens_hdf5, "create": _opens("w", 0, "name")},
    "pyarrow": _each("memory_map OSFile", _opens_in_mode) | _each("input_stream", _opens("r", 0, *_FROM)),
    "pyarrow.parquet.core": _each("ParquetDataset.__init__ ParquetFile.__init__", _opens("r", 1, *_FROM))
    | {"ParquetWriter.__init__": _opens("w", 1, *_TO)},
    "pyarrow.dataset": {"_filesystem_dataset": _opens("r", 0, *_FROM), "write_dataset": _opens("w", 1, *_TO)},
    "pyarrow.csv": _each("read_csv open_csv", _opens("r", 0, *_FROM)) | {"write_csv": _opens("w", 1, *_TO)},
    "pyarrow.json": _each("read_json open_json", _opens("r", 0, *_FROM)),
    "pyarrow.feather": _each("read_table read_feather", _opens("r", 0, *_FROM))
    | {"write_feather": _opens("w", 1, *_TO)},
    "pyarrow.orc": {"ORCFile.__init__": _opens("r", 1, *_FROM), "ORCWriter.__init__": _opens("w", 1, *_TO)},
    "polars": _each(
        "read_avro read_csv read_csv_batched read_excel read_ipc read_ipc_schema read_ipc_stream read_json read_lines"
        " read_ndjson read_ods read_parquet read_parquet_metadata read_parquet_schema scan_csv scan_ipc scan_lines"
        " scan_ndjson scan_parquet",
        _opens("r", 0, *_FROM),
    )
    | _each(
        "write_avro write_csv write_excel write_ipc write_ipc_stream write_json write_ndjson write_parquet",
        _opens("w", 1, *_TO),
        "DataFrame.",
    )
    | _each("sink_csv sink_ipc sink_ndjson sink_parquet", _opens("w", 1, *_TO), "LazyFrame."),
    "duckdb": _each(f"{_SQL} connect", _opens_in_sql) | _each(_SQL, _opens_in_sql, "DuckDBPyConnection."),
    "netCDF4": {"Dataset": _opens_in_mode, "MFDataset.__init__": _opens("r", 1, "files")},
    "tables.file": {"File.__init__": _of_object(_opens_in_mode)},
    "rasterio": {"open": _with_those_beside(_opens_in_mode)},
    "fiona": {"open": _with_those_beside(_opens_in_mode)},
    "pyogrio": _each(
        "read_dataframe read_arrow open_arrow read_info read_bounds list_layers",
        _with_those_beside(_opens("r", 0, *_GEO)),
    )
    | _each("write_dataframe write_arrow", _opens("w", 1, *_GEO)),
    "SimpleITK": _each("ImageFileReader.SetFileName", _with_those_beside(_of_object(_opens("r", 0, "fn", "FN"))))
    | {
        "ImageSeriesReader.SetFileNames": _opens("r", 1, "FileNames"),
        "ImageFileWriter.SetFileName": _opens("w", 1, "fn", "FN"),
        "ReadTransform": _opens("r", 0, "filename"),
        "WriteTransform": _opens("w", 1, "filename"),
    },
    "pysam": _each("AlignmentFile VariantFile", _with_those_beside(_opens_in_mode))
    | _each("FastaFile FastxFile TabixFile", _with_those_beside(_opens("r", 0, "filename"))),
    "soundfile": {"SoundFile.__init__": _of_object(_opens_in_mode)},
    "pyreadstat": _each(
        "read_sav read_por read_dta read_sas7bdat read_sas7bcat read_xport", _opens("r", 0, "filename_path")
    )
    | _each("write_sav write_por write_dta write_xport", _opens("w", 1, "dst_path")),
    "safetensors": {"safe_open": _opens("r", 0, "filename")},
    "lxml.etree": _each("parse iterparse", _opens("r", 0, *_FROM)),
    "cv2": {"imread": _opens("r", 0, "filename"), "imwrite": _opens("w", 0, "filename")},
}
_ASK_OWN_CONNECTION = {"duckdb": frozenset("sql query execute executemany from_query".split())}
_LOOK_AT_CALLERS = frozenset({"duckdb"})  # A data frame is named in SQL as the caller names it.


def listen() -> None:
    """Hear what libraries open, those that are imported and those that will be."""
    _upon_import.listen()


def _note_own_connection(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Note what is asked of DuckDB's own connection, where that holds tables, or is to be changed."""
    if kwargs.get("connection") is not None or not (here := noted_here()):
        return
    duckdb = sys.modules["duckdb"]
    with untouched():
        beside = duckdb.default_connection().cursor()  # What was asked of it, and not yet fetched, stays.
        [(count,)] = beside.execute("SELECT count(*) FROM duckdb_tables() WHERE NOT internal").fetchall()
    texts = (value for value in (*args, *kwargs.values()) if isinstance(value, str))
    if count or any(map(_CHANGES_DATABASE.search, texts)):
        for notes in here:
            notes.note("must_be_done", "it uses the tables or settings of DuckDB's own connection")


def _stand_before(module: Any) -> None:
    for path, opens in _TABLE[module.__name__].items():
        *places, name = path.split(".")
        place = functools.reduce(lambda found, part: getattr(found, part, None), places, module)
        own = vars(place).get(name) if place is not None else None
        if own is not None:
            notes_more = _note_own_connection if path in _ASK_OWN_CONNECTION.get(module.__name__, ()) else None
            ours = _noting(own, opens, notes_more)
            if module.__name__ in _LOOK_AT_CALLERS:
                ours = _as_if_of(module, ours)
            home = sys.modules.get(getattr(own, "__module__", None) or "")
            with contextlib.suppress(TypeError):  # A class that cannot be changed, in another version.
                setattr(place, name, ours)
                if vars(home or module).get(name) is own:
                    setattr(home, name, ours)  # Where pickle looks for it.


def _as_if_of(module: Any, ours: Any) -> Any:
    """Let a function pass for one of a library, which looks for variables in the first frame that is not its own."""
    namespace = {**globals(), "__name__": module.__name__}
    return functools.update_wrapper(types.FunctionType(ours.__code__, namespace, closure=ours.__closure__), ours)


_upon_import = UponImport(_TABLE, _stand_before)


def _noting(function: Any, opens: Opens, notes_more: Callable[..., None] | None = None) -> Any:
    if isinstance(function, type):
        return _class_noting(function, opens)

    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if noting.running:
            with contextlib.suppress(Exception):  # Wrong arguments: the function will say so.
                _note(*opens(args, kwargs))
                if notes_more is not None:
                    notes_more(args, kwargs)
        return function(*args, **kwargs)

    return noted


def _class_noting(own: type, opens: Opens) -> Any:
    """Stand before a class that cannot be changed: what it makes, and what is one of its objects, are as before."""
    makes = _noting(lambda *args, **kwargs: own(*args, **kwargs), opens)

    class Noting(type(own)):  # type: ignore[misc]
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            return makes(*args, **kwargs) if cls is ours else super().__call__(*args, **kwargs)

        def __instancecheck__(cls, thing: Any) -> bool:
            return isinstance(thing, own) if cls is ours else super().__instancecheck__(thing)

        def __subclasscheck__(cls, kind: type) -> bool:
            return issubclass(kind, own) if cls is ours else super().__subclasscheck__(kind)

    names = {"__slots__": (), "__module__": own.__module__, "__qualname__": own.__qualname__, "__doc__": own.__doc__}
    try:
        ours = Noting(own.__name__, (own,), names)
    except TypeError:  # A class of which no other can be made.
        return functools.update_wrapper(makes, own, updated=())
    return ours


def _note(names: Any, how: str) -> None:
    if not (here := noted_here()):
        return
    with untouched():
        paths = list(_paths(names, is_read=how == "r"))
        if how == "r":
            folders = [path for path in paths if os.path.isdir(path)]
            noted: list[tuple[Any, ...]] = [("reads", path) for path in paths if path not in folders]
            noted += [("lists", inner) for path in folders for inner, _, _ in os.walk(path)]
        else:
            noted = [("writes", path, how == "a", False, stand(path)) for path in paths]
    for notes in here:
        for one in noted:
            notes.note(*one)


def _paths(names: Any, is_read: bool) -> Iterator[str]:
    if isinstance(names, (list, tuple)):
        for name in names:
            yield from _paths(name, is_read)
    elif (path := absolute(names)) is not None:
        yield path
        if is_read and glob.has_magic(path):
            yield os.path.dirname(path)
            yield from glob.glob(path, recursive=True)
        elif is_read and os.path.isdir(path):
            yield from (os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
