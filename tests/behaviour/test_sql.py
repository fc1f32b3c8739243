"""SQL is one SELECT that only reads; it sees the notebook's values and frames, and its numbers are exact."""

import datetime
import enum
import os
import random
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import rms_jupyter as rms
from rms_jupyter.store.ask.answers import to_arrow, to_pandas, to_polars

BIG = 2**53 + 1


class Colour(enum.Enum):
    RED = "red"


@pytest.fixture
def asked(s):
    """A session with one task on record, that is still there afterwards."""
    s.register_pipe(lambda x: x, name="same")(1)
    s.sql("FROM tasks")
    yield s
    assert s.sql("SELECT count(*) FROM raw.tasks").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "query",
    [
        "EXPLAIN ANALYZE DELETE FROM raw.tasks",
        "explain /* why */ analyze\nDELETE FROM raw.tasks",
        "-- harmless\nEXPLAIN -- still\n(ANALYZE) DELETE FROM raw.tasks",
        "EXPLAIN (FORMAT json, ANALYZE) DELETE FROM raw.tasks",
        "; EXPLAIN ANALYZE DELETE FROM raw.tasks",
        "EXPLAIN DELETE FROM raw.tasks",
        "EXPLAIN (FORMAT json) DELETE FROM raw.tasks",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN (ANALYZE, FORMAT json) SELECT 1",
        "EXPLAIN ANALYSE SELECT 1",
        "EXPLAIN ANALYZE PIVOT (SELECT 1 AS a) ON a",
        "EXPLAIN COPY raw.tasks TO 'out.csv'",
    ],
)
def test_explain_explains_a_select_and_runs_nothing(asked, query):
    with pytest.raises(rms.RmsError, match=r"only a SELECT can be explained, and without ANALYZE") as caught:
        asked.sql(query)
    assert caught.value.hint


@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM raw.tasks RETURNING *) SELECT * FROM gone",
        "WITH more AS (INSERT INTO raw.tasks SELECT * FROM raw.tasks RETURNING *) FROM more",
        "CREATE TABLE x AS PIVOT (SELECT 1 AS a) ON a",
        "CREATE TEMP TABLE x AS PIVOT (SELECT 1 AS a) ON a",
        "CREATE TABLE memory.x AS PIVOT (SELECT 1 AS a) ON a",
        "INSERT INTO raw.tasks PIVOT (SELECT 1 AS a) ON a",
        "CREATE VIEW x AS PIVOT (SELECT 1 AS a) ON a IN (1)",
        "/* SELECT */ DELETE FROM raw.tasks",
        "WITH t AS (SELECT 1) DELETE FROM raw.tasks",
        "MERGE INTO raw.tasks USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
        "PRAGMA database_list",
        "CALL force_checkpoint()",
        "CHECKPOINT",
        "USE memory",
        "BEGIN",
        "COMMIT",
        "SET VARIABLE x = 1",
        "INSTALL spatial",
        "LOAD spatial",
        "EXPORT DATABASE 'out'",
        "DETACH rms",
        "PREPARE p AS SELECT 1",
        "COMMENT ON VIEW tasks IS 'x'",
        "VACUUM",
    ],
)
def test_what_would_write_is_refused_however_it_is_spelled(asked, query):
    with pytest.raises(rms.RmsError, match="the provenance can only be read") as caught:
        asked.sql(query)
    assert caught.value.hint and "\n" not in caught.value.message
    assert not os.path.exists("out")


@pytest.mark.parametrize(
    "query",
    [
        "FROM read_csv('/etc/passwd')",
        "FROM glob('/etc/*')",
        "FROM read_text('/etc/passwd')",
        "FROM sniff_csv('/etc/passwd')",
        "FROM 'x.parquet'",
        "FROM read_csv('http://localhost/x.csv')",
        "FROM query('DELETE FROM raw.tasks')",
        "FROM (WITH gone AS (DELETE FROM raw.tasks RETURNING *) FROM gone)",
        "FROM enable_profiling()",
        "FROM force_checkpoint()",
    ],
)
def test_functions_and_subqueries_reach_nothing_outside(asked, query):
    with pytest.raises(rms.RmsError) as caught:
        asked.sql(query)
    assert caught.value.hint


