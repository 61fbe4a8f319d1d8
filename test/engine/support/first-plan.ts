import { planEntry } from '../../../src/lake/batch.ts';
import { type PlanEntry, emptyLogState } from '../../../src/lake/source-log.ts';

/** The plan of the first batch of a source log. */
export function firstPlan(facts: {
  readonly nowMs: number;
  readonly recordBytesMax: number;
}): PlanEntry {
  return planEntry({
    ...{ log: 'clicks-0', number: 1, writer: 'w', nowMs: facts.nowMs },
    ...{ topic: 'clicks', partition: 0, offsetEnd: '1000' },
    before: { ...emptyLogState, offsetNext: '0' },
    settings: {
      ...{ rawCopy: true, contractHash: 'c', encoder: 'e' },
      recordBytesMax: facts.recordBytesMax,
    },
  });
}
