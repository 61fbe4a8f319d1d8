-- table: activity_summary
-- grain: event_date, event_type, device, location
-- reads: silver_events
-- Activity per type, device and location, from both families (C-03). An event without a location is
-- counted under `unknown`, because a key that is null joins nothing.
WITH located AS (
  SELECT event_type, device, COALESCE(location, 'unknown') AS location, user_id, session_id
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
)
SELECT
  CAST(event_type AS VARCHAR) AS event_type,                      -- what happened
  CAST(device AS VARCHAR) AS device,                              -- kind of device
  CAST(location AS VARCHAR) AS location,                          -- country, or unknown
  CAST(count(*) AS BIGINT) AS event_count,                        -- events
  CAST(count(DISTINCT user_id) AS BIGINT) AS unique_users,        -- distinct users of the group
  CAST(count(DISTINCT session_id) AS BIGINT) AS unique_sessions,  -- distinct sessions of the group
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date    -- the day
FROM located
GROUP BY event_type, device, location
ORDER BY event_type, device, location
