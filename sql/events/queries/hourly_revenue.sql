-- table: hourly_revenue
-- grain: hour
-- reads: hourly_revenue
-- question: Q-02
-- params: date_from, date_to
-- In which hours of the day is the money made? The table has a row per date and hour; this folds
-- the chosen days to the 24 hours of the day, all of them, also hours without revenue (C-21).
WITH hours AS (
  SELECT hour
  FROM (
    VALUES
      ('00'), ('01'), ('02'), ('03'), ('04'), ('05'), ('06'), ('07'), ('08'), ('09'),
      ('10'), ('11'), ('12'), ('13'), ('14'), ('15'), ('16'), ('17'), ('18'), ('19'), ('20'),
      ('21'), ('22'), ('23')
  ) AS day_hours (hour)
),
summed AS (
  SELECT hour, sum(total_revenue) AS total_revenue
  FROM hourly_revenue
  WHERE event_date >= CAST($date_from AS DATE) AND event_date <= CAST($date_to AS DATE)
  GROUP BY hour
)
SELECT
  CAST(h.hour AS VARCHAR) AS hour,                                      -- UTC hour of day, 00 to 23
  CAST(COALESCE(s.total_revenue, 0) AS DECIMAL(18,2)) AS total_revenue  -- over the chosen days
FROM hours AS h
LEFT JOIN summed AS s ON s.hour = h.hour
ORDER BY hour
