"""The SQL of `ancestors(id)` and `descendants(id)`: all that links lead to from a node.

The first steps are joins each, which read only the blocks of links that they need; a recursion reads all of them, so it
goes on only where there are further steps. Depth counts calls: the task that made a node and what that task used are at
depth 1.
"""

from __future__ import annotations

_STEPS = 16


def closure_macros() -> str:
    """Write both macros."""
    return _macro("ancestors", "child", "parent") + _macro("descendants", "parent", "child")


def _macro(name: str, near: str, far: str) -> str:
    step = f"SELECT DISTINCT l.{far} AS id FROM raw.links l JOIN s%d s ON l.{near} = s.id"
    steps = "".join(f"    s{n} AS MATERIALIZED ({step % (n - 1)}),\n" for n in range(1, _STEPS + 1))
    found = " UNION ALL ".join(f"SELECT id, {n} AS steps FROM s{n}" for n in range(_STEPS))
    return f"""
CREATE OR REPLACE MACRO {name}(node) AS TABLE
    WITH RECURSIVE s0 AS (SELECT node::BIGINT AS id),
{steps}    rest AS MATERIALIZED (SELECT child, parent FROM raw.links WHERE EXISTS (FROM s{_STEPS})),
    further(id, steps) AS (
        SELECT id, {_STEPS} FROM s{_STEPS}
        UNION SELECT l.{far}, steps + 1 FROM rest l JOIN further ON l.{near} = further.id
    ),
    found AS (
        SELECT id, min(steps) AS steps FROM ({found} UNION ALL SELECT id, steps FROM further) GROUP BY id
    )
    SELECT n.id, n.kind, (f.steps + 1) // 2 AS depth, n.pipe, n.args, n.path, n.status
    FROM found f JOIN nodes n USING (id) WHERE f.steps > 0;
"""
