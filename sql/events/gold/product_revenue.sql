-- table: product_revenue
-- grain: event_date, product_id
-- reads: silver_events
-- Revenue and units of the purchases of a day by product, from e-commerce events only (C-03). The
-- name is that of the product's latest event of the day, of whatever type, as in the funnel.
WITH product_events AS (
  SELECT event_id, event_ts, event_type, product_id, product_name, revenue, quantity
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
    e.product_id, e.product_name,
    row_number() OVER (PARTITION BY e.product_id ORDER BY e.event_id DESC) AS place
  FROM product_events AS e
  JOIN latest AS l ON l.product_id = e.product_id AND l.event_ts = e.event_ts
),
summed AS (
  SELECT product_id, sum(revenue) AS total_revenue, sum(quantity) AS units
  FROM product_events
  WHERE event_type = 'purchase'
  GROUP BY product_id
)
SELECT
  CAST(s.product_id AS VARCHAR) AS product_id,              -- product
  CAST(n.product_name AS VARCHAR) AS product_name,          -- of its latest event of the day
  CAST(s.total_revenue AS DECIMAL(18,2)) AS total_revenue,  -- sum of revenue
  CAST(s.units AS BIGINT) AS units,                         -- units sold
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date -- the day
FROM summed AS s
JOIN named AS n ON n.product_id = s.product_id AND n.place = 1
ORDER BY product_id
