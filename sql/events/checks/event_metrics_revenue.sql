-- table: event_metrics
-- grain: one row per offending row
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a row of event_metrics whose revenue or count is null or negative (DQ-03): there are
-- no refunds among the events, so either is a fault of ours.
SELECT
  CAST(
    'total_revenue is ' || COALESCE(CAST(total_revenue AS VARCHAR), 'null')
      || ', event_count is ' || COALESCE(CAST(event_count AS VARCHAR), 'null')
      || ', avg_revenue is ' || COALESCE(CAST(avg_revenue AS VARCHAR), 'null')
    AS VARCHAR
  ) AS reason
FROM staged
WHERE total_revenue IS NULL
  OR total_revenue < 0
  OR event_count IS NULL
  OR event_count < 0
  OR avg_revenue < 0
