-- table: events_cleaned
-- grain: one row per offending event
-- reads: staged
-- layer: silver
-- severity: gate
-- runs: row
-- scored: price_range
-- params: price_min, price_max, quantity_min, quantity_max
-- A row means an event in silver with a price or quantity outside the thresholds (DQ-05).
SELECT
  CAST(event_id AS VARCHAR) AS event_id,  -- the event
  CAST(
    'price ' || COALESCE(CAST(price AS VARCHAR), 'null')
      || ' and quantity ' || COALESCE(CAST(quantity AS VARCHAR), 'null')
      || ' in event ' || COALESCE(event_id, 'without id') AS VARCHAR
  ) AS reason
FROM staged
WHERE price < CAST($price_min AS DECIMAL(12,2)) OR price > CAST($price_max AS DECIMAL(12,2))
  OR quantity < CAST($quantity_min AS INTEGER) OR quantity > CAST($quantity_max AS INTEGER)
