-- table: events_cleaned
-- grain: one row per event_id that is there twice
-- reads: staged
-- layer: silver
-- severity: gate
-- runs: row
-- scored: duplicates
-- A row means an id that the window has more than once (DQ-07): every count above it is wrong.
SELECT
  CAST(event_id AS VARCHAR) AS event_id,  -- the id
  CAST(event_id || ' is there ' || CAST(count(*) AS VARCHAR) || ' times' AS VARCHAR) AS reason
FROM staged
WHERE event_id IS NOT NULL
GROUP BY event_id
HAVING count(*) > 1
