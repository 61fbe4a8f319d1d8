-- table: events_cleaned
-- grain: one row per offending event
-- reads: staged
-- layer: silver
-- severity: gate
-- runs: row
-- scored: date_range
-- A row means an event in the wrong window or table partition, or before the year 2000 (DQ-06): it
-- would be counted in an hour in which it did not happen.
SELECT
  CAST(event_id AS VARCHAR) AS event_id,  -- the event
  CAST(
    'event_ts ' || substr(CAST(event_ts AS VARCHAR), 1, 19) || ' in '
      || COALESCE(CAST(event_date AS VARCHAR), 'no date')
      || ' hour ' || COALESCE(hour, 'null') || ' of event ' || COALESCE(event_id, 'without id')
    AS VARCHAR
  ) AS reason
FROM staged
WHERE event_ts < CAST($window_start AS TIMESTAMP)
  OR event_ts >= CAST($window_end AS TIMESTAMP)
  OR event_ts < CAST('2000-01-01 00:00:00' AS TIMESTAMP)
  -- A window is an hour, so whatever is in it has its date and hour.
  OR event_date IS NULL
  OR event_date <> CAST(CAST($window_start AS TIMESTAMP) AS DATE)
  OR hour IS NULL
  OR hour <> lpad(CAST(EXTRACT(HOUR FROM CAST($window_start AS TIMESTAMP)) AS VARCHAR), 2, '0')
