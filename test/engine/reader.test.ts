import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Reader, ask, createReader } from '../../src/activities/query.ts';
import { events } from '../../src/datasets/events.ts';
import type { Row } from '../../src/ports.ts';
import { aroundStore } from '../support/around-store.ts';
import {
  type Event,
  type LakeBed,
  bookmark,
  buildSilver,
  createLakeBed,
  hour,
  log,
  otherLog,
  publish,
  sealBatch,
} from './support/lake-bed.ts';
import { copyOf } from './support/lake-readers.ts';

const other = '2026-08-21T12';
const everything = {
  sql: 'SELECT * FROM events_cleaned ORDER BY event_id, event_ts',
  parameters: {},
  dateFrom: null,
  dateTo: null,
};

describe('createReader', () => {
  let bed: LakeBed;
  let reader: Reader;
  beforeEach(async () => {
    bed = await createLakeBed();
    reader = createReader({ ports: bed.ports, dataset: events });
  });
  afterEach(async () => {
    await reader.close();
    await bed.remove();
  });

  const idsNow = async (by: Reader = reader): Promise<readonly unknown[]> =>
    (await by.ask(everything)).rows.map(({ event_id }) => event_id);

  it('shows what was sealed, built and bookmarked since the question before', async () => {
    assert.deepEqual(await idsNow(), []);
    await sealBatch(bed, 0, [{ id: 'a' }, { id: 'b' }]);
    assert.deepEqual(await idsNow(), ['a', 'b']);
    await sealBatch(bed, 1, [{ id: 'b' }, { id: 'c', hour: other }]);
    assert.deepEqual(await idsNow(), ['a', 'b', 'c']);
    await buildSilver(bed, 'fold', 0);
    await bookmark(bed, 0);
    assert.deepEqual(await idsNow(), ['a', 'b', 'c']);
    await buildSilver(bed, 'fold', 1);
    await buildSilver(bed, 'fold', 1, other);
    await bookmark(bed, 1);
    const { rows, tailRows } = await reader.ask(everything);
    assert.deepEqual([rows.length, tailRows], [3, 0]);
  });

  it('hides a row that it has shown, once a version has its id from another batch', async () => {
    const placesNow = async () => (await reader.ask(everything)).rows.map(placeOf);
    await sealBatch(bed, 0, [{ id: 'a', ingestSecond: 1 }], { of: otherLog });
    assert.deepEqual(await placesNow(), ['a clicks-1 0']);
    await sealBatch(bed, 0, [{ id: 'a', ingestSecond: 2 }]);
    await buildSilver(bed, 'fold', 0);
    assert.deepEqual(await placesNow(), ['a clicks-0 0']);
  });

  it('never hides a row for another one in its place, of a topic that was made anew', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }]);
    assert.deepEqual(await idsNow(), ['a']);
    await sealBatch(bed, 1, [{ id: 'a', ingestSecond: 1 }, { id: 'b' }]);
    assert.deepEqual(await idsNow(), ['a', 'b']);
    await sealBatch(bed, 2, [{ id: 'c' }, { id: 'd' }], { firstOffset: 1_000 });
    assert.deepEqual(await idsNow(), ['a', 'b', 'c', 'd']);
  });

  it('cleans no batch twice, and reads no seal twice', async () => {
    const read: string[] = [];
    const objects = aroundStore(bed.ports.objects, (step, run) => {
      if (step.name === 'readObject') read.push(step.key);
      return run();
    });
    const sealed = await createLakeBed({ objects });
    const resident = createReader({ ports: sealed.ports, dataset: events });
    try {
      for (const number of [0, 1, 2]) {
        await sealBatch(bed, number, [{ id: `e${number}` }]);
        await resident.ask(everything);
        await resident.ask(everything);
      }
    } finally {
      await resident.close();
      await sealed.remove();
    }
    const often = read.filter((key) => /\.(seal\.json|parquet)$/.test(key)).sort();
    assert.equal(often.length, 6);
    assert.deepEqual(often, [...new Set(often)]);
  });

  it('goes on after a question that fails, and after a lake that did', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }]);
    assert.deepEqual(await idsNow(), ['a']);
    await assert.rejects(reader.ask({ ...everything, sql: 'SELECT nothing FROM events_cleaned' }));
    await assert.rejects(reader.ask({ ...everything, sql: 'SELECT 1 FROM nowhere' }), {
      code: 'TABLE_UNKNOWN',
    });
    let isDown = true;
    const objects = aroundStore(await copyOf(bed.ports.objects), (step, run) =>
      isDown && step.key.startsWith('bronze/') ? Promise.reject(new Error('down')) : run(),
    );
    const broken = await createLakeBed({ objects });
    const shaken = createReader({ ports: broken.ports, dataset: events });
    await assert.rejects(idsNow(shaken), /down/);
    isDown = false;
    assert.deepEqual(await idsNow(shaken), ['a']);
    await shaken.close();
    await broken.remove();
    assert.deepEqual(await idsNow(), ['a']);
  });

  it('answers questions that are asked at once one after the other', async () => {
    await sealBatch(bed, 0, [{ id: 'a' }]);
    const asked = Array.from({ length: 4 }, () => idsNow());
    assert.deepEqual(await Promise.all(asked), [['a'], ['a'], ['a'], ['a']]);
  });

  it('property: answers what a new reader does, whatever happened between questions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 12 }), async (steps) => {
        const lake = await createLakeBed();
        const resident = createReader({ ports: lake.ports, dataset: events });
        try {
          await play(lake, steps, async (expected) => {
            const answer = await resident.ask(everything);
            assert.deepEqual(answer, await ask({ ports: lake.ports, dataset: events }, everything));
            assert.deepEqual(answer.rows.map(placeOf).sort(), expected);
          });
        } finally {
          await resident.close();
          await lake.remove();
        }
      }),
      { numRuns: 6, endOnFailure: true },
    );
  }).timeout(360_000);
});