@pytest.mark.parametrize(
    "query",
    [
        "FROM read_csv('{file}')",
        "FROM '{file}'",
        'SELECT (SELECT max(a) FROM "{file}")',
        "WITH t AS (FROM '{file}') SELECT * FROM t",
        "FROM query('FROM ''{file}''')",
        "FROM json_execute_serialized_sql(json_serialize_sql('FROM ''{file}'''))",
        "DESCRIBE '{file}'",
        "EXPLAIN FROM '{file}'",
        "EXPLAIN FROM read_csv('{file}')",
        "PIVOT '{file}' ON a",
        "PIVOT \"read_csv\" /* ( */ ('{file}') ON a USING count(*)",
        "SELECT size FROM Read_Blob('{database}')",
        "FROM glob('{store}/*')",
    ],
)
def test_files_of_the_store_are_refused_before_they_are_read(asked, query):
    asked.sql("SELECT 1")
    [database] = asked.path.glob("*.duckdb")
    file = asked.path / "staging" / "a.csv"
    file.write_text("a\n7\n")
    query = query.format(file=file, database=database, store=asked.path)
    with pytest.raises(rms.RmsError, match="SQL: .* (is a file|is not for queries)") as caught:
        asked.sql(query)
    assert "no files" in caught.value.hint
    file.unlink()
    with pytest.raises(rms.RmsError, match="SQL: .* (is a file|is not for queries)"):
        asked.sql(query)


def test_a_frame_may_be_called_as_a_file_is(asked):
    assert asked.sql('FROM "x.csv"', frames={"x.csv": pd.DataFrame({"a": [7]})}).fetchall() == [(7,)]
    assert asked.sql("SELECT 1 WHERE 'a/b' GLOB ('a*')").fetchall() == [(1,)]


def test_a_hint_names_what_everybody_has(asked):
    for query in ("FROM taks", "SELECT abs('x')", "SELEC"):
        with pytest.raises(rms.RmsError) as caught:
            asked.sql(query)
        assert "%rms sql DESCRIBE tasks" in caught.value.hint and "ipynb" not in caught.value.hint


def test_a_file_of_the_store_that_is_not_there_or_cannot_be_read_is_no_damage(asked):
    asked.sql("SELECT 1")
    staging = asked.path / "staging"
    (staging / "a folder.csv").mkdir()
    for name in ("nothing.csv", "*.csv", "a folder.csv"):
        with pytest.raises(rms.RmsError, match="SQL: ") as caught:
            asked.sql(f"FROM read_csv('{staging / name}')")
        assert "no files" in caught.value.hint
    assert asked.sql("SELECT count(*) > 0 FROM tasks").fetchall() == [(True,)]
    assert len(list(asked.path.glob("*.duckdb*"))) == 1


@pytest.mark.parametrize(
    "query, rows",
    [
        ("SELECT $$a;b 'c' $x$$", [("a;b 'c' $x",)]),
        ("SELECT $tag$ $name; DELETE $$ $tag$", [(" $name; DELETE $$ ",)]),
        ("SELECT '$x', 1 -- $y ; DELETE\n/* $z; */", [("$x", 1)]),
        (";; SELECT 1 ;; -- end", [(1,)]),
        ("PIVOT (SELECT 'a' AS k, 1 AS v) ON k USING sum(v); -- end", [(1,)]),
        ("/* ü */ FROM (PIVOT (SELECT 'ä' AS k, 1 AS v) ON k USING sum(v))", [(1,)]),
        ("VALUES (1)", [(1,)]),
        ("WITH tasks AS (SELECT 7 AS x) FROM tasks", [(7,)]),
        ("SELECT ?, $2", [(5, 6)]),
    ],
)
def test_reading_is_read(asked, query, rows):
    assert asked.sql(query, [5, 6] if "?" in query else None).fetchall() == rows


