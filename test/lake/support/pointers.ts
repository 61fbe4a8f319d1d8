import type { Pointer } from '../../../src/lake/pointer.ts';
import { closedHour, day } from './owner-states.ts';

/* Versions as they lie in the lake, for tests that claim one thing about them. */

export function silverPointer(differences: Partial<Pointer> = {}): Pointer {
  return {
    schema: 1,
    layer: 'silver',
    table: 'events_cleaned',
    window: closedHour,
    version: '000003-abc',
    sequence: 3,
    mode: 'seal',
    fingerprint: 'abc',
    files: [{ key: 'silver/x.parquet', partition: {}, rows: 90, bytes: 1 }],
    rows: 90,
    logs: {
      'a-0': {
        through: 9,
        batches: [
          [0, 3],
          [7, 7],
        ],
      },
      'b-0': { through: 4, batches: [] },
    },
    silver: {},
    accounting: { bronze: 100, silver: 90, duplicates: 7, rejected: 3 },
    betterDuplicates: 0,
    quarantineKeys: [],
    score: 98.3333,
    warnings: [],
    complete: true,
    cause: { kind: 'closed' },
    builtAt: '2026-08-21T13:05:00.000Z',
    previous: '000002-aaa',
    ...differences,
  };
}

export function goldPointer(differences: Partial<Pointer> = {}): Pointer {
  return silverPointer({
    layer: 'gold',
    table: 'top_products',
    window: day,
    mode: 'rebuild',
    logs: {},
    silver: { [closedHour]: '000003-abc' },
    accounting: null,
    cause: { kind: 'silver' },
    ...differences,
  });
}
