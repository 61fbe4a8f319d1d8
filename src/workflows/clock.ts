/**
 * Milliseconds since the epoch. Temporal replaces the clock of workflow code by the time of the
 * workflow task, so that a replay sees the same; this is the one place that reads it.
 */
export function nowMs(): number {
  // eslint-disable-next-line no-restricted-properties -- deterministic in a workflow, see above.
  return Date.now();
}
