-- Names of the arguments and globals of the latest tasks.
SELECT DISTINCT unnest(json_keys(args) || coalesce(json_keys(globals), [])) AS name
FROM (SELECT args, globals FROM raw.tasks ORDER BY k DESC LIMIT 10000) ORDER BY name
