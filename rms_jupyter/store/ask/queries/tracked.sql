-- Tracked scripts and notebooks by their places, with the ways in which they are run.
SELECT path, configs FROM raw.tracked
QUALIFY row_number() OVER (PARTITION BY path ORDER BY k DESC) = 1 ORDER BY path