@pytest.mark.parametrize(
    "query",
    ["SELECT 1", "(SELECT 'ü')", "PIVOT (SELECT 1 AS a) ON a", "FROM tasks;", "SELECT '(ANALYZE)', $x"],
)
@pytest.mark.parametrize("explain", ["EXPLAIN", "-- ü\nexplain /* ( */", "EXPLAIN (FORMAT json)"])
def test_a_select_can_be_explained(asked, explain, query):
    assert asked.sql(f"{explain} {query}", {"x": 1}).fetchall()


def test_an_answer_outlives_the_lease_and_sees_no_more_of_the_database(asked):
    answer = asked.sql("SELECT pipe, 2::HUGEINT ** 70 AS n FROM tasks")
    asked.sql("FROM tasks").close()
    assert answer.filter("n > 1").fetchall() == [("same", 2.0**70)]


@pytest.mark.parametrize(
    "value, equals",
    [
        (np.bool_(True), "true"),
        (np.int8(-1), "-1"),
        (np.int64(2**62), "4611686018427387904"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (np.float16(1.5), "1.5::DOUBLE"),
        (np.float32(0.5), "0.5::DOUBLE"),
        (np.longdouble("0.1"), "0.1::DOUBLE"),
        (np.str_("a'b"), "'a''b'"),
        (np.bytes_(b"a"), "'a'::BLOB"),
        (np.datetime64("2020-01-02"), "DATE '2020-01-02'"),
        (np.datetime64("2020"), "DATE '2020-01-01'"),
        (np.datetime64("2020-01-02T03:04:05", "ns"), "TIMESTAMP '2020-01-02 03:04:05'"),
        (np.datetime64("2020-01-02T03:04:05.123456789"), "TIMESTAMP_NS '2020-01-02 03:04:05.123456789'"),
        (np.array("2020-01-02", "M8[ns]"), "TIMESTAMP '2020-01-02'"),
        (np.timedelta64(90, "m"), "INTERVAL '90 minutes'"),
        (np.timedelta64(3000, "ns"), "INTERVAL '3 microseconds'"),
        (pd.Timestamp("2020-01-02 03:04:05.123456789"), "TIMESTAMP_NS '2020-01-02 03:04:05.123456789'"),
        (pd.Timestamp("2020-01-02", tz="Europe/Berlin"), "TIMESTAMPTZ '2020-01-01 23:00:00+00'"),
        (pd.Timedelta("2h"), "INTERVAL '2 hours'"),
        (datetime.date(2020, 1, 2), "DATE '2020-01-02'"),
        (datetime.time(1, 2), "TIME '01:02'"),
        (Decimal("12345678901234567890.12"), "12345678901234567890.12"),
        (2**127 + 1, "170141183460469231731687303715884105729::UHUGEINT"),
        (-(2**100), "-1267650600228229401496703205376"),
        (Colour.RED, "'red'"),
        (Path("a/b"), "'a/b'"),
        (bytearray(b"x"), "'x'::BLOB"),
        (memoryview(b"x"), "'x'::BLOB"),
        (np.array([1, 2]), "[1, 2]"),
        (np.array([1.5, np.nan]), "[1.5::DOUBLE, 'nan'::DOUBLE]"),
        (np.array(["2020-01-02"], "M8[ns]"), "[TIMESTAMP '2020-01-02']"),
        (pd.Series([np.int64(BIG), 2]), "[9007199254740993, 2]"),
        (pd.array([1, None], dtype="Int64"), "[1, NULL]"),
        (pl.Series([1, 2]), "[1, 2]"),
        (pa.array(["a", None]), "['a', NULL]"),
        (pa.scalar(7), "7"),
        ((np.int64(1), np.float32(0.5)), "[1, 0.5]"),
        (range(3), "[0, 1, 2]"),
        ({"a": np.int64(1)}, "{'a': 1}"),
        (None, "NULL"),
        (pd.NaT, "NULL"),
        (pd.NA, "NULL"),
        (np.datetime64("NaT"), "NULL"),
        (np.timedelta64("NaT", "s"), "NULL"),
        (np.ma.masked, "NULL"),
        (float("nan"), "'nan'::DOUBLE"),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {str(value).partition(' at 0x')[0]}"[:40] if type(value) is not str else ""
    ),
)
def test_values_are_parameters_as_they_are(s, value, equals):
    same = f"SELECT $x IS NOT DISTINCT FROM {equals}, $x IS NULL"
    assert s.sql(same, {"x": value}).fetchall() == [(True, equals == "NULL")]
    assert s.sql(f"SELECT ? IS NOT DISTINCT FROM {equals}", [value]).fetchall() == [(True,)]


@pytest.mark.parametrize(
    "value, message",
    [
        (2**128, "more than 128 bits"),
        (Decimal("1E+50"), "more than 38 digits"),
        (Decimal("0." + "1" * 40), "more than 38 digits"),
        (1j, "of type complex"),
        (np.complex64(1), "of type complex"),
        (object(), "of type object"),
        (len, "of type builtin_function_or_method"),
        (pd.DataFrame({"a": [1]}), "of type DataFrame"),
        (np.timedelta64(3, "ns"), "which no INTERVAL holds exactly"),
        (np.timedelta64(3, "M"), "which no INTERVAL holds exactly"),
        (pd.Timedelta("1ns"), "nanoseconds"),
        (pd.Timestamp("2020-01-01 00:00:00.000000001", tz="UTC"), "nanoseconds"),
        (np.datetime64(10**18, "D"), "too far away"),
        ("\ud800", "not Unicode"),
        ([1, object()], "of type object"),
        (iter([1]), "of type list_iterator"),
    ],
)
def test_what_sql_has_no_value_for_is_refused_by_name(s, value, message):
    with pytest.raises(rms.RmsError, match=rf"SQL: \$cut is .*{message}") as caught:
        s.sql("SELECT $cut", {"cut": value})
    assert caught.value.hint


def test_a_mapping_may_hold_more_and_what_it_lacks_is_named_with_what_is_near(s):
    given = {"limit": 1, "größe": 2, "order": 3, "other": object()}
    assert s.sql('SELECT $limit, $größe, $order, $"limit"', given).fetchall() == [(1, 2, 3, 1)]
    with pytest.raises(rms.RmsError, match="there is no variable limt for") as caught:
        s.sql("SELECT $limt", given)
    assert "$limit" in caught.value.hint
    with pytest.raises(rms.RmsError, match="there is no variable LIMIT for") as caught:
        s.sql("SELECT $LIMIT", given)
    assert "$limit" in caught.value.hint
    with pytest.raises(rms.RmsError, match="one name to SQL"):
        s.sql("SELECT $limit, $Limit", {"limit": 1, "Limit": 2})
    with pytest.raises(rms.RmsError, match=r"no value is given for \?"):
        s.sql("SELECT ?", given)


FRAMES = {
    "pandas": pd.DataFrame({"a": [1]}),
    "polars": pl.DataFrame({"a": [1]}),
    "lazy": pl.LazyFrame({"a": [1]}),
    "arrow": pa.table({"a": [1]}),
    "batch": pa.record_batch({"a": [1]}),
    "subclass": type("Mine", (pd.DataFrame,), {})({"a": [1]}),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("name", ["order", "select", "table", "Größe", "Upper", "a b", 'quo"te', "x.y", "rms", "raw"])
def test_frames_by_any_name(s, frame, name):
    quoted = '"' + name.replace('"', '""') + '"'
    assert s.sql(f"SELECT f.a FROM {quoted} f WHERE EXISTS (FROM {quoted})", None, {name: frame}).fetchall() == [(1,)]
    with pytest.raises(rms.RmsError):
        s.sql(f"FROM {quoted}")


def test_text_in_double_quotes_is_told_how_text_is_written(asked):
    with pytest.raises(rms.RmsError, match="text stands in single quotes: 'load'"):
        asked.sql('SELECT * FROM tasks WHERE pipe = "load"')
    with pytest.raises(rms.RmsError, match="tasks has "):
        asked.sql("SELECT pip FROM tasks")


def test_a_frame_never_hides_a_view(asked):
    other = pd.DataFrame({"pipe": ["wrong"] * 9})
    for name in ("tasks", "TASKS", "duckdb_tables"):
        query = f"SELECT count(*) FROM {name}"
        assert asked.sql(query, None, {name: other, "tasks": other}).fetchall() == asked.sql(query).fetchall()
    assert asked.sql("WITH t AS (FROM tasks) SELECT pipe FROM t", None, {"t": other, "tasks": other}).fetchall() == [
        ("same",)
    ]
    assert asked.sql("SELECT count(*) FROM columns", None, {"columns": other}).fetchall() == [(9,)]


def test_a_cte_hides_a_frame_and_two_names_that_are_one_to_sql_are_refused(s):
    frame = pd.DataFrame({"a": [1]})
    assert s.sql("WITH f AS (SELECT 2 AS a) FROM f", None, {"f": frame}).fetchall() == [(2,)]
    with pytest.raises(rms.RmsError, match="f and F are one name"):
        s.sql("FROM f", None, {"f": frame, "F": frame})


def test_variables_of_this_package_are_no_frames(s):
    for name in ("frame", "frames", "plain", "query", "asker", "statement", "values"):
        with pytest.raises(rms.RmsError):
            s.sql(f'FROM "{name}"')


@pytest.mark.parametrize(
    "frame, query, rows",
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "FROM f", [(1, 2)]),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), "FROM f", [(1, 2)]),
        (pd.DataFrame([[1, 2]]), 'SELECT "1" FROM f', [(2,)]),
        (
            pd.DataFrame({"a": pd.Series([1] * 5001 + [1.5] + [1] * 5000, dtype=object)}),
            "SELECT max(a) FROM f",
            [(1.5,)],
        ),
        (pd.DataFrame({"a": pd.Series([1] * 5001 + [2**70], dtype=object)}), "SELECT max(a) FROM f", [(2**70,)]),
        (
            pd.DataFrame({"a": pd.Series([np.int64(9), None, np.int64(10)], dtype=object)}),
            "SELECT max(a) FROM f",
            [(10,)],
        ),
        (
            pd.DataFrame({"a": pd.Series([np.float32(9), np.float32(10)], dtype=object)}),
            "SELECT max(a) FROM f",
            [(10,)],
        ),
        (pd.DataFrame({"a": pd.Series([BIG, None], dtype=object)}), "FROM f", [(BIG,), (None,)]),
        (pd.DataFrame({"a": pd.array([2**64 - 1, None], dtype="UInt64")}), "FROM f", [(2**64 - 1,), (None,)]),
        (pd.DataFrame({"a": pd.Categorical(["x", None])}), "FROM f", [("x",), (None,)]),
        (pd.DataFrame({"a": [Colour.RED], "p": [Path("x")]}), "FROM f", [("red", "x")]),
        (pd.DataFrame({"a": [Decimal("1.10"), Decimal("2")]}), "SELECT sum(a) FROM f", [(Decimal("3.10"),)]),
        (pl.DataFrame({"a": [2**64 - 1, None]}), "FROM f", [(2**64 - 1,), (None,)]),
    ],
)
def test_columns_of_every_kind_are_read_as_they_are(s, frame, query, rows):
    before = frame.copy() if isinstance(frame, pd.DataFrame) else frame
    assert s.sql(query, None, {"f": frame}).fetchall() == rows
    assert frame.equals(before)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1j]}),
        pd.DataFrame(index=[1]),
        pd.DataFrame({"a": pd.period_range("2020", periods=1, freq="M")}),
    ],
)
def test_a_frame_that_cannot_be_read_is_named_and_stands_in_no_other_querys_way(s, frame):
    with pytest.raises(rms.RmsError, match="the data frame odd cannot be read") as caught:
        s.sql("FROM odd", None, {"odd": frame})
    assert caught.value.hint
    assert s.sql("SELECT 1 AS odd", None, {"odd": frame}).fetchall() == [(1,)]
    with pytest.raises(rms.RmsError, match="nothing"):
        s.sql("SELECT nothing AS odd FROM tasks", None, {"odd": frame})


