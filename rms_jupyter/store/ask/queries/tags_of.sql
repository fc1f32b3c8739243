SELECT DISTINCT tag FROM raw.status_log WHERE tag IS NOT NULL AND id IN (SELECT unnest(?::BIGINT[])) ORDER BY tag
