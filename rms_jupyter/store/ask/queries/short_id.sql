-- Ids whose scrambled form (naming.short_id) lies in a span.
SELECT id FROM (SELECT id FROM raw.tasks UNION SELECT id FROM raw.resources)
WHERE (id::HUGEINT * $by::HUGEINT) % 18446744073709551616 BETWEEN $first::HUGEINT AND $last::HUGEINT
ORDER BY id
