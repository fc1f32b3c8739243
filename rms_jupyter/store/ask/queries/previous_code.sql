-- The code version of a pipe on record before a given one: its text.
SELECT sources FROM pipes
WHERE name = ? AND version <> ? AND k < (SELECT max(k) FROM pipes WHERE version = ?)
ORDER BY k DESC LIMIT 1