EXACT = {
    "sum": (f"SELECT sum(x) AS n FROM (VALUES ({BIG}), (2)) t(x)", [BIG + 2]),
    "sum with NULL": (
        f"SELECT sum(x) AS n FROM (VALUES (1, {BIG}), (2, NULL)) t(i, x) GROUP BY i ORDER BY i",
        [BIG, None],
    ),
    "sum past 64 bits": (f"SELECT sum(x) AS n FROM (VALUES ({2**63 - 1}), ({2**63 - 1})) t(x)", [2**64 - 2]),
    "sum past unsigned": ("SELECT 2::HUGEINT * 9223372036854775807 * 8 AS n", [16 * (2**63 - 1)]),
    "negative": ("SELECT -100000000000000000000000000000001::HUGEINT AS n", [-(10**32) - 1]),
    "id with NULL": (f"SELECT unnest([{BIG}, NULL]) AS n", [BIG, None]),
    "unsigned": (f"SELECT unnest([{2**64 - 1}::UBIGINT, NULL]) AS n", [2**64 - 1, None]),
    "unsigned 128": ("SELECT 5::UHUGEINT AS n", [5]),
    "bignum": ("SELECT 12345678901234567890123::BIGNUM AS n", [12345678901234567890123]),
    "decimal": ("SELECT unnest([1.10::DECIMAL(18,2), NULL]) AS n", [Decimal("1.10"), None]),
    "wide decimal": (
        "SELECT 123456789012345678901234567890.12345678::DECIMAL(38,8) AS n",
        [Decimal("123456789012345678901234567890.12345678")],
    ),
    "half": ("SELECT 0.5 AS n", [0.5]),
    "list": (f"SELECT [{BIG}::HUGEINT, NULL] AS n", [[BIG, None]]),
    "list of decimals": ("SELECT [0.1, NULL] AS n", [[Decimal("0.1"), None]]),
    "struct": (f"SELECT {{'a': {BIG}::HUGEINT, 'b': 0.1}} AS n", [{"a": BIG, "b": Decimal("0.1")}]),
    "nothing": ("SELECT sum(x) AS n FROM (VALUES (1)) t(x) WHERE false", [None]),
}


