-- table: device_summary
-- grain: event_date, device
-- reads: silver_events
-- Events, distinct users and revenue per device and day, from both families: this table describes
-- the stream (C-03). Counted from silver, because distinct users of activity_summary do not add up.
SELECT
  CAST(device AS VARCHAR) AS device,                                     -- kind of device
  CAST(count(*) AS BIGINT) AS event_count,                               -- events
  CAST(count(DISTINCT user_id) AS BIGINT) AS unique_users,               -- distinct users
  CAST(COALESCE(sum(revenue), 0) AS DECIMAL(18,2)) AS total_revenue,     -- 0 without any
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date           -- the day
FROM silver_events
WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
GROUP BY device
ORDER BY device
