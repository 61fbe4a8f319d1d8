-- table: activity_summary
-- grain: event_type
-- reads: activity_summary
-- question: Q-11
-- params: date_from, date_to
-- How do the events divide into types? Counts of activity_summary add up, so silver is not read.
SELECT
  CAST(event_type AS VARCHAR) AS event_type,      -- what happened
  CAST(sum(event_count) AS BIGINT) AS event_count -- events over the chosen days
FROM activity_summary
WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
GROUP BY event_type
ORDER BY event_type
