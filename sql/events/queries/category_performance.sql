-- table: category_performance
-- grain: event_date, category
-- reads: category_performance
-- question: Q-04
-- params: date_from, date_to
-- How many events does each category have, day by day?
SELECT
  CAST(event_date AS DATE) AS event_date,    -- day
  CAST(category AS VARCHAR) AS category,     -- category
  CAST(event_count AS BIGINT) AS event_count -- events of any type
FROM category_performance
WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
ORDER BY event_date, category
