import assert from 'node:assert/strict';
import { jsonBytes } from '../../src/activities/json-objects.ts';
import { bronzeKey, retentionKey } from '../../src/lake/paths.ts';
import type { Retention } from '../../src/lake/retention.ts';
import {
  type LakeBed,
  buildSilver,
  createLakeBed,
  hour,
  log,
  publish,
  pointerOf,
  sealBatch,
  silverRef,
  stageGold,
  stageSilver,
} from './support/lake-bed.ts';
import { idsOf } from './support/lake-readers.ts';

/* Bronze is gone, and somebody wants a window built again. */

const ingestTimeMs = Date.UTC(2026, 7, 21, 15);

async function announce(bed: LakeBed, announced: Retention['announced']): Promise<void> {
  await bed.ports.objects.replaceObject(
    retentionKey('events'),
    jsonBytes({ schema: 1, announced }),
  );
}

const before = [{ before: '2026-08-22T00:00:00.000Z', at: '2026-09-21T00:00:00.000Z' }];

describe('a window whose bronze is past its retention', () => {
  let bed: LakeBed;
  beforeEach(async () => {
    bed = await createLakeBed();
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b' }, { id: 'x', device: 'toaster' }]);
    await sealBatch(bed, 1, [
      { id: 'a', ingestSecond: 9 },
      { id: 'c', type: 'search' },
    ]);
    await buildSilver(bed, 'seal', 1);
    await announce(bed, { bronze: before });
    for (const number of [0, 1]) {
      const place = { dataset: 'events', log, number, ingestTimeMs };
      await bed.ports.objects.deleteObjects([bronzeKey(place)]);
    }
  });
  afterEach(() => bed.remove());

  it('refuses a rebuild in clear words, and readers keep what they have', async () => {
    const version = (await pointerOf(bed, silverRef())).version;
    // Another SQL would make another version, if the rows were there.
    const silver = bed.ports.sql.silver;
    const changed = { ...silver, accounting: { ...silver['accounting']!, name: 'other' } };
    const other = await createLakeBed({ objects: bed.ports.objects, sql: { silver: changed } });
    await assert.rejects(stageSilver(other, 'rebuild', null), {
      code: 'RETENTION_PASSED',
      retryable: false,
      facts: { window: hour, gone: 2, version },
    });
    await other.remove();
    assert.deepEqual(await idsOf(bed), ['a', 'b', 'c']);
  });

  it('goes on without a word where nothing has changed', async () => {
    assert.equal((await stageSilver(bed, 'rebuild', null)).kind, 'unchanged');
    assert.equal((await stageSilver(bed, 'rebuild', 1)).kind, 'unchanged');
  });

  it('takes late rows in beside those that it has, and says so', async () => {
    await sealBatch(bed, 2, [{ id: 'b' }, { id: 'd' }], {
      ingestTime: '2026-08-30T10:00:00.000Z',
    });
    const staged = await stageSilver(bed, 'rebuild', 2);
    const gate = await bed.activities.checkStaged({ ref: silverRef(), version: staged.version });
    assert.deepEqual([staged.kind, gate.kind, gate.failures], ['staged', 'passed', []]);
    await publish(bed, staged);
    assert.deepEqual(await idsOf(bed), ['a', 'b', 'c', 'd']);
    const { accounting, warnings } = await pointerOf(bed, silverRef());
    assert.deepEqual(accounting, { bronze: 7, silver: 4, duplicates: 2, rejected: 1 });
    assert.match(warnings[0] ?? '', /^folded, not rebuilt: 2 of its batches/);
    assert.equal((await stageSilver(bed, 'rebuild', 2)).kind, 'unchanged');
  });
});

describe('a window past the retention of silver', () => {
  it('is not built any more, and neither is gold that would read it', async () => {
    const bed = await createLakeBed();
    await sealBatch(bed, 0, [{ id: 'a' }]);
    await announce(bed, { silver: before });
    await assert.rejects(stageSilver(bed, 'rebuild', 0), { code: 'RETENTION_PASSED' });
    for (const [table, window] of [
      ['hourly_revenue', hour],
      ['user_activity', '2026-08-21'],
    ] as const) {
      await assert.rejects(stageGold(bed, table, window), {
        code: 'RETENTION_PASSED',
        retryable: false,
      });
    }
    await bed.remove();
  });
});
