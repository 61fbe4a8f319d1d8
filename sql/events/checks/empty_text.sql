-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows
-- layer: bronze
-- severity: reject
-- runs: row
-- A row means an event with an empty text where the contract wants at least one character. An
-- empty id would make one user of all that lack one; whoever has nothing to say sends null.
WITH judged AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    CASE WHEN event_id = '' THEN '; event_id is empty' ELSE '' END
      || CASE WHEN user_id = '' THEN '; user_id is empty' ELSE '' END
      || CASE WHEN session_id = '' THEN '; session_id is empty' ELSE '' END
      || CASE WHEN location = '' THEN '; location is empty' ELSE '' END
      || CASE WHEN product_id = '' THEN '; product_id is empty' ELSE '' END
      || CASE WHEN product_name = '' THEN '; product_name is empty' ELSE '' END
      || CASE WHEN category = '' THEN '; category is empty' ELSE '' END
      || CASE WHEN search_query = '' THEN '; search_query is empty' ELSE '' END
      || CASE WHEN page_url = '' THEN '; page_url is empty' ELSE '' END AS found
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
