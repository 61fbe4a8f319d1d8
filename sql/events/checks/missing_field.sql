-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows
-- layer: bronze
-- severity: reject
-- runs: row
-- A row means an event that lacks a field it must have: the ids, type and device of every event,
-- the query of a search, product, category and price of a cart or purchase, and a category
-- wherever there is a product (C-43: critical fields only, or every page view without a price
-- would go).
WITH judged AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    CASE WHEN event_id IS NULL THEN '; event_id is missing' ELSE '' END
      || CASE WHEN event_type IS NULL THEN '; event_type is missing' ELSE '' END
      || CASE WHEN user_id IS NULL THEN '; user_id is missing' ELSE '' END
      || CASE WHEN session_id IS NULL THEN '; session_id is missing' ELSE '' END
      || CASE WHEN device IS NULL THEN '; device is missing' ELSE '' END
      || CASE
           WHEN event_type = 'search' AND search_query IS NULL
             THEN '; search_query is missing for search'
           ELSE ''
         END
      || CASE
           WHEN event_type IN ('add_to_cart', 'purchase') AND product_id IS NULL
             THEN '; product_id is missing for ' || event_type
           ELSE ''
         END
      || CASE
           WHEN event_type IN ('add_to_cart', 'purchase') AND price IS NULL
             THEN '; price is missing for ' || event_type
           ELSE ''
         END
      || CASE
           WHEN category IS NOT NULL THEN ''
           WHEN event_type IN ('add_to_cart', 'purchase')
             THEN '; category is missing for ' || event_type
           WHEN product_id IS NOT NULL
             THEN '; category is missing for product ' || substr(product_id, 1, 100)
           ELSE ''
         END AS found
  FROM suspect_rows
)
SELECT
  CAST(_topic AS VARCHAR) AS _topic,             -- which
  CAST(_partition AS INTEGER) AS _partition,     -- bronze
  CAST(_offset AS BIGINT) AS _offset,            -- row,
  CAST(_batch_id AS VARCHAR) AS _batch_id,       -- of which batch
  CAST(substr(found, 3) AS VARCHAR) AS reason    -- what is wrong with it, without the first "; "
FROM judged
WHERE found <> ''
