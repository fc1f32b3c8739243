-- What nothing else was made from, and what was tagged or noted, that is current.
SELECT r.id FROM raw.resources r
LEFT JOIN raw.latest_status s ON s.id = r.id
WHERE s.status IS NULL AND r.task IS NOT NULL AND r.kind <> 'given'
  AND (r.id NOT IN (SELECT parent FROM raw.links WHERE parent IS NOT NULL)
       OR r.id IN (SELECT id FROM raw.notes) OR r.task IN (SELECT id FROM raw.notes))
