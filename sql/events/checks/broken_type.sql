-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows
-- layer: bronze
-- severity: reject
-- runs: row
-- A row means an event with a field that is not of its type, such as a price that is a text.
-- Ingest put null in its place and kept the record, whose beginning is the reason. Its name sorts
-- first, so that this rule is named when the null then breaks others.
WITH judged AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    CASE
      WHEN _type_errors <> ''
        THEN '; ' || _type_errors || ' breaks its type in '
          || COALESCE(substr(_raw, 1, 100), 'a lost record')
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
