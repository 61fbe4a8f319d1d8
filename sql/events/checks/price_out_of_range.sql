-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows
-- layer: bronze
-- severity: reject
-- runs: row
-- params: price_min, price_max
-- A row means an event whose price is outside the range of the thresholds: a decimal point or a
-- currency gone wrong, which one sum would carry into every revenue.
WITH judged AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    CASE
      WHEN price < CAST($price_min AS DECIMAL(12,2))
        OR price > CAST($price_max AS DECIMAL(12,2))
        THEN '; price is ' || CAST(price AS VARCHAR)
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
