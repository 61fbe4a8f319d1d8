-- table: activity_summary
-- grain: event_date, event_type, device, location
-- reads: activity_summary
-- question: Q-09
-- params: date_from, date_to
-- What did people do, on which devices, from where, day by day? One row per day and group, because
-- distinct users and sessions do not add up over either (C-24).
SELECT
  CAST(event_date AS DATE) AS event_date,            -- day
  CAST(event_type AS VARCHAR) AS event_type,         -- what happened
  CAST(device AS VARCHAR) AS device,                 -- kind of device
  CAST(location AS VARCHAR) AS location,             -- country, or unknown
  CAST(event_count AS BIGINT) AS event_count,        -- events
  CAST(unique_users AS BIGINT) AS unique_users,      -- distinct users of the day and group
  CAST(unique_sessions AS BIGINT) AS unique_sessions -- distinct sessions of the day and group
FROM activity_summary
WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
ORDER BY event_date, event_type, device, location
