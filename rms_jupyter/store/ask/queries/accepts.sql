-- What counts now: the last word on each code version.
SELECT pipe, left(version, 8), list_transform(older, lambda v: left(v, 8)), accepted_at
FROM accepts QUALIFY row_number() OVER (PARTITION BY version ORDER BY k DESC) = 1 AND NOT undone ORDER BY k DESC
