-- The arguments and globals that all tasks of a place share ({places}).
WITH told AS (
    SELECT d.place, j.key, j.value FROM drawn d JOIN raw.tasks t USING (id), json_each(t.args) j
    WHERE d.place IN ({places})
    UNION ALL
    SELECT d.place, j.key, j.value FROM drawn d JOIN raw.tasks t USING (id), json_each(t.globals) j
    WHERE d.place IN ({places}) AND t.globals IS NOT NULL
)
SELECT place, key, min(value) FROM told GROUP BY place, key HAVING min(value) = max(value);
