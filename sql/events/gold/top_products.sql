-- table: top_products
-- grain: as_of_date, rank
-- reads: silver_events
-- The ten most viewed products of a day, ties by product_id. E-commerce events only, as in the
-- funnel, so that view_count here is views there. Ranks do not add up: a range of days is ranked
-- from the funnel's counts, never from these rows (C-22).
WITH named_groups AS (
  SELECT
    product_id, product_name, category, max(event_ts) AS last_ts,
    sum(CASE WHEN event_type = 'page_view' THEN 1 ELSE 0 END) AS view_count
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B'
    AND product_id IS NOT NULL
  GROUP BY product_id, product_name, category
),
products AS (
  SELECT product_id, max(last_ts) AS last_ts, sum(view_count) AS view_count
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
),
ranked AS (
  SELECT
    product_id, view_count,
    row_number() OVER (ORDER BY view_count DESC, product_id) AS rank
  FROM products
  WHERE view_count > 0
)
SELECT
  CAST(r.rank AS INTEGER) AS rank,                  -- 1 to 10
  CAST(r.product_id AS VARCHAR) AS product_id,       -- product
  CAST(n.product_name AS VARCHAR) AS product_name,   -- of its latest event of the day
  CAST(n.category AS VARCHAR) AS category,           -- of its latest event of the day
  CAST(r.view_count AS BIGINT) AS view_count,        -- page views of the product
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS as_of_date -- the day
FROM ranked AS r
JOIN named AS n ON n.product_id = r.product_id AND n.place = 1
WHERE r.rank <= 10
ORDER BY rank
