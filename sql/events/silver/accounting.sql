-- table: accounting
-- grain: one row
-- reads: bronze_rows, rejections, silver_current
-- What became of the bronze rows of a window, counted without the model: with the rows of the
-- written files, bronze_rows = silver + duplicate_rows + rejected_rows, or the build is wrong.
-- better_duplicates are ids whose row in the current version came later than a row at hand: a fold
-- keeps the current one, the next seal build swaps it.
WITH in_window AS (
  SELECT event_id, _ingest_ts, _topic, _partition, _offset, _batch_id
  FROM bronze_rows
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
),
rejected AS (
  SELECT DISTINCT _topic, _partition, _offset, _batch_id
  FROM rejections
),
judged AS (
  SELECT
    b.event_id, b._ingest_ts, b._topic, b._partition, b._offset,
    CASE WHEN r._topic IS NULL THEN 0 ELSE 1 END AS is_rejected
  FROM in_window AS b
  LEFT JOIN rejected AS r
    ON r._topic = b._topic AND r._partition = b._partition AND r._offset = b._offset
      AND r._batch_id = b._batch_id
),
copies AS (
  SELECT event_id, count(*) AS copies
  FROM judged
  WHERE is_rejected = 0
  GROUP BY event_id
),
duplicates AS (
  SELECT
    COALESCE(sum(n.copies - CASE WHEN c.event_id IS NULL THEN 1 ELSE 0 END), 0) AS duplicate_rows
  FROM copies AS n
  LEFT JOIN silver_current AS c ON c.event_id = n.event_id
),
better AS (
  SELECT count(DISTINCT n.event_id) AS better_duplicates
  FROM judged AS n
  JOIN silver_current AS c ON c.event_id = n.event_id
  WHERE n.is_rejected = 0
    AND (
      n._ingest_ts < c._ingest_ts
      OR (n._ingest_ts = c._ingest_ts AND n._topic < c._topic)
      OR (n._ingest_ts = c._ingest_ts AND n._topic = c._topic AND n._partition < c._partition)
      OR (
        n._ingest_ts = c._ingest_ts AND n._topic = c._topic AND n._partition = c._partition
        AND n._offset < c._offset
      )
    )
),
totals AS (
  SELECT count(*) AS bronze_rows, COALESCE(sum(is_rejected), 0) AS rejected_rows
  FROM judged
)
SELECT
  CAST(t.bronze_rows AS BIGINT) AS bronze_rows,             -- rows at hand of the window
  CAST(t.rejected_rows AS BIGINT) AS rejected_rows,         -- of them, hit by a reject check
  CAST(d.duplicate_rows AS BIGINT) AS duplicate_rows,       -- accepted, but not the row of its id
  CAST(b.better_duplicates AS BIGINT) AS better_duplicates  -- ids for the seal build to swap
FROM totals AS t
CROSS JOIN duplicates AS d
CROSS JOIN better AS b