@pytest.mark.parametrize("query, values", EXACT.values(), ids=EXACT)
def test_every_number_is_exact_in_every_kind_of_frame(s, query, values):
    frame = to_pandas(s.sql(query))
    assert [None if np.ndim(value) == 0 and pd.isna(value) else value for value in frame["n"]] == values
    assert to_arrow(s.sql(query))["n"].to_pylist() == values
    assert to_polars(s.sql(query))["n"].to_list() == values
    assert [value if not isinstance(value, str) else int(value) for (value,) in s.sql(query).fetchall()] == values


def test_numbers_too_large_for_arrow_are_refused_and_pandas_has_them(s):
    for n in (f"{2**128 - 1}::UHUGEINT", f"{5 - 2**127}::HUGEINT", f"{10**40}::BIGNUM"):
        answer = s.sql(f'SELECT 1 AS a, {n} AS "n"')
        assert to_pandas(answer)["n"][0] == int(n.split(":")[0])
        for convert in (to_arrow, to_polars):
            with pytest.raises(rms.RmsError, match="numbers as large as those in n"):
                convert(answer)


def test_the_shape_of_an_answer_is_kept(s):
    frame = to_pandas(s.sql('SELECT 1 AS a, 0.1 AS "b""c", 3::HUGEINT AS "A", NULL::DECIMAL(9, 1) AS d'))
    assert list(frame.columns)[:2] == ["a", 'b"c'] and frame.shape == (1, 4)
    assert to_pandas(s.sql("SELECT 1::HUGEINT AS a, 0.1 AS b WHERE false")).shape == (0, 2)
    assert to_pandas(s.sql("SELECT '101'::BIT AS b"))["b"][0] == "101"


