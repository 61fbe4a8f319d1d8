-- table: left_out
-- grain: one row per bronze row of the window that does not become an event of silver
-- reads: bronze_rows, rejections, silver_current
-- Rejected rows are left out first, then of equal ids the row that came first wins, unless the
-- current version already has the id. That is the order in which accounting.sql counts. As a rule
-- they are few; they are found in narrow columns.
WITH places AS (
  SELECT
    b.event_id, b._ingest_ts, b._topic, b._partition, b._offset, b._batch_id,
    CASE WHEN r._topic IS NULL THEN 0 ELSE 1 END AS is_rejected,
    CASE WHEN c.event_id IS NULL THEN 0 ELSE 1 END AS is_current
  FROM bronze_rows AS b
  LEFT JOIN (SELECT DISTINCT _topic, _partition, _offset, _batch_id FROM rejections) AS r
    ON r._topic = b._topic AND r._partition = b._partition AND r._offset = b._offset
      AND r._batch_id = b._batch_id
  LEFT JOIN (SELECT DISTINCT event_id FROM silver_current) AS c ON c.event_id = b.event_id
  WHERE b.event_ts >= CAST($window_start AS TIMESTAMP)
    AND b.event_ts < CAST($window_end AS TIMESTAMP)
),
repeated AS (
  SELECT event_id
  FROM places
  WHERE is_rejected = 0
  GROUP BY event_id
  HAVING count(*) > 1
),
-- Few ids come more than once: only their places are ranked.
ranked AS (
  SELECT
    p._topic, p._partition, p._offset, p._batch_id,
    row_number() OVER (
      PARTITION BY p.event_id
      ORDER BY p._ingest_ts, p._topic, p._partition, p._offset, p._batch_id
    ) AS place
  FROM places AS p
  JOIN repeated AS r ON r.event_id = p.event_id
  WHERE p.is_rejected = 0
),
places_left_out AS (
  SELECT _topic, _partition, _offset, _batch_id
  FROM places
  WHERE is_rejected = 1 OR is_current = 1
  UNION
  SELECT _topic, _partition, _offset, _batch_id
  FROM ranked
  WHERE place > 1
)
SELECT
  CAST(_topic AS VARCHAR) AS _topic,         -- where the row lies:
  CAST(_partition AS INTEGER) AS _partition, -- topic, topic partition
  CAST(_offset AS BIGINT) AS _offset,        -- and offset;
  CAST(_batch_id AS VARCHAR) AS _batch_id    -- a topic that is made anew counts from 0 again
FROM places_left_out
ORDER BY _topic, _partition, _offset, _batch_id
