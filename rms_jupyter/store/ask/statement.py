"""Is a user's SQL one statement that only reads, and which values does it ask for?

Read-only transactions are what keeps writing out; this says so before, in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rms_jupyter.errors import RmsError
from rms_jupyter.store.ask.sources import HINT

if TYPE_CHECKING:
    import duckdb

_VIEWS = (
    "views: tasks, resources, files, params, edges, pipes, runs, marks, logs, figures; "
    "their columns: %rms sql DESCRIBE tasks"
)
_NO_COLUMN = re.compile(r'Referenced column "([^"]*)" not found')
_READ_ONLY = "SQL: the provenance can only be read"
_READ_ONLY_HINT = "use SELECT; statuses are changed with %rms mark"


def reading_statement(engine: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """Parse a query.

    Raises
    ------
    RmsError
        If it is not one SELECT, or EXPLAIN of one without ANALYZE.
    """
    statement = _one_statement(engine, query)
    kind = statement.type.name
    if _is_explain(query):
        if not any(_selects(engine, text) for text in _explained(query)):
            raise RmsError(
                "SQL: only a SELECT can be explained, and without ANALYZE", hint="for example: EXPLAIN SELECT …"
            )
    elif not _selects(engine, query):
        what = "this writes" if kind == "MULTI" else f"this is {kind}"
        raise RmsError(f"{_READ_ONLY}, and {what}", hint=_READ_ONLY_HINT)
    return statement


def cannot_write() -> RmsError:
    """Return what is said of a SELECT in which a write is hidden."""
    return RmsError(f"{_READ_ONLY}, and a part of this would write", hint=_READ_ONLY_HINT)


def hint(error: Exception, query: str, columns: Callable[[], Mapping[str, Sequence[str]]]) -> str:
    """Return what to do about an error of DuckDB's.

    Parameters
    ----------
    error : Exception
    query : str
    columns : callable
        Gives the columns of each view.
    """
    text = str(error)
    if "Permission Error" in text or "IO Error" in text:
        return HINT
    if (quoted := _NO_COLUMN.search(text)) and f'"{quoted[1]}"' in query:
        return f"text stands in single quotes: '{quoted[1]}'"
    if "column" in text and "Binder Error" in text:
        named = set(re.findall(r"\w+", query))
        if has := [f"{view} has {', '.join(names)}" for view, names in columns().items() if view in named]:
            return "; ".join(has)
    if "Catalog Error" in text or "Binder Error" in text:
        return _VIEWS
    return _VIEWS


def short(error: Exception) -> str:
    """Return the first part of DuckDB's message, which is about the query and not a picture of it."""
    return str(error).split("\n\nLINE")[0].removeprefix("Invalid Error: ").strip()


def _one_statement(engine: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    import duckdb

    try:
        statements = engine.extract_statements(query)
    except (duckdb.Error, UnicodeError) as error:
        raise RmsError(f"SQL: {short(error)}", hint=hint(error, query, dict)) from None
    if len(statements) != 1:
        raise RmsError("SQL: one statement at a time", hint="put each in a cell or a line of its own")
    return statements[0]


def _selects(engine: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether a text is a SELECT. A PIVOT is one if it can stand as a subquery; CREATE TABLE AS PIVOT cannot."""
    import duckdb

    try:
        [statement] = engine.extract_statements(query)
        if statement.type.name == "MULTI":
            code = b"".join(text for kind, text in _tokens(query) if kind != "comment").decode()
            [statement] = engine.extract_statements(f"FROM ({code.rstrip('; ')})")
            return statement.type.name == "MULTI"
    except (duckdb.Error, ValueError):
        return False
    return statement.type.name == "SELECT"


def _is_explain(query: str) -> bool:
    words = (text.strip().upper() for kind, text in _tokens(query) if kind != "comment")
    return next((word for word in words if word != b";"), b"") == b"EXPLAIN"


def _explained(query: str) -> Iterator[str]:
    """Read what EXPLAIN is about: all that follows, or all that follows options in parentheses without ANALYZE."""
    code = [text for kind, text in _tokens(query) if kind != "comment"]
    words = [text.strip().upper() for text in code]
    start = words.index(b"EXPLAIN") + 1
    yield b"".join(code[start:]).decode()
    if words[start : start + 1] == [b"("] and b")" in words:
        end = words.index(b")")
        if not {b"ANALYZE", b"ANALYSE"} & set(words[start:end]):
            yield b"".join(code[end + 1 :]).decode()


def _tokens(query: str) -> Iterator[tuple[str, bytes]]:
    """Read a query's tokens, as (kind, text with the space after it); DuckDB counts bytes."""
    import duckdb

    text = query.encode()
    tokens = duckdb.tokenize(query)
    for (start, kind), end in zip(tokens, [*(start for start, _ in tokens[1:]), len(text)], strict=True):
        yield kind.name, text[start:end]
