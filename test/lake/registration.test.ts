import assert from 'node:assert/strict';
import fc from 'fast-check';
import { events } from '../../src/datasets/events.ts';
import type { PointerFile } from '../../src/lake/pointer.ts';
import {
  type RegisteredPartition,
  type RegistrationDiff,
  diffPartitions,
  isOnlyPartition,
  leadingValues,
  partitionsEver,
  wantedPartitions,
} from '../../src/lake/registration.ts';
import { windowOf } from '../../src/lake/window.ts';

/** Table partitions, one for each tuple of values. */
const partitionSets: fc.Arbitrary<RegisteredPartition[]> = fc.uniqueArray(
  fc.record(
    {
      values: fc.tuple(fc.constantFrom('2026-08-21', '2026-08-22'), fc.constantFrom('a', 'b', 'c')),
      folder: fc.constantFrom('v1/', 'v2/'),
      rows: fc.nat(2),
    },
    { noNullPrototype: true },
  ),
  { selector: ({ values }) => values.join('/'), maxLength: 6 },
);

function apply(found: readonly RegisteredPartition[], diff: RegistrationDiff) {
  const byName = new Map(found.map((partition) => [partition.values.join('/'), partition]));
  for (const partition of diff.put) byName.set(partition.values.join('/'), partition);
  for (const values of diff.remove) byName.delete(values.join('/'));
  return [...byName.values()];
}

const sorted = (partitions: readonly RegisteredPartition[]) =>
  [...partitions].sort((a, b) => (a.values.join('/') < b.values.join('/') ? -1 : 1));

describe('diffPartitions', () => {
  it('property: it makes what is found equal to what is wanted', () => {
    fc.assert(
      fc.property(partitionSets, partitionSets, (wanted, found) => {
        const after = apply(found, diffPartitions(wanted, found));
        assert.deepEqual(sorted(after), sorted(wanted));
      }),
    );
  });

  it('property: done once, nothing is left to do', () => {
    fc.assert(
      fc.property(partitionSets, partitionSets, (wanted, found) => {
        const after = apply(found, diffPartitions(wanted, found));
        assert.deepEqual(diffPartitions(wanted, after), { put: [], remove: [] });
      }),
    );
  });

  it('removes what vanished and leaves what is equal alone', () => {
    const kept = { values: ['2026-08-21', 'a'], folder: 'v1/', rows: 1 };
    const gone = { values: ['2026-08-21', 'b'], folder: 'v1/', rows: 1 };
    assert.deepEqual(diffPartitions([kept], [kept, gone]), {
      put: [],
      remove: [['2026-08-21', 'b']],
    });
  });

  it('tells values apart that look alike when joined', () => {
    const one = { values: ['a,b', 'c'], folder: 'v1/', rows: 1 };
    const other = { values: ['a', 'b,c'], folder: 'v1/', rows: 1 };
    assert.deepEqual(diffPartitions([one], [other]), { put: [one], remove: [['a', 'b,c']] });
  });
});

describe('wantedPartitions', () => {
  const fileIn = (event_type: string, name: string, rows: number): PointerFile => ({
    key: `silver/${event_type}/${name}.parquet`,
    partition: { event_type, hour: '13', event_date: '2026-08-21' },
    rows,
    bytes: 1,
  });

  it('is one for each folder, with the rows of all its files and the values in column order', () => {
    const files = [fileIn('search', 'a', 2), fileIn('purchase', 'a', 1), fileIn('search', 'b', 3)];
    assert.deepEqual(wantedPartitions(events.silver, { files }), [
      { values: ['2026-08-21', '13', 'search'], folder: 'silver/search/', rows: 5 },
      { values: ['2026-08-21', '13', 'purchase'], folder: 'silver/purchase/', rows: 1 },
    ]);
  });

  it('is nothing for a version without rows', () => {
    assert.deepEqual(wantedPartitions(events.silver, { files: [] }), []);
  });
});

describe('partitionsEver', () => {
  const version = (...types: readonly string[]) => ({
    files: types.map((event_type) => ({
      key: `silver/${event_type}/x.parquet`,
      partition: { event_date: '2026-08-21', hour: '13', event_type },
      rows: 1,
      bytes: 1,
    })),
  });
  const typesOf = (values: ReturnType<typeof partitionsEver>) => values?.map(([, , type]) => type);

  it('property: names all that the versions of a window have had, each once', () => {
    const types = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
    fc.assert(
      fc.property(fc.array(types, { minLength: 1 }), (chain) => {
        let ever: ReturnType<typeof partitionsEver> = null;
        for (const [index, some] of chain.entries()) {
          const current = index === 0 ? null : { partitionsEver: ever! };
          ever = partitionsEver(events.silver, version(...some), current);
        }
        assert.deepEqual(typesOf(ever), [...new Set(chain.flat())].sort());
      }),
    );
  });

  it('is not known after a version that does not know it', () => {
    assert.equal(partitionsEver(events.silver, version('a'), {}), null);
  });
});

describe('leadingValues', () => {
  it('is the date of a day, and date and hour of an hour', () => {
    assert.deepEqual(leadingValues(windowOf('2026-08-21')), ['2026-08-21']);
    assert.deepEqual(leadingValues(windowOf('2026-08-21T03')), ['2026-08-21', '03']);
  });
});

describe('isOnlyPartition', () => {
  const gold = events.gold.find(({ name }) => name === 'hourly_revenue')!;
  const of = (...values: string[]): RegisteredPartition => ({ values, folder: 'v1/', rows: 1 });
  const window = windowOf('2026-08-21T13');

  it('is so for a gold window with rows', () => {
    assert.ok(isOnlyPartition(gold, window, [of('2026-08-21', '13')]));
  });

  it('is not so without rows, since then something may have to be taken out', () => {
    assert.ok(!isOnlyPartition(gold, window, []));
  });

  it('is not so for a window with table partitions of its own, nor for one in another place', () => {
    const silver = [of('2026-08-21', '13', 'search')];
    assert.ok(!isOnlyPartition(events.silver, window, silver));
    assert.ok(!isOnlyPartition(gold, window, [of('2026-08-21', '14')]));
  });
});
