-- table: user_activity
-- grain: one row when they differ
-- reads: staged, silver_events
-- layer: gold
-- severity: gate
-- runs: window
-- A row means that the totals of user_activity are not those of silver (DQ-17): the model lost or
-- doubled something between the two layers.
WITH gold AS (
  SELECT
    COALESCE(sum(unique_users), 0) AS users,
    COALESCE(sum(unique_sessions), 0) AS sessions
  FROM staged
),
silver AS (
  SELECT
    count(DISTINCT user_id) AS users,
    count(DISTINCT session_id) AS sessions
  FROM silver_events
  WHERE event_ts >= CAST($window_start AS TIMESTAMP) AND event_ts < CAST($window_end AS TIMESTAMP)
)
SELECT
  CAST(
    'users ' || CAST(gold.users AS VARCHAR) || ' in gold, '
        || CAST(silver.users AS VARCHAR) || ' in silver'
      || ', sessions ' || CAST(gold.sessions AS VARCHAR) || ' in gold, '
        || CAST(silver.sessions AS VARCHAR) || ' in silver'
    AS VARCHAR
  ) AS reason
FROM gold
CROSS JOIN silver
WHERE gold.users <> silver.users
  OR gold.sessions <> silver.sessions
