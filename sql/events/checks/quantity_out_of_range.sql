-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows
-- layer: bronze
-- severity: reject
-- runs: row
-- params: quantity_min, quantity_max
-- A row means an event whose quantity is outside the range of the thresholds; nothing and less
-- than nothing cannot be bought, and revenue is price times quantity.
WITH judged AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    CASE
      WHEN quantity < CAST($quantity_min AS INTEGER)
        OR quantity > CAST($quantity_max AS INTEGER)
        THEN '; quantity is ' || CAST(quantity AS VARCHAR)
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
