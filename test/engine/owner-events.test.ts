import assert from 'node:assert/strict';
import { createOwnerEventActivities } from '../../src/activities/owner-events.ts';
import { ask } from '../../src/activities/query.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { events as dataset } from '../../src/datasets/events.ts';
import { noteOf } from '../../src/lake/ledger.ts';
import { newOwner } from '../../src/lake/owner-state.ts';
import type { Alert, OwnerEvent } from '../../src/lake/owner-events.ts';
import { createLakeBed, hour } from './support/lake-bed.ts';

const gate = { layer: 'silver', table: null, window: hour } as const;
const at = '2026-08-21T15:00:00.000Z';
const resolved: OwnerEvent = {
  ...{ kind: 'gateResolved', gate, decision: 'abandon', author: 'ops', reason: 'a bad source' },
  ...{ checks: ['totals', 'nulls'], at },
};

describe('keepEvents', () => {
  it('keeps a decision in dq_results, once however often it is told, and tells who must know', async () => {
    const bed = await createLakeBed({ objects: createMemoryObjectStore() });
    const sent: Alert[] = [];
    const alerts = { send: async (alert: Alert) => void sent.push(alert) };
    const activities = createOwnerEventActivities({ ports: { ...bed.ports, alerts }, dataset });
    const parked: OwnerEvent = {
      kind: 'gateParked',
      gate,
      reason: 'totals (1 row)',
      checks: [],
      at,
    };

    const noteWith = (events: readonly OwnerEvent[]) => ({
      dataset: 'events',
      note: noteOf({ ...newOwner('events'), events }, Date.parse(at)),
    });
    await activities.keepEvents(noteWith([resolved]));
    await activities.keepEvents(noteWith([resolved, parked]));

    const sql =
      'SELECT check_id, window_id, decision, decided_by, decision_reason FROM dq_results ' +
      'ORDER BY check_id';
    const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
    const { rows } = await ask({ ports: bed.ports, dataset }, question);
    await bed.remove();
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        ['nulls', hour, 'abandon', 'ops', 'a bad source'],
        ['totals', hour, 'abandon', 'ops', 'a bad source'],
      ],
    );
    assert.deepEqual(
      sent.map(({ kind }) => kind),
      ['gateParked'],
    );
  });
});
