-- table: conversion_funnel
-- grain: product_id
-- reads: conversion_funnel
-- question: Q-01
-- params: date_from, date_to
-- How do views of each product turn into carts and purchases? Counts add up over days, rates do
-- not: they are made anew from the summed counts, and null where the first count of a rate is 0.
WITH summed AS (
  SELECT product_id, sum(views) AS views, sum(carts) AS carts, sum(purchases) AS purchases
  FROM conversion_funnel
  WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
  GROUP BY product_id
)
SELECT
  CAST(product_id AS VARCHAR) AS product_id,  -- product
  CAST(views AS BIGINT) AS views,             -- page views of the product
  CAST(carts AS BIGINT) AS carts,             -- times put in a cart
  CAST(purchases AS BIGINT) AS purchases,     -- purchases
  -- rates of the sums
  CAST(carts AS DOUBLE) / CAST(NULLIF(views, 0) AS DOUBLE) AS view_to_cart_rate,
  CAST(purchases AS DOUBLE) / CAST(NULLIF(carts, 0) AS DOUBLE) AS cart_to_purchase_rate,
  CAST(purchases AS DOUBLE) / CAST(NULLIF(views, 0) AS DOUBLE) AS view_to_purchase_rate
FROM summed
ORDER BY views DESC, product_id
