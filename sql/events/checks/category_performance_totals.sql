-- table: category_performance
-- grain: one row when they differ
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means that the totals of category_performance are not those of silver (DQ-17): the model
-- lost or doubled something between the two layers.
WITH gold AS (
  SELECT
    COALESCE(sum(event_count), 0) AS events,
    COALESCE(sum(view_count + cart_count + purchase_count), 0) AS steps
  FROM staged
),
silver AS (
  SELECT
    count(*) AS events,
    COALESCE(
      sum(CASE WHEN event_type IN ('page_view', 'add_to_cart', 'purchase') THEN 1 ELSE 0 END), 0
    ) AS steps
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B' AND category IS NOT NULL
)
SELECT
  CAST(
    'events ' || CAST(gold.events AS VARCHAR) || ' in gold, '
        || CAST(silver.events AS VARCHAR) || ' in silver'
      || ', steps ' || CAST(gold.steps AS VARCHAR) || ' in gold, '
        || CAST(silver.steps AS VARCHAR) || ' in silver'
    AS VARCHAR
  ) AS reason
FROM gold
CROSS JOIN silver
WHERE gold.events <> silver.events
  OR gold.steps <> silver.steps
