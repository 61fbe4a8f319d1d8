-- table: product_revenue
-- grain: one row when they differ
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means that the totals of product_revenue are not those of silver (DQ-17): the model lost
-- or doubled something between the two layers.
WITH gold AS (
  SELECT
    COALESCE(sum(total_revenue), 0) AS revenue,
    COALESCE(sum(units), 0) AS units
  FROM staged
),
silver AS (
  SELECT
    COALESCE(sum(revenue), 0) AS revenue,
    COALESCE(sum(quantity), 0) AS units
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B' AND event_type = 'purchase'
)
SELECT
  CAST(
    'revenue ' || CAST(gold.revenue AS VARCHAR) || ' in gold, '
        || CAST(silver.revenue AS VARCHAR) || ' in silver'
      || ', units ' || CAST(gold.units AS VARCHAR) || ' in gold, '
        || CAST(silver.units AS VARCHAR) || ' in silver'
    AS VARCHAR
  ) AS reason
FROM gold
CROSS JOIN silver
WHERE gold.revenue <> silver.revenue
  OR gold.units <> silver.units
