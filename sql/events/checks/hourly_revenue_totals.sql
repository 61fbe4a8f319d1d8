-- table: hourly_revenue
-- grain: one row when they differ
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means that the totals of hourly_revenue are not those of silver (DQ-17): the model lost or
-- doubled something between the two layers.
WITH gold AS (
  SELECT
    COALESCE(sum(total_revenue), 0) AS revenue,
    COALESCE(sum(order_count), 0) AS orders
  FROM staged
),
silver AS (
  SELECT
    COALESCE(sum(revenue), 0) AS revenue,
    count(*) AS orders
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B' AND event_type = 'purchase'
)
SELECT
  CAST(
    'revenue ' || CAST(gold.revenue AS VARCHAR) || ' in gold, '
        || CAST(silver.revenue AS VARCHAR) || ' in silver'
      || ', orders ' || CAST(gold.orders AS VARCHAR) || ' in gold, '
        || CAST(silver.orders AS VARCHAR) || ' in silver'
    AS VARCHAR
  ) AS reason
FROM gold
CROSS JOIN silver
WHERE gold.revenue <> silver.revenue
  OR gold.orders <> silver.orders
