-- table: product_revenue
-- grain: one row per offending row
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a row of product_revenue whose revenue or count is null or negative (DQ-03): there
-- are no refunds among the events, so either is a fault of ours.
SELECT
  CAST(
    'total_revenue is ' || COALESCE(CAST(total_revenue AS VARCHAR), 'null')
      || ', units is ' || COALESCE(CAST(units AS VARCHAR), 'null')
    AS VARCHAR
  ) AS reason
FROM staged
WHERE total_revenue IS NULL
  OR total_revenue < 0
  OR units IS NULL
  OR units < 0
