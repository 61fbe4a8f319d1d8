-- table: hourly_revenue
-- grain: event_date, hour
-- reads: silver_events
-- Revenue of the purchases of an hour, from e-commerce events only (C-03). There is a row also for
-- an hour without a purchase, so that a missing row means a missing build. The average is exact:
-- whole cents, half a cent up, because a division of decimals rounds differently in each engine.
WITH purchases AS (
  SELECT revenue
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B'
    AND event_type = 'purchase'
),
summed AS (
  SELECT
    CAST(COALESCE(sum(revenue), 0) AS DECIMAL(18,2)) AS total_revenue,
    count(*) AS order_count
  FROM purchases
),
in_cents AS (
  SELECT total_revenue, order_count, CAST(total_revenue * 100 AS BIGINT) AS cents
  FROM summed
)
SELECT
  CAST(total_revenue AS DECIMAL(18,2)) AS total_revenue,  -- 0 without purchases
  CAST(order_count AS BIGINT) AS order_count,             -- purchase events
  CAST(
    floor(
      CAST(2 * cents + order_count AS DOUBLE) / CAST(2 * NULLIF(order_count, 0) AS DOUBLE)
    ) / 100 AS DECIMAL(18,2)
  ) AS avg_order_value,                                   -- null without purchases
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date, -- UTC date of the hour
  -- UTC hour, 00 to 23
  lpad(CAST(EXTRACT(HOUR FROM CAST($window_start AS TIMESTAMP)) AS VARCHAR), 2, '0') AS hour
FROM in_cents
ORDER BY event_date, hour
