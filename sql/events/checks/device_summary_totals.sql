-- table: device_summary
-- grain: one row when they differ
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means that the totals of device_summary are not those of silver (DQ-17): the model lost or
-- doubled something between the two layers.
WITH gold AS (
  SELECT
    COALESCE(sum(event_count), 0) AS events,
    COALESCE(sum(total_revenue), 0) AS revenue
  FROM staged
),
silver AS (
  SELECT
    count(*) AS events,
    COALESCE(sum(revenue), 0) AS revenue
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
)
SELECT
  CAST(
    'events ' || CAST(gold.events AS VARCHAR) || ' in gold, '
        || CAST(silver.events AS VARCHAR) || ' in silver'
      || ', revenue ' || CAST(gold.revenue AS VARCHAR) || ' in gold, '
        || CAST(silver.revenue AS VARCHAR) || ' in silver'
    AS VARCHAR
  ) AS reason
FROM gold
CROSS JOIN silver
WHERE gold.events <> silver.events
  OR gold.revenue <> silver.revenue
