-- table: top_products
-- grain: rank
-- reads: conversion_funnel
-- question: Q-03
-- params: date_from, date_to
-- Which ten products were viewed most? Ranked from the product counts of all chosen days and
-- never from the top tens of days: what is eleventh every day can be first of the week (C-22).
WITH summed AS (
  SELECT product_id, sum(views) AS view_count
  FROM conversion_funnel
  WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
  GROUP BY product_id
),
ranked AS (
  SELECT
    product_id, view_count,
    row_number() OVER (ORDER BY view_count DESC, product_id) AS place
  FROM summed
  WHERE view_count > 0
)
SELECT
  CAST(place AS INTEGER) AS rank,             -- 1 to 10, ties by product_id
  CAST(product_id AS VARCHAR) AS product_id,  -- product
  CAST(view_count AS BIGINT) AS view_count    -- page views over the chosen days
FROM ranked
WHERE place <= 10
ORDER BY rank
