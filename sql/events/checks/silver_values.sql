-- table: events_cleaned
-- grain: one row per offending event
-- reads: staged, contract_values
-- layer: silver
-- severity: gate
-- runs: row
-- scored: schema_conformity
-- A row means an event in silver whose type, device or family is none of the contract's (DQ-12,
-- DQ-16): charts and table partitions would grow a value that nobody knows.
SELECT
  CAST(s.event_id AS VARCHAR) AS event_id,  -- the event
  CAST(
    'family ' || COALESCE(s._family, 'null') || ', type ' || COALESCE(s.event_type, 'null')
      || ', device ' || COALESCE(s.device, 'null') 
      || ' in event ' || COALESCE(s.event_id, 'without id')
    AS VARCHAR
  ) AS reason
FROM staged AS s
LEFT JOIN contract_values AS types ON types.field = 'event_type' AND types.value = s.event_type
LEFT JOIN contract_values AS devices ON devices.field = 'device' AND devices.value = s.device
WHERE types.value IS NULL OR devices.value IS NULL
  OR s._family IS NULL OR s._family NOT IN ('A', 'B')
