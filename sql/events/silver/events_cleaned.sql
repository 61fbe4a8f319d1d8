-- table: events_cleaned
-- grain: one row per event_id and window
-- reads: bronze_rows, left_out
-- The accepted events of a window, each once: the rows that left_out.sql does not name, which is
-- all that they are joined with.
WITH accepted AS (
  SELECT
    b._family, b.event_id, b.user_id, b.session_id, b.event_ts, b.device, b.location, b.product_id,
    b.product_name, b.category, b.price,
    -- A cart or purchase that names no quantity is of one unit.
    CASE
      WHEN b.event_type IN ('add_to_cart', 'purchase') THEN COALESCE(b.quantity, 1)
      ELSE b.quantity
    END AS quantity,
    b.search_query, b.page_url, b._source, b._topic, b._partition, b._offset, b._batch_id,
    b._ingest_ts, b.event_type
  FROM bronze_rows AS b
  LEFT JOIN left_out AS o
    ON o._topic = b._topic AND o._partition = b._partition AND o._offset = b._offset
      AND o._batch_id = b._batch_id
  WHERE b.event_ts >= CAST($window_start AS TIMESTAMP)
    AND b.event_ts < CAST($window_end AS TIMESTAMP)
    AND o._topic IS NULL
)
SELECT
  CAST(n._family AS VARCHAR) AS _family,               -- A: user activity, B: e-commerce
  CAST(n.event_id AS VARCHAR) AS event_id,             -- unique in the window
  CAST(n.user_id AS VARCHAR) AS user_id,               -- who did it
  CAST(n.session_id AS VARCHAR) AS session_id,         -- the visit in which it happened
  CAST(n.event_ts AS TIMESTAMP) AS event_ts,           -- when it happened, UTC
  CAST(n.device AS VARCHAR) AS device,                 -- kind of device
  CAST(n.location AS VARCHAR) AS location,             -- country
  CAST(n.product_id AS VARCHAR) AS product_id,         -- product, if any
  CAST(n.product_name AS VARCHAR) AS product_name,     -- its name at the time
  CAST(n.category AS VARCHAR) AS category,             -- its category at the time
  CAST(n.price AS DECIMAL(12,2)) AS price,             -- unit price
  CAST(n.quantity AS INTEGER) AS quantity,             -- units
  CAST(
    CASE WHEN n.event_type = 'purchase' THEN n.price * n.quantity END AS DECIMAL(18,2)
  ) AS revenue,                                        -- of a purchase, else null
  CAST(n.search_query AS VARCHAR) AS search_query,     -- what was searched for
  CAST(n.page_url AS VARCHAR) AS page_url,             -- the page viewed
  CAST(n._source AS VARCHAR) AS _source,               -- kafka or s3
  CAST(n._topic AS VARCHAR) AS _topic,                 -- where the winning row lies:
  CAST(n._partition AS INTEGER) AS _partition,         -- topic, topic partition
  CAST(n._offset AS BIGINT) AS _offset,                -- and offset
  CAST(n._batch_id AS VARCHAR) AS _batch_id,           -- the batch that brought it
  CAST(n._ingest_ts AS TIMESTAMP) AS _ingest_ts,       -- time of the plan of that batch
  CAST(CAST($window_start AS TIMESTAMP) AS DATE) AS event_date, -- UTC date of the event
  lpad(
    CAST(EXTRACT(HOUR FROM CAST($window_start AS TIMESTAMP)) AS VARCHAR), 2, '0'
  ) AS hour,                                           -- its UTC hour, 00 to 23: the window's
  CAST(n.event_type AS VARCHAR) AS event_type          -- what happened
FROM accepted AS n
