-- table: event_metrics
-- grain: window_start, event_type
-- reads: silver_events
-- Counts, revenue and average revenue per hour and event type, from both families: this table
-- describes the stream, hourly_revenue the business (C-03). The average counts only rows that have
-- a revenue, and is exact as in hourly_revenue.
WITH summed AS (
  SELECT
    event_type,
    count(*) AS event_count,
    CAST(COALESCE(sum(revenue), 0) AS DECIMAL(18,2)) AS total_revenue,
    count(revenue) AS revenue_count
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
  GROUP BY event_type
),
in_cents AS (
  SELECT
    event_type, event_count, total_revenue, revenue_count,
    CAST(total_revenue * 100 AS BIGINT) AS cents
  FROM summed
)
SELECT
  CAST($window_start AS TIMESTAMP) AS window_start,       -- start of the hour, UTC
  CAST(event_type AS VARCHAR) AS event_type,              -- what happened
  CAST(event_count AS BIGINT) AS event_count,             -- events
  CAST(total_revenue AS DECIMAL(18,2)) AS total_revenue,  -- 0 without any
  CAST(
    floor(
      CAST(2 * cents + revenue_count AS DOUBLE) / CAST(2 * NULLIF(revenue_count, 0) AS DOUBLE)
    ) / 100 AS DECIMAL(18,2)
  ) AS avg_revenue,                                       -- null without any
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date, -- UTC date of the hour
  -- UTC hour, 00 to 23
  lpad(CAST(EXTRACT(HOUR FROM CAST($window_start AS TIMESTAMP)) AS VARCHAR), 2, '0') AS hour
FROM in_cents
ORDER BY event_type
