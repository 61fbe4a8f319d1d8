-- table: events_cleaned
-- grain: one row per offending bronze row
-- reads: suspect_rows, contract_values
-- layer: bronze
-- severity: reject
-- runs: row
-- A row means an event whose type or device is none of the contract's. Unknown values stay in
-- bronze and wait here: a new type is added to the contract first, and a rebuild then lets them
-- in.
WITH judged AS (
  SELECT
    b._topic, b._partition, b._offset, b._batch_id,
    CASE
      WHEN b.event_type IS NOT NULL AND types.value IS NULL
        THEN '; event_type is ' || substr(b.event_type, 1, 100)
      ELSE ''
    END
      || CASE
           WHEN b.device IS NOT NULL AND devices.value IS NULL
             THEN '; device is ' || substr(b.device, 1, 100)
           ELSE ''
         END AS found
  FROM suspect_rows AS b
  LEFT JOIN contract_values AS types ON types.field = 'event_type' AND types.value = b.event_type
  LEFT JOIN contract_values AS devices ON devices.field = 'device' AND devices.value = b.device
)
SELECT
  CAST(_topic AS VARCHAR) AS _topic,             -- which
  CAST(_partition AS INTEGER) AS _partition,     -- bronze
  CAST(_offset AS BIGINT) AS _offset,            -- row,
  CAST(_batch_id AS VARCHAR) AS _batch_id,       -- of which batch
  CAST(substr(found, 3) AS VARCHAR) AS reason    -- what is wrong with it, without the first "; "
FROM judged
WHERE found <> ''
