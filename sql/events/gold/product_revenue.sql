-- table: product_revenue
-- grain: event_date, product_id
-- reads: silver_events
-- Revenue and units of the purchases of a day by product, from e-commerce events only (C-03). The
-- name is that of the product's latest event of the day, of whatever type, as in the funnel.
WITH named_groups AS (
  SELECT
    product_id, product_name, max(event_ts) AS last_ts,
    sum(CASE WHEN event_type = 'purchase' THEN revenue END) AS total_revenue,
    sum(CASE WHEN event_type = 'purchase' THEN quantity END) AS units,
    sum(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END) AS purchases
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B'
    AND product_id IS NOT NULL
  GROUP BY product_id, product_name
),
products AS (
  SELECT
    product_id, max(last_ts) AS last_ts, sum(total_revenue) AS total_revenue,
    sum(units) AS units, sum(purchases) AS purchases
  FROM named_groups
  GROUP BY product_id
),
-- The names of the latest instant of each product: nearly always one.
latest AS (
  SELECT g.product_id, g.product_name, g.last_ts
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
  SELECT product_id, product_name, '' AS last_id
  FROM latest
  UNION ALL
  SELECT e.product_id, e.product_name, max(e.event_id) AS last_id
  FROM silver_events AS e
  JOIN contested AS c ON c.product_id = e.product_id AND c.last_ts = e.event_ts
  WHERE e._family = 'B'
  GROUP BY e.product_id, e.product_name
),
named AS (
  SELECT
    product_id, product_name,
    row_number() OVER (PARTITION BY product_id ORDER BY last_id DESC) AS place
  FROM with_ids
)
SELECT
  CAST(s.product_id AS VARCHAR) AS product_id,              -- product
  CAST(n.product_name AS VARCHAR) AS product_name,          -- of its latest event of the day
  CAST(s.total_revenue AS DECIMAL(18,2)) AS total_revenue,  -- sum of revenue
  CAST(s.units AS BIGINT) AS units,                         -- units sold
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date -- the day
FROM products AS s
JOIN named AS n ON n.product_id = s.product_id AND n.place = 1
WHERE s.purchases > 0
ORDER BY product_id