def test_in_a_notebook(kernel):
    kernel.run("%rms open demo.rms\n%load_ext rms_jupyter\nimport pandas as pd, numpy as np, pathlib")
    kernel.run("%%rms\ndef f(i):\n    return i\nfor i in range(3): f(i)")
    kernel.run("tasks = order = pd.DataFrame({'i': [9, 8]})\nDF, cut, numbers = order.tail(1), np.int64(1), [1]")
    assert kernel.value("get_ipython().run_line_magic('rms', 'sql SELECT count(*) AS n FROM tasks').n[0] == 3")
    assert kernel.run("n = %rms sql SELECT i FROM \"order\" WHERE i > $cut AND $$;$cut$$ <> ''").ok
    assert kernel.value("n.i.tolist()") == "[9, 8]"
    kernel.run("%%rms sql m <<\nSELECT df.i\nFROM df -- $nothing\n")
    assert kernel.value("m.i.tolist()") == "[8]"
    assert "there is no variable cutt" in (ran := kernel.run("%rms sql SELECT $cutt")).error and "$cut" in ran.error
    assert "without ANALYZE" in kernel.run("%rms sql EXPLAIN ANALYZE DELETE FROM raw.tasks").error
    assert kernel.run("%rms sql --as polars SELECT INTERVAL 1 MONTH AS i").error.count("\n") < 4
    kernel.run("%%rms\ndef frame():\n    return pd.DataFrame({'i': [5]})\ngiven = frame()\nlimit = f(2)")
    kernel.run("%rms sql k << SELECT given.i + $limit AS i FROM given")
    assert kernel.value("k.i.tolist()") == "[7]"


