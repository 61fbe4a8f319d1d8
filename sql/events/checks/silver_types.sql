-- table: events_cleaned
-- grain: one row per offending event
-- reads: staged
-- layer: silver
-- severity: gate
-- runs: row
-- scored: data_types
-- A row means an event whose values do not fit together as typed ones must (DQ-04): a text that is
-- empty, or a revenue that is not the product of price and quantity, as a cast gone wrong makes
-- it.
WITH judged AS (
  SELECT
    event_id,
    CASE
      WHEN event_id = '' OR user_id = '' OR session_id = '' OR device = '' THEN 'an empty text'
      WHEN event_type = 'purchase' AND revenue <> CAST(price * quantity AS DECIMAL(18,2))
        THEN 'a revenue of ' || CAST(revenue AS VARCHAR) || ' for ' || CAST(quantity AS VARCHAR)
          || ' at ' || CAST(price AS VARCHAR)
      WHEN event_type <> 'purchase' AND revenue IS NOT NULL THEN 'a revenue without a purchase'
    END AS found
  FROM staged
)
SELECT
  CAST(event_id AS VARCHAR) AS event_id,  -- the event
  CAST(found || ' in event ' || COALESCE(event_id, 'without id') AS VARCHAR) AS reason
FROM judged
WHERE found IS NOT NULL
