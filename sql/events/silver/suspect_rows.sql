-- table: suspect_rows
-- grain: one row per bronze row of the window that a reject check may hit
-- reads: bronze_rows, contract_values
-- params: price_min, price_max, quantity_min, quantity_max
-- A net around the reject checks: they read what it has caught, as a rule few rows, so that bronze
-- is read once for all of them. It may catch rows that no check hits, but must let none through that
-- one does; a property test compares what is found with the contract itself.
SELECT
  b.event_id, b.event_type, b.event_ts, b.user_id, b.session_id, b.device, b.location, b.product_id,
  b.product_name, b.category, b.price, b.quantity, b.search_query, b.page_url, b._ingest_ts,
  b._family, b._source, b._topic, b._partition, b._offset, b._source_file, b._batch_id, b._kafka_ts,
  b._key, b._headers, b._extra, b._raw, b._type_errors
FROM bronze_rows AS b
WHERE b.event_ts >= CAST($window_start AS TIMESTAMP)
  AND b.event_ts < CAST($window_end AS TIMESTAMP)
  AND (
    b._type_errors <> ''
    OR b.event_id IS NULL OR b.event_id = '' OR length(b.event_id) > 200
    OR b.user_id IS NULL OR b.user_id = '' OR length(b.user_id) > 200
    OR b.session_id IS NULL OR b.session_id = '' OR length(b.session_id) > 200
    OR b.location = '' OR length(b.location) > 100
    OR b.product_id = '' OR length(b.product_id) > 200
    OR b.product_name = '' OR length(b.product_name) > 500
    OR b.category = '' OR length(b.category) > 100
    OR b.search_query = '' OR length(b.search_query) > 1000
    OR b.page_url = '' OR length(b.page_url) > 2000
    OR b.event_type IS NULL
    OR b.event_type NOT IN (SELECT value FROM contract_values WHERE field = 'event_type')
    OR b.device IS NULL
    OR b.device NOT IN (SELECT value FROM contract_values WHERE field = 'device')
    OR (b.event_type = 'search' AND b.search_query IS NULL)
    OR (
      b.event_type IN ('add_to_cart', 'purchase')
      AND (b.product_id IS NULL OR b.category IS NULL OR b.price IS NULL)
    )
    OR (b.product_id IS NOT NULL AND b.category IS NULL)
    OR b.price < CAST($price_min AS DECIMAL(12,2)) OR b.price > CAST($price_max AS DECIMAL(12,2))
    OR b.quantity < CAST($quantity_min AS INTEGER) OR b.quantity > CAST($quantity_max AS INTEGER)
  )