# What things were made from --------------------------------------------------------------------------------------------


def reached(pairs, root):
    """Find what is reached from a node, with the number of calls on the way."""
    near, steps, level = {}, {root: 0}, [root]
    for here, there in pairs:
        near.setdefault(here, []).append(there)
    while level:
        distance = steps[level[0]] + 1
        level = [new for node in level for new in near.get(node, ()) if steps.setdefault(new, distance) == distance]
        level = list(dict.fromkeys(level))
    return {node: (distance + 1) // 2 for node, distance in steps.items() if node != root}


@pytest.mark.parametrize("alias", ["n", "s", "f", "l", "x"])
@pytest.mark.parametrize(("macro", "columns"), [("ancestors", "dst, src"), ("descendants", "src, dst")])
def test_short_and_long_lineages_of_one_node_and_of_each(s, macro, columns, alias):
    """In a condition on each row of a query, whatever that calls its tables."""
    chance = random.Random(macro)
    add = s.register_pipe(lambda parts, n: [n, len(parts)], name="add")
    made = [add([], 0)]
    for n in range(1, 60):
        made.append(add(chance.sample(made[-4:], min(len(made), chance.choice([1, 1, 2, 3]))), n))
    pairs = s.sql(f"SELECT {columns} FROM edges").fetchall()
    expected = {node: reached(pairs, node) for (node,) in s.sql("SELECT id FROM nodes").fetchall()}
    assert max(depth for found in expected.values() for depth in found.values()) > 10
    for node in list(expected)[::7]:
        assert dict(s.sql(f"SELECT id, depth FROM {macro}($1)", [node]).fetchall()) == expected[node]
    each = s.sql(
        f"SELECT {alias}.id, a.id, a.depth FROM nodes {alias}, LATERAL (SELECT id, depth FROM {macro}({alias}.id)) a"
    ).fetchall()
    assert len(each) == sum(map(len, expected.values()))
    assert all(expected[node][other] == depth for node, other, depth in each)
    goal = list(expected)[30]
    found = s.sql(f"SELECT id FROM nodes {alias} WHERE EXISTS (FROM {macro}({alias}.id) a WHERE a.id = $1)", [goal])
    assert {node for (node,) in found.fetchall()} == {node for node, others in expected.items() if goal in others}
