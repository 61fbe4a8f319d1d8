-- table: events_cleaned
-- grain: one row per offending event
-- reads: staged
-- layer: silver
-- severity: gate
-- runs: row
-- scored: null_detection
-- A row means an event in silver without a field that is critical for its type (DQ-02, DQ-03). The
-- reject checks let none through; should one of them ever be wrong, the window stops here.
SELECT
  CAST(event_id AS VARCHAR) AS event_id,  -- the event
  CAST(
    'a critical field is null in event ' || COALESCE(event_id, 'without id') AS VARCHAR
  ) AS reason
FROM staged
WHERE event_id IS NULL OR event_type IS NULL OR event_ts IS NULL OR user_id IS NULL
  OR session_id IS NULL OR device IS NULL OR _family IS NULL
  OR (event_type = 'search' AND search_query IS NULL)
  OR (event_type IN ('add_to_cart', 'purchase') AND (product_id IS NULL OR price IS NULL))
  OR (event_type IN ('add_to_cart', 'purchase') AND (category IS NULL OR quantity IS NULL))
  OR (product_id IS NOT NULL AND category IS NULL)
  OR (event_type = 'purchase' AND revenue IS NULL)
