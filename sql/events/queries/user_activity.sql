-- table: user_activity
-- grain: event_date
-- reads: user_activity
-- question: Q-05
-- params: date_from, date_to
-- How many users and sessions were there each day? One row a day: who came on two days would be
-- counted twice in a sum over them (C-24).
SELECT
  CAST(event_date AS DATE) AS event_date,            -- day
  CAST(unique_users AS BIGINT) AS unique_users,      -- distinct users of the day
  CAST(unique_sessions AS BIGINT) AS unique_sessions -- distinct sessions of the day
FROM user_activity
WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
ORDER BY event_date
