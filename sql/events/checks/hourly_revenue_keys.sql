-- table: hourly_revenue
-- grain: one row per offending key
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a key of hourly_revenue that is null, not of this window, or there more than once:
-- whoever joins or sums the table would count twice or not at all (DQ-03).
WITH keyed AS (
  SELECT event_date, hour, count(*) AS copies
  FROM staged
  GROUP BY event_date, hour
)
SELECT
  CAST(
    'key (' || COALESCE(CAST(event_date AS VARCHAR), 'null') || ', '
      || COALESCE(hour, 'null') || ') is there '
      || CAST(copies AS VARCHAR) || ' times' AS VARCHAR
  ) AS reason
FROM keyed
WHERE copies > 1
  OR event_date IS NULL
  OR event_date <> CAST(CAST($window_start AS TIMESTAMP) AS DATE)
  OR hour IS NULL
  OR hour <> lpad(CAST(EXTRACT(HOUR FROM CAST($window_start AS TIMESTAMP)) AS VARCHAR), 2, '0')
UNION ALL
SELECT
  CAST(CAST(count(*) AS VARCHAR) || ' rows, wanted one for every window' AS VARCHAR) AS reason
FROM staged
HAVING count(*) <> 1
