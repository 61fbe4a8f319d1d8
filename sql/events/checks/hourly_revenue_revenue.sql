-- table: hourly_revenue
-- grain: one row per offending row
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a row of hourly_revenue whose revenue or count is null or negative (DQ-03): there
-- are no refunds among the events, so either is a fault of ours.
SELECT
  CAST(
    'total_revenue is ' || COALESCE(CAST(total_revenue AS VARCHAR), 'null')
      || ', order_count is ' || COALESCE(CAST(order_count AS VARCHAR), 'null')
      || ', avg_order_value is ' || COALESCE(CAST(avg_order_value AS VARCHAR), 'null')
    AS VARCHAR
  ) AS reason
FROM staged
WHERE total_revenue IS NULL
  OR total_revenue < 0
  OR order_count IS NULL
  OR order_count < 0
  OR avg_order_value < 0
  OR (order_count > 0 AND avg_order_value IS NULL)
