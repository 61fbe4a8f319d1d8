-- table: device_summary
-- grain: one row per offending row
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a row of device_summary whose revenue or count is null or negative (DQ-03): there
-- are no refunds among the events, so either is a fault of ours.
SELECT
  CAST(
    'total_revenue is ' || COALESCE(CAST(total_revenue AS VARCHAR), 'null')
      || ', event_count is ' || COALESCE(CAST(event_count AS VARCHAR), 'null')
      || ', unique_users is ' || COALESCE(CAST(unique_users AS VARCHAR), 'null')
    AS VARCHAR
  ) AS reason
FROM staged
WHERE total_revenue IS NULL
  OR total_revenue < 0
  OR event_count IS NULL
  OR event_count < 0
  OR unique_users IS NULL
  OR unique_users < 0