const logs = [log, otherLog];
const hours = [hour, other];

type Step =
  | { readonly kind: 'seal'; readonly of: string; readonly list: readonly Event[] }
  | {
      readonly kind: 'build';
      readonly mode: 'fold' | 'rebuild';
      readonly window: string;
      /** Whose batches the owner has routed by then. */
      readonly routed: readonly string[];
    }
  | { readonly kind: 'ask' };

const event: fc.Arbitrary<Event> = fc.record({
  id: fc.constantFrom('a', 'b', 'c'),
  hour: fc.constantFrom(hour, hour, hour, other),
  ingestSecond: fc.nat(3),
  device: fc.constantFrom('desktop', 'desktop', 'desktop', 'toaster'),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('seal' as const),
      of: fc.constantFrom(...logs),
      list: fc.array(event, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('build' as const),
      mode: fc.constantFrom('fold' as const, 'fold' as const, 'rebuild' as const),
      window: fc.constantFrom(hour, hour, hour, other),
      routed: fc.subarray(logs, { minLength: 1 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'ask' }) },
);

type Sealed = Event & {
  readonly of: string;
  readonly number: number;
  readonly offset: number;
};
type Version = {
  readonly through: Readonly<Record<string, number>>;
  readonly rows: readonly Sealed[];
};

/** Carries out the steps, and says at each question which rows of bronze a reader must see. */
async function play(
  lake: LakeBed,
  steps: readonly Step[],
  look: (places: readonly string[]) => Promise<void>,
): Promise<void> {
  const sealed: Sealed[] = [];
  const versions = new Map<string, Version>();
  const versionOf = (window: string): Version => versions.get(window) ?? { through: {}, rows: [] };
  const numbers = new Map(logs.map((of) => [of, 0]));
  const newOf = (window: string, { through }: Version): readonly Sealed[] =>
    sealed.filter(({ hour: at, of, number }) => at === window && number > (through[of] ?? -1));
  for (const each of [...steps, { kind: 'ask' } as const]) {
    if (each.kind === 'ask') {
      const shown = hours.flatMap((window) => {
        const version = versionOf(window);
        return cleaned(newOf(window, version), version.rows);
      });
      await look(shown.map(({ id, of, offset }) => `${id} ${of} ${offset}`).sort());
    } else if (each.kind === 'seal') {
      const { of, list } = each;
      const number = numbers.get(of)!;
      numbers.set(of, number + 1);
      await sealBatch(lake, number, list, { of });
      const offset = number * 1_000;
      sealed.push(...list.map((e, at) => ({ ...e, of, number, offset: offset + at })));
    } else {
      const { window, mode, routed } = each;
      const before = versionOf(window);
      const added = newOf(window, before).filter(({ of }) => routed.includes(of));
      if (added.length === 0) continue;
      const through = Object.fromEntries(
        logs.map((of) => {
          const last = routed.includes(of) ? numbers.get(of)! - 1 : -1;
          return [of, Math.max(before.through[of] ?? -1, last)];
        }),
      );
      await build(lake, each, through);
      const isIn = ({ hour: at, of, number }: Sealed): boolean =>
        at === window && number <= through[of]!;
      const rows = mode === 'fold' ? cleaned(added, before.rows) : cleaned(sealed.filter(isIn), []);
      versions.set(window, { through, rows });
    }
  }
}

async function build(
  lake: LakeBed,
  { mode, window }: Extract<Step, { kind: 'build' }>,
  through: Readonly<Record<string, number>>,
): Promise<void> {
  const known = Object.entries(through).filter(([, last]) => last >= 0);
  const pending = Object.fromEntries(known.map(([of, last]) => [of, { first: 0, through: last }]));
  const input = { dataset: 'events', window, mode, pending, owner: 'none' };
  const staged = await lake.activities.stageSilver(input);
  assert.equal(staged.kind, 'staged');
  await publish(lake, staged);
}

/** What a version and new rows make: its own rows stay, of others the first of each id comes in. */
function cleaned(added: readonly Sealed[], current: readonly Sealed[]): readonly Sealed[] {
  const rows = new Map(current.map((row) => [row.id, row]));
  const accepted = added
    .filter(({ device }) => device !== 'toaster')
    .sort(
      (a, b) =>
        a.ingestSecond! - b.ingestSecond! ||
        logs.indexOf(a.of) - logs.indexOf(b.of) ||
        a.offset - b.offset,
    );
  for (const row of accepted) if (!rows.has(row.id)) rows.set(row.id, row);
  return [...rows.values()];
}

function placeOf(row: Row): string {
  const of = `${String(row['_topic'])}-${String(row['_partition'])}`;
  return `${String(row['event_id'])} ${of} ${String(row['_offset'])}`;
}
