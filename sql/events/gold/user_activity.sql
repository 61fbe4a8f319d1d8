-- table: user_activity
-- grain: event_date
-- reads: silver_events
-- Distinct users and sessions of a day, exact, from both families (C-03). One row for every day,
-- also one without events. Distinct counts do not add up, so the whole day is counted anew (C-24).
SELECT
  CAST(count(DISTINCT user_id) AS BIGINT) AS unique_users,        -- distinct users
  CAST(count(DISTINCT session_id) AS BIGINT) AS unique_sessions,  -- distinct sessions
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date    -- the day
FROM silver_events
WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
ORDER BY event_date
