-- table: conversion_funnel
-- grain: event_date, product_id
-- reads: silver_events
-- How often each product was viewed, put in a cart and bought on a day, in events and not in people
-- (C-23). E-commerce events only, so that the same purchase told as user activity is not counted
-- again (C-03); a page view without a product and a search are no step of the funnel (C-04, C-05).
WITH product_events AS (
  SELECT event_id, event_ts, event_type, product_id, product_name, category
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B'
    AND product_id IS NOT NULL
),
-- Of many events of a product only the latest are ranked: those of one instant go by their id.
latest AS (
  SELECT product_id, max(event_ts) AS event_ts
  FROM product_events
  GROUP BY product_id
),
named AS (
  SELECT
    e.product_id, e.product_name, e.category,
    row_number() OVER (PARTITION BY e.product_id ORDER BY e.event_id DESC) AS place
  FROM product_events AS e
  JOIN latest AS l ON l.product_id = e.product_id AND l.event_ts = e.event_ts
),
counted AS (
  SELECT
    product_id,
    sum(CASE WHEN event_type = 'page_view' THEN 1 ELSE 0 END) AS views,
    sum(CASE WHEN event_type = 'add_to_cart' THEN 1 ELSE 0 END) AS carts,
    sum(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END) AS purchases
  FROM product_events
  WHERE event_type IN ('page_view', 'add_to_cart', 'purchase')
  GROUP BY product_id
)
SELECT
  CAST(c.product_id AS VARCHAR) AS product_id,        -- product
  CAST(n.product_name AS VARCHAR) AS product_name,    -- of its latest event of the day
  CAST(n.category AS VARCHAR) AS category,            -- of its latest event of the day
  CAST(c.views AS BIGINT) AS views,                   -- page views of the product
  CAST(c.carts AS BIGINT) AS carts,                   -- times put in a cart
  CAST(c.purchases AS BIGINT) AS purchases,           -- purchases
  -- rates of the counts; null where the first of the two is 0
  CAST(c.carts AS DOUBLE) / CAST(NULLIF(c.views, 0) AS DOUBLE) AS view_to_cart_rate,
  CAST(c.purchases AS DOUBLE) / CAST(NULLIF(c.carts, 0) AS DOUBLE) AS cart_to_purchase_rate,
  CAST(c.purchases AS DOUBLE) / CAST(NULLIF(c.views, 0) AS DOUBLE) AS view_to_purchase_rate,
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date -- the day
FROM counted AS c
JOIN named AS n ON n.product_id = c.product_id AND n.place = 1
ORDER BY product_id
