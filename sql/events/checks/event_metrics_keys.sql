-- table: event_metrics
-- grain: one row per offending key
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a key of event_metrics that is null, not of this window, or there more than once:
-- whoever joins or sums the table would count twice or not at all (DQ-03).
WITH keyed AS (
  SELECT window_start, event_date, hour, event_type, count(*) AS copies
  FROM staged
  GROUP BY window_start, event_date, hour, event_type
)
SELECT
  CAST(
    'key (' || COALESCE(substr(CAST(window_start AS VARCHAR), 1, 19), 'null') || ', '
      || COALESCE(CAST(event_date AS VARCHAR), 'null') || ', '
      || COALESCE(hour, 'null') || ', '
      || COALESCE(event_type, 'null') || ') is there '
      || CAST(copies AS VARCHAR) || ' times' AS VARCHAR
  ) AS reason
FROM keyed
WHERE copies > 1
  OR window_start IS NULL
  OR window_start <> CAST($window_start AS TIMESTAMP)
  OR event_date IS NULL
  OR event_date <> CAST(CAST($window_start AS TIMESTAMP) AS DATE)
  OR hour IS NULL
  OR hour <> lpad(CAST(EXTRACT(HOUR FROM CAST($window_start AS TIMESTAMP)) AS VARCHAR), 2, '0')
  OR event_type IS NULL
