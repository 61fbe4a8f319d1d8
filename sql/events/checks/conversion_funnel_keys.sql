-- table: conversion_funnel
-- grain: one row per offending key
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a key of conversion_funnel that is null, not of this window, or there more than
-- once: whoever joins or sums the table would count twice or not at all (DQ-03).
WITH keyed AS (
  SELECT event_date, product_id, count(*) AS copies
  FROM staged
  GROUP BY event_date, product_id
)
SELECT
  CAST(
    'key (' || COALESCE(CAST(event_date AS VARCHAR), 'null') || ', '
      || COALESCE(product_id, 'null') || ') is there '
      || CAST(copies AS VARCHAR) || ' times' AS VARCHAR
  ) AS reason
FROM keyed
WHERE copies > 1
  OR event_date IS NULL
  OR event_date <> CAST(CAST($window_start AS TIMESTAMP) AS DATE)
  OR product_id IS NULL
