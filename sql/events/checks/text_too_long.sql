-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows
-- layer: bronze
-- severity: reject
-- runs: row
-- A row means an event with a longer text than the contract allows: a sign of a producer that puts
-- something else into the field, and a load on every file and answer from here on. The limits are
-- those of the contract; a property test keeps the two equal.
WITH judged AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    CASE
      WHEN length(event_id) > 200
        THEN '; event_id is longer than 200: ' || substr(event_id, 1, 100)
      ELSE ''
    END
      || CASE
           WHEN length(user_id) > 200
             THEN '; user_id is longer than 200: ' || substr(user_id, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(session_id) > 200
             THEN '; session_id is longer than 200: ' || substr(session_id, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(location) > 100
             THEN '; location is longer than 100: ' || substr(location, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(product_id) > 200
             THEN '; product_id is longer than 200: ' || substr(product_id, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(product_name) > 500
             THEN '; product_name is longer than 500: ' || substr(product_name, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(category) > 100
             THEN '; category is longer than 100: ' || substr(category, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(search_query) > 1000
             THEN '; search_query is longer than 1000: ' || substr(search_query, 1, 100)
           ELSE ''
         END
      || CASE
           WHEN length(page_url) > 2000
             THEN '; page_url is longer than 2000: ' || substr(page_url, 1, 100)
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
