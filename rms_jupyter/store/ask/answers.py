"""How does an answer leave the database as a data frame, with every number exact?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rms_jupyter.errors import RmsError

if TYPE_CHECKING:
    import duckdb

_WHOLE = {"BIGINT": (-(2**63), 2**63 - 1), "UBIGINT": (0, 2**64 - 1), "HUGEINT": (1 - 10**38, 10**38 - 1)}
_WIDE = {"hugeint", "uhugeint", "bignum"}
_NOT_IN_NUMPY = _WIDE | {"decimal", "bit"}
_NOT_IN_ARROW = {"uhugeint", "bignum"}


def to_pandas(relation: duckdb.DuckDBPyRelation) -> Any:
    """Make a pandas frame: whole numbers are integers, and what no NumPy number holds exactly is Python's own."""
    relation = _narrowed(relation)
    objects = [place for place, kind in enumerate(relation.types) if _holds(kind, _NOT_IN_NUMPY)]
    places = range(len(relation.columns))
    frame = relation.project(", ".join("NULL" if place in objects else f"#{place + 1}" for place in places)).df()
    frame.columns = relation.columns
    for place in objects:
        values = [value for (value,) in relation.project(f"#{place + 1}").fetchall()]
        frame.isetitem(place, _column(values, str(relation.types[place].id)))
    return frame


def to_polars(relation: duckdb.DuckDBPyRelation) -> Any:
    """Make a polars frame."""
    return _fit_for_arrow(relation).pl()


def to_arrow(relation: duckdb.DuckDBPyRelation) -> Any:
    """Make an Arrow table."""
    return _fit_for_arrow(relation).to_arrow_table()


def _narrowed(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Give sums of integers, which DuckDB makes 128 bits wide, the narrowest type that holds them."""
    if not any(str(kind.id) in _WIDE for kind in relation.types):
        return relation
    columns = []
    for place, (name, kind) in enumerate(zip(relation.columns, relation.types, strict=True), 1):
        fitting = _narrowest(relation, place) if str(kind.id) in _WIDE else ""
        quoted = name.replace('"', '""')
        columns.append(f'#{place}{fitting and f"::{fitting}"} AS "{quoted}"')
    return relation.project(", ".join(columns))


def _narrowest(relation: duckdb.DuckDBPyRelation, place: int) -> str:
    least, most = (int(bound or 0) for bound in relation.aggregate(f"min(#{place}), max(#{place})").fetchall()[0])
    return next((kind for kind, (low, high) in _WHOLE.items() if low <= least and most <= high), "")


def _holds(kind: Any, names: set[str]) -> bool:
    """Whether a type is one of those named, or has such a one inside."""
    if str(kind.id) in names:
        return True
    inner = kind.children if str(kind.id) in ("list", "array", "struct", "map", "union") else ()
    return any(_holds(part, names) for _, part in inner if isinstance(part, type(kind)))


def _column(values: list[Any], kind: str) -> Any:
    import pandas

    if kind == "bignum":
        values = [value if value is None else int(value) for value in values]
    if kind == "decimal" and all(value is None or float(value) == value for value in values):
        return pandas.Series(values, dtype="float64")
    return pandas.Series(values, dtype=object)


def _fit_for_arrow(relation: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    relation = _narrowed(relation)
    for place, (name, kind) in enumerate(zip(relation.columns, relation.types, strict=True), 1):
        if _holds(kind, _NOT_IN_ARROW) or (str(kind.id) == "hugeint" and not _narrowest(relation, place)):
            raise RmsError(
                f"%rms sql: Arrow has no numbers as large as those in {name}",
                hint=f'--as pandas or --as duckdb, or cast them: "{name}"::VARCHAR',
            )
    return relation
