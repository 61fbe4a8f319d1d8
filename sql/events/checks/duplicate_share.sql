-- table: events_cleaned
-- grain: one row when it is too high
-- reads: window_figures
-- layer: silver
-- severity: warn
-- runs: window
-- params: duplicate_share_warn
-- A row means that more rows of the window were duplicates than is usual (DQ-08, S004-32): a
-- producer that sends again, or ids that are not unique. Deduplication has dealt with them; hence
-- a warning.
SELECT
  CAST(
    CAST(duplicate_rows AS VARCHAR) || ' of ' || CAST(bronze_rows AS VARCHAR)
      || ' rows were duplicates'
    AS VARCHAR
  ) AS reason
FROM window_figures
WHERE CAST(duplicate_rows AS DOUBLE) 
  > CAST($duplicate_share_warn AS DOUBLE) * CAST(bronze_rows AS DOUBLE)
