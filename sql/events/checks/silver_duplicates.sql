-- table: events_cleaned
-- grain: one row per event_id that is there twice
-- reads: staged, staged_before
-- layer: silver
-- severity: gate
-- runs: row
-- scored: duplicates
-- A row means an id that the window has more than once (DQ-07): every count above it is wrong. A fold
-- is held against itself and against the files that it has from the version before, which were
-- held against each other when they were written.
WITH copies AS (
  SELECT event_id, count(*) AS copies
  FROM staged
  WHERE event_id IS NOT NULL
  GROUP BY event_id
),
before AS (
  SELECT b.event_id, count(*) AS copies
  FROM staged_before AS b
  JOIN copies AS c ON c.event_id = b.event_id
  GROUP BY b.event_id
),
counted AS (
  SELECT c.event_id, c.copies + COALESCE(b.copies, 0) AS copies
  FROM copies AS c
  LEFT JOIN before AS b ON b.event_id = c.event_id
)
SELECT
  CAST(event_id AS VARCHAR) AS event_id,  -- the id
  CAST(event_id || ' is there ' || CAST(copies AS VARCHAR) || ' times' AS VARCHAR) AS reason
FROM counted
WHERE copies > 1
