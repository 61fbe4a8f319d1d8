import assert from 'node:assert/strict';
import { createRandom } from '../../src/producer/random.ts';
import type { SeenPointer } from '../chaos/support/lake-view.ts';
import type { Sight } from '../chaos/support/lake-watcher.ts';
import { createBatchMaker, firstHour } from '../chaos/support/transform-batches.ts';
import { chainProblems, sightProblems } from '../chaos/support/transform-check.ts';
import { expectedWindow, idsText } from '../chaos/support/transform-expected.ts';

const maker = createBatchMaker(createRandom('transform-check'));
const batches = [maker.next([firstHour]), maker.next([firstHour]), maker.early()];
const [date = '', hour = ''] = firstHour.split('T');
const folder = `silver/events_cleaned/event_date=${date}/hour=${hour}/event_type=purchase/000001-a/`;
const keys = [`${folder}one.parquet`, `${folder}two.parquet`];

function pointer(version: string, previous: string | null): SeenPointer {
  return {
    layer: 'silver',
    table: 'events_cleaned',
    window: firstHour,
    version,
    sequence: Number(version.slice(0, 6)),
    previous,
    mode: 'fold',
    rows: 4,
    files: keys.map((key) => ({ key, rows: 2, bytes: 1, partition: {} })),
    logs: {},
    silver: {},
    quarantineKeys: [],
    accounting: null,
  };
}

function purchases(count: number): readonly string[] {
  const { events } = expectedWindow(batches.slice(0, count), firstHour);
  return events.filter(({ type }) => type === 'purchase').map(({ id }) => id);
}

const sight: Sight = {
  layer: 'silver',
  table: 'events_cleaned',
  values: [date, hour, 'purchase'],
  folder,
  keys,
  rows: 4,
  ids: idsText(purchases(1)),
  published: ['000001-a'],
};
const history = new Map([['pointer', [pointer('000001-a', null)]]]);
const judge = (changed: Partial<Sight>): readonly string[] =>
  sightProblems({ batches }, history, { ...sight, ...changed });

describe('chainProblems', () => {
  it('finds nothing wrong with versions of which each was made from the one before', () => {
    const chain = [pointer('000001-a', null), pointer('000002-b', '000001-a')];
    assert.deepEqual(chainProblems('key', chain), []);
  });

  it('complains of two versions that were made from the same one', () => {
    const fork = [pointer('000001-a', null), pointer('000002-b', '000001-a')];
    const found = chainProblems('key', [...fork, pointer('000002-c', '000001-a')]);
    assert.equal(found.length, 1);
    assert.match(found[0]!, /000002-c, made from 000001-a, was published over 000002-b/);
  });

  it('complains of a version that comes back', () => {
    const back = [pointer('000001-a', null), pointer('000002-b', '000001-a')];
    assert.equal(chainProblems('key', [...back, pointer('000001-a', null)]).length, 1);
  });
});

describe('sightProblems', () => {
  it('finds nothing wrong with a whole version, after one batch or after all', () => {
    assert.deepEqual(judge({}), []);
    assert.deepEqual(judge({ ids: idsText(purchases(3)) }), []);
  });

  it('complains of a file less, and of a file more', () => {
    assert.match(judge({ keys: keys.slice(0, 1), rows: 2 })[0]!, /no whole version/);
    assert.match(judge({ keys: [...keys, `${folder}x.parquet`], rows: 5 })[0]!, /no whole version/);
  });

  it('complains of what was seen before it was published', () => {
    assert.match(judge({ published: [] })[0]!, /before it was published/);
  });

  it('complains of rows that no number of whole batches has', () => {
    assert.match(judge({ ids: idsText(purchases(1).slice(1)) })[0]!, /not the rows of whole/);
    assert.match(judge({ ids: idsText([...purchases(1), 'stranger']) })[0]!, /not the rows/);
  });
});
