-- table: top_products
-- grain: one row per offending rank
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means a rank of top_products that silver does not confirm (DQ-17): another number of
-- views, a product that was viewed more often than one above it, or a rank that is missing or
-- beyond ten.
WITH counted AS (
  SELECT product_id, count(*) AS view_count
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B' AND product_id IS NOT NULL AND event_type = 'page_view'
  GROUP BY product_id
),
ranked AS (
  SELECT
    product_id, view_count,
    row_number() OVER (ORDER BY view_count DESC, product_id) AS place
  FROM counted
),
expected AS (
  SELECT product_id, view_count, place
  FROM ranked
  WHERE place <= 10
)
SELECT
  CAST(
    'rank ' || CAST(COALESCE(CAST(s.rank AS BIGINT), e.place) AS VARCHAR) || ' is '
      || COALESCE(s.product_id, 'nothing') || ', wanted ' || COALESCE(e.product_id, 'nothing')
    AS VARCHAR
  ) AS reason
FROM staged AS s
FULL JOIN expected AS e ON e.place = s.rank
WHERE s.rank IS NULL
  OR e.place IS NULL
  OR s.product_id IS NULL
  OR s.product_id <> e.product_id
  OR s.view_count IS NULL
  OR s.view_count <> e.view_count
