"""Which data frames does a query see, and how do they get there?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import RmsError
from rms_jupyter.fingerprint.remembered import library_of, module_of
from rms_jupyter.store.ask.parameters import plain_object

if TYPE_CHECKING:
    import duckdb

_ROOTS = {"pandas", "polars", "pyarrow", "duckdb", "_duckdb"}
_KINDS = {"DataFrame", "LazyFrame", "Series", "Table", "RecordBatch", "DuckDBPyRelation"}
_TAKEN = """
    SELECT lower(view_name) FROM duckdb_views() WHERE schema_name IN ('main', 'pg_catalog') UNION
    SELECT lower(table_name) FROM duckdb_tables() WHERE schema_name = 'main'
"""


def is_frame(value: Any) -> bool:
    """Whether SQL can read a value as a table."""
    return any(kind.__name__ in _KINDS and module_of(kind).partition(".")[0] in _ROOTS for kind in type(value).__mro__)


class Frames:
    """Data frames under their names in a connection, for the time of a block.

    Parameters
    ----------
    asker : duckdb.DuckDBPyConnection
    frames : mapping of str to data frame
        One that has the name of a view is not seen: SQL says by name which it means, and the view was there first.

    Raises
    ------
    RmsError
        If two names are one to SQL.
    """

    def __init__(self, asker: duckdb.DuckDBPyConnection, frames: Mapping[str, Any]) -> None:
        self._asker = asker
        taken = {name for (name,) in asker.execute(_TAKEN).fetchall()} if frames else set()
        self._frames = {name: frame for name, frame in frames.items() if name.lower() not in taken}
        self._unreadable: dict[str, str] = {}
        _refuse_doubles(self._frames)

    def __enter__(self) -> Frames:
        import duckdb

        for name, frame in self._frames.items():
            try:
                self._asker.register(name, _plain(frame))
            except (duckdb.Error, ValueError, TypeError) as error:
                self._unreadable[name] = str(error).split("\n")[0]
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._frames.keys() - self._unreadable.keys():
            self._asker.unregister(name)

    def complain(self, error: Exception) -> None:
        """Say, after a query failed for want of a table, that it is a data frame which could not be read.

        Raises
        ------
        RmsError
            If there is one.
        """
        missed = [name for name in self._unreadable if f"name {name.lower()} " in str(error).lower()]
        for name in missed:
            reason = self._unreadable[name]
            raise RmsError(f"SQL: the data frame {name} cannot be read: {reason}", hint="convert or drop that column")


def _refuse_doubles(frames: Mapping[str, Any]) -> None:
    first: dict[str, str] = {}
    for name in frames:
        other = first.setdefault(name.lower(), name)
        if other != name:
            raise RmsError(f"SQL: {other} and {name} are one name to SQL", hint="rename one of the data frames")


def _plain(frame: Any) -> Any:
    """Make objects in a pandas frame what SQL knows: DuckDB takes NumPy's numbers among them for text."""
    if library_of(frame) != "pandas" or not hasattr(frame, "columns"):
        return frame
    plain = frame.copy(deep=False)
    for place, kind in enumerate(frame.dtypes):
        if str(kind) == "object":
            objects = [plain_object(value) for value in frame.iloc[:, place]]
            plain.isetitem(place, type(frame.iloc[:, place])(objects, index=frame.index, dtype=object))
    return plain
