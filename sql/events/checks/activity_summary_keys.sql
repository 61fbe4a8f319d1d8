-- table: activity_summary
-- grain: one row per offending key
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a key of activity_summary that is null, not of this window, or there more than once:
-- whoever joins or sums the table would count twice or not at all (DQ-03).
WITH keyed AS (
  SELECT event_date, event_type, device, location, count(*) AS copies
  FROM staged
  GROUP BY event_date, event_type, device, location
)
SELECT
  CAST(
    'key (' || COALESCE(CAST(event_date AS VARCHAR), 'null') || ', '
      || COALESCE(event_type, 'null') || ', '
      || COALESCE(device, 'null') || ', '
      || COALESCE(location, 'null') || ') is there '
      || CAST(copies AS VARCHAR) || ' times' AS VARCHAR
  ) AS reason
FROM keyed
WHERE copies > 1
  OR event_date IS NULL
  OR event_date <> CAST(CAST($window_start AS TIMESTAMP) AS DATE)
  OR event_type IS NULL
  OR device IS NULL
  OR location IS NULL
