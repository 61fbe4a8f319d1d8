-- table: silver_current
-- grain: one row per event_id of the current version that bronze has again
-- reads: bronze_rows, silver_version
-- What a fold must know of the current version: the rows whose ids are at hand once more, and where
-- they came from. The whole version is read once for it, and only these columns; it is joined with
-- ids alone, because EXISTS with a condition of its own would be answered for each of its rows.
WITH again AS (
  SELECT DISTINCT event_id
  FROM bronze_rows
  WHERE event_ts >= CAST($window_start AS TIMESTAMP)
    AND event_ts < CAST($window_end AS TIMESTAMP)
)
SELECT
  CAST(v.event_id AS VARCHAR) AS event_id,         -- the id
  CAST(v._topic AS VARCHAR) AS _topic,             -- where the current row lies:
  CAST(v._partition AS INTEGER) AS _partition,     -- topic, topic partition
  CAST(v._offset AS BIGINT) AS _offset,            -- and offset
  CAST(v._ingest_ts AS TIMESTAMP) AS _ingest_ts    -- time of the plan of its batch
FROM silver_version AS v
JOIN again AS a ON a.event_id = v.event_id
ORDER BY event_id, _topic, _partition, _offset
