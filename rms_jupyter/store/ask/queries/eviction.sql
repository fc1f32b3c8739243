-- When and why one of a list of objects was last evicted.
SELECT why, timezone('UTC', changed) FROM raw.evictions WHERE object IN (SELECT unnest(?::VARCHAR[])) ORDER BY k DESC LIMIT 1
