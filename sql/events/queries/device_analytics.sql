-- table: device_summary
-- grain: device
-- reads: events_cleaned
-- question: Q-13
-- params: date_from, date_to
-- How many events and users does each kind of device have? Users are distinct over all chosen days,
-- so this reads silver: device_summary knows them day by day, and those do not add up (C-24). For a
-- single day the two are equal.
SELECT
  CAST(device AS VARCHAR) AS device,                      -- kind of device
  CAST(count(*) AS BIGINT) AS event_count,                -- events
  CAST(count(DISTINCT user_id) AS BIGINT) AS unique_users -- distinct users over the chosen days
FROM events_cleaned
WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
GROUP BY device
ORDER BY device
