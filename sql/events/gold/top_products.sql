-- table: top_products
-- grain: as_of_date, rank
-- reads: silver_events
-- The ten most viewed products of a day, ties by product_id. E-commerce events only, as in the
-- funnel, so that view_count here is views there. Ranks do not add up: a range of days is ranked
-- from the funnel's counts, never from these rows (C-22).
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
  SELECT product_id, count(*) AS view_count
  FROM product_events
  WHERE event_type = 'page_view'
  GROUP BY product_id
),
ranked AS (
  SELECT
    product_id, view_count,
    row_number() OVER (ORDER BY view_count DESC, product_id) AS place
  FROM counted
)
SELECT
  CAST(r.place AS INTEGER) AS rank,                  -- 1 to 10
  CAST(r.product_id AS VARCHAR) AS product_id,       -- product
  CAST(n.product_name AS VARCHAR) AS product_name,   -- of its latest event of the day
  CAST(n.category AS VARCHAR) AS category,           -- of its latest event of the day
  CAST(r.view_count AS BIGINT) AS view_count,        -- page views of the product
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS as_of_date -- the day
FROM ranked AS r
JOIN named AS n ON n.product_id = r.product_id AND n.place = 1
WHERE r.place <= 10
ORDER BY rank
