-- table: conversion_funnel
-- grain: event_date, product_id
-- reads: silver_events
-- How often each product was viewed, put in a cart and bought on a day, in events and not in people
-- (C-23). E-commerce events only, so that the same purchase told as user activity is not counted
-- again (C-03); a page view without a product and a search are no step of the funnel (C-04, C-05).
WITH named_groups AS (
  SELECT
    product_id, product_name, category, max(event_ts) AS last_ts,
    sum(CASE WHEN event_type = 'page_view' THEN 1 ELSE 0 END) AS views,
    sum(CASE WHEN event_type = 'add_to_cart' THEN 1 ELSE 0 END) AS carts,
    sum(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END) AS purchases
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B'
    AND product_id IS NOT NULL
  GROUP BY product_id, product_name, category
),
products AS (
  SELECT
    product_id, max(last_ts) AS last_ts, sum(views) AS views, sum(carts) AS carts,
    sum(purchases) AS purchases
  FROM named_groups
  GROUP BY product_id
),
-- The names of the latest instant of each product: nearly always one.
latest AS (
  SELECT g.product_id, g.product_name, g.category, g.last_ts
  FROM named_groups AS g
  JOIN products AS p ON p.product_id = g.product_id AND p.last_ts = g.last_ts
),
contested AS (
  SELECT product_id, last_ts
  FROM latest
  GROUP BY product_id, last_ts
  HAVING count(*) > 1
),
-- Where there are several, the events of that instant go by their id; no id is before an empty one.
with_ids AS (
  SELECT product_id, product_name, category, '' AS last_id
  FROM latest
  UNION ALL
  SELECT e.product_id, e.product_name, e.category, max(e.event_id) AS last_id
  FROM silver_events AS e
  JOIN contested AS c ON c.product_id = e.product_id AND c.last_ts = e.event_ts
  WHERE e._family = 'B'
  GROUP BY e.product_id, e.product_name, e.category
),
named AS (
  SELECT
    product_id, product_name, category,
    row_number() OVER (PARTITION BY product_id ORDER BY last_id DESC) AS place
  FROM with_ids
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
FROM products AS c
JOIN named AS n ON n.product_id = c.product_id AND n.place = 1
WHERE c.views + c.carts + c.purchases > 0
ORDER BY product_id
