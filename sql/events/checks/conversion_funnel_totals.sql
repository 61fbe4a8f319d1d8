-- table: conversion_funnel
-- grain: one row when they differ
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means that the totals of conversion_funnel are not those of silver (DQ-17): the model lost
-- or doubled something between the two layers.
WITH gold AS (
  SELECT
    COALESCE(sum(views), 0) AS views,
    COALESCE(sum(carts), 0) AS carts,
    COALESCE(sum(purchases), 0) AS purchases
  FROM staged
),
silver AS (
  SELECT
    COALESCE(sum(CASE WHEN event_type = 'page_view' THEN 1 ELSE 0 END), 0) AS views,
    COALESCE(sum(CASE WHEN event_type = 'add_to_cart' THEN 1 ELSE 0 END), 0) AS carts,
    COALESCE(sum(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END), 0) AS purchases
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B' AND product_id IS NOT NULL
)
SELECT
  CAST(
    'views ' || CAST(gold.views AS VARCHAR) || ' in gold, '
        || CAST(silver.views AS VARCHAR) || ' in silver'
      || ', carts ' || CAST(gold.carts AS VARCHAR) || ' in gold, '
        || CAST(silver.carts AS VARCHAR) || ' in silver'
      || ', purchases ' || CAST(gold.purchases AS VARCHAR) || ' in gold, '
        || CAST(silver.purchases AS VARCHAR) || ' in silver'
    AS VARCHAR
  ) AS reason
FROM gold
CROSS JOIN silver
WHERE gold.views <> silver.views
  OR gold.carts <> silver.carts
  OR gold.purchases <> silver.purchases
