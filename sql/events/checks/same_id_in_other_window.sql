-- table: events_cleaned
-- grain: one row per event_id in another window of the day
-- reads: staged, silver_day
-- layer: silver
-- severity: warn
-- runs: window
-- A row means an id that another window of the same day has too. Ids are compared within a window
-- only, so such an event counts twice; the data contract says so, and this says how often.
SELECT DISTINCT
  CAST(s.event_id AS VARCHAR) AS event_id,  -- the id
  CAST(
    s.event_id || ' is also in hour ' || d.hour || ' of ' || CAST(d.event_date AS VARCHAR)
    AS VARCHAR
  ) AS reason
FROM staged AS s
JOIN silver_day AS d ON d.event_id = s.event_id
