-- table: category_performance
-- grain: event_date, category
-- reads: silver_events
-- Events per category and day, by the category that the event itself names. E-commerce events only,
-- as in the funnel; an event without a category, such as a search, is not counted here (C-05).
WITH categorised AS (
  SELECT category, event_type
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
    AND _family = 'B'
    AND category IS NOT NULL
)
SELECT
  CAST(category AS VARCHAR) AS category, -- category
  CAST(count(*) AS BIGINT) AS event_count, -- events of any type
  -- page views
  CAST(sum(CASE WHEN event_type = 'page_view' THEN 1 ELSE 0 END) AS BIGINT) AS view_count,
  -- times put in a cart
  CAST(sum(CASE WHEN event_type = 'add_to_cart' THEN 1 ELSE 0 END) AS BIGINT) AS cart_count,
  -- purchases
  CAST(sum(CASE WHEN event_type = 'purchase' THEN 1 ELSE 0 END) AS BIGINT) AS purchase_count,
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date -- the day
FROM categorised
GROUP BY category
ORDER BY category
