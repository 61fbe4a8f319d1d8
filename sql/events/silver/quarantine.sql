-- table: quarantine
-- grain: one row per rejected bronze row
-- reads: suspect_rows, rejections
-- Rows that broke their contract, as they came, with the rule and everything that was wrong. Nobody
-- loses a record because of a rule: it can be corrected at its source and sent again.
WITH placed AS (
  SELECT
    _topic, _partition, _offset, _batch_id, rule, reason,
    row_number() OVER (
      PARTITION BY _topic, _partition, _offset, _batch_id
      ORDER BY rule, reason
    ) AS place
  FROM rejections
),
-- No engine shares another's way to join texts of a group, so the first eight stand by place; a
-- dataset has fewer reject checks than that, and each gives one reason for a row.
told AS (
  SELECT
    _topic, _partition, _offset, _batch_id,
    min(rule) AS rule,
    max(CASE WHEN place = 1 THEN reason END)
      || COALESCE('; ' || max(CASE WHEN place = 2 THEN reason END), '')
      || COALESCE('; ' || max(CASE WHEN place = 3 THEN reason END), '')
      || COALESCE('; ' || max(CASE WHEN place = 4 THEN reason END), '')
      || COALESCE('; ' || max(CASE WHEN place = 5 THEN reason END), '')
      || COALESCE('; ' || max(CASE WHEN place = 6 THEN reason END), '')
      || COALESCE('; ' || max(CASE WHEN place = 7 THEN reason END), '')
      || COALESCE('; ' || max(CASE WHEN place = 8 THEN reason END), '')
      || CASE WHEN count(*) > 8 THEN '; and more' ELSE '' END AS reason
  FROM placed
  GROUP BY _topic, _partition, _offset, _batch_id
)
SELECT
  CAST(t.rule AS VARCHAR) AS rule,                         -- the first rule that it broke
  CAST(t.reason AS VARCHAR) AS reason,                     -- all that was wrong
  CAST(b.event_id AS VARCHAR) AS event_id,                 -- identity
  CAST(b.event_type AS VARCHAR) AS event_type,             -- as it came
  CAST(b.event_ts AS TIMESTAMP) AS event_ts,               -- when it happened, UTC
  CAST(b.user_id AS VARCHAR) AS user_id,                   -- as it came
  CAST(b.session_id AS VARCHAR) AS session_id,             -- as it came
  CAST(b.device AS VARCHAR) AS device,                     -- as it came
  CAST(b.location AS VARCHAR) AS location,                 -- as it came
  CAST(b.product_id AS VARCHAR) AS product_id,             -- as it came
  CAST(b.product_name AS VARCHAR) AS product_name,         -- as it came
  CAST(b.category AS VARCHAR) AS category,                 -- as it came
  CAST(b.price AS DECIMAL(12,2)) AS price,                 -- as it came
  CAST(b.quantity AS INTEGER) AS quantity,                 -- as it came
  CAST(b.search_query AS VARCHAR) AS search_query,         -- as it came
  CAST(b.page_url AS VARCHAR) AS page_url,                 -- as it came
  CAST(b._ingest_ts AS TIMESTAMP) AS _ingest_ts,           -- time of the plan of the batch
  CAST(b._family AS VARCHAR) AS _family,                   -- A: user activity, B: e-commerce
  CAST(b._source AS VARCHAR) AS _source,                   -- kafka or s3
  CAST(b._topic AS VARCHAR) AS _topic,                     -- Kafka topic
  CAST(b._partition AS INTEGER) AS _partition,             -- Kafka topic partition
  CAST(b._offset AS BIGINT) AS _offset,                    -- Kafka offset
  CAST(b._source_file AS VARCHAR) AS _source_file,         -- object it came from
  CAST(b._batch_id AS VARCHAR) AS _batch_id,               -- source log and batch number
  CAST(b._kafka_ts AS TIMESTAMP) AS _kafka_ts,             -- the broker's time
  CAST(b._key AS VARCHAR) AS _key,                         -- Kafka key
  CAST(b._headers AS VARCHAR) AS _headers,                 -- Kafka headers, JSON
  CAST(b._extra AS VARCHAR) AS _extra,                     -- unknown fields, JSON
  CAST(b._raw AS VARCHAR) AS _raw,                         -- the record, if a field broke its type
  CAST(b._type_errors AS VARCHAR) AS _type_errors,         -- fields that broke their type
  CAST(b.event_ts AS DATE) AS event_date,                  -- UTC date of the event
  lpad(CAST(EXTRACT(HOUR FROM b.event_ts) AS VARCHAR), 2, '0') AS hour -- UTC hour, 00 to 23
FROM suspect_rows AS b
JOIN told AS t
  ON t._topic = b._topic AND t._partition = b._partition AND t._offset = b._offset
    AND t._batch_id = b._batch_id
ORDER BY _topic, _partition, _offset, _batch_id
