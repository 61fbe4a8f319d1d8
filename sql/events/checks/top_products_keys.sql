-- table: top_products
-- grain: one row per offending key
-- reads: staged
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a key of top_products that is null, not of this window, or there more than once:
-- whoever joins or sums the table would count twice or not at all (DQ-03).
WITH keyed AS (
  SELECT as_of_date, rank, count(*) AS copies
  FROM staged
  GROUP BY as_of_date, rank
)
SELECT
  CAST(
    'key (' || COALESCE(CAST(as_of_date AS VARCHAR), 'null') || ', '
      || COALESCE(CAST(rank AS VARCHAR), 'null') || ') is there '
      || CAST(copies AS VARCHAR) || ' times' AS VARCHAR
  ) AS reason
FROM keyed
WHERE copies > 1
  OR as_of_date IS NULL
  OR as_of_date <> CAST(CAST($window_start AS TIMESTAMP) AS DATE)
  OR rank IS NULL
