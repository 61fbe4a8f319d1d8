-- table: events_cleaned
-- grain: one row when it is too high
-- reads: window_figures
-- layer: silver
-- severity: gate
-- runs: window
-- params: rejected_share_max, rejected_rows_min
-- A row means that so many rows of the window were rejected that the source or a rule must be
-- wrong. A person decides, before a window that lost half its events is taken for a quiet hour.
-- Windows of few rows pass: two of three prove nothing.
SELECT
  CAST(
    CAST(rejected_rows AS VARCHAR) || ' of ' || CAST(bronze_rows AS VARCHAR)
      || ' rows were rejected'
    AS VARCHAR
  ) AS reason
FROM window_figures
WHERE bronze_rows >= CAST($rejected_rows_min AS BIGINT)
  AND CAST(rejected_rows AS DOUBLE) 
    > CAST($rejected_share_max AS DOUBLE) * CAST(bronze_rows AS DOUBLE)
