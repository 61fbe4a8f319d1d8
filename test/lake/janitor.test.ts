import assert from 'node:assert/strict';
import { events } from '../../src/datasets/events.ts';
import {
  type DateFacts,
  type Mark,
  type Remain,
  buildsThatNeed,
  decideDate,
  isBuilt,
  versionRemains,
  windowRemains,
} from '../../src/lake/janitor.ts';
import { addTallies, describeTally, emptyTally, tallyOf } from '../../src/lake/janitor-tally.ts';
import { dayMs, formatInstant } from '../../src/lake/time.ts';

const hour = '2026-08-21T13';
const one = '000001-aaaaaaaaaaaa';
const two = '000002-bbbbbbbbbbbb';
const three = '000003-cccccccccccc';
const nowMs = Date.UTC(2026, 7, 25);
/** Marked a day ago, when the same version was current as now. */
const longAgo: Mark = { since: formatInstant(nowMs - dayMs), current: two };
const folderOf = (version: string) =>
  `silver/events_cleaned/event_date=2026-08-21/hour=13/event_type=search/${version}/`;
const stagedKeyOf = (version: string) => `_staged/silver/events_cleaned/${hour}/${version}.json`;

const files = (...versions: string[]): readonly Remain[] =>
  versionRemains(
    events.silver,
    versions.map((version) => ({ key: `${folderOf(version)}${version}.parquet`, bytes: 10 })),
  );
const staged = (...versions: string[]): readonly Remain[] =>
  windowRemains(
    'staged',
    versions.map((version) => ({ key: stagedKeyOf(version), bytes: 1 })),
  );

function facts(given: Partial<DateFacts>): DateFacts {
  const file = { key: `${folderOf(two)}${two}.parquet`, partition: {}, rows: 1, bytes: 10 };
  const current = { window: hour, version: two, sequence: 2, files: [file], quarantineKeys: [] };
  return {
    nowMs,
    graceMs: dayMs,
    checkResultsBefore: null,
    isGivenUp: false,
    pointers: [current],
    registered: [],
    remains: [],
    marks: {},
    ...given,
  };
}

const names = (remains: readonly Remain[]) => remains.map(({ name }) => name);

describe('decideDate', () => {
  it('marks a version that nothing names, and removes it when its grace is over', () => {
    const remains = files(one, two);
    const first = decideDate(facts({ remains }));
    assert.deepEqual([first.due, first.waiting], [[], 1]);
    assert.deepEqual(first.marks, {
      [folderOf(one)]: { since: formatInstant(nowMs), current: two },
    });
    const early = decideDate(facts({ remains, marks: first.marks, nowMs: nowMs + dayMs - 1 }));
    assert.deepEqual(early.due, []);
    const late = decideDate(facts({ remains, marks: first.marks, nowMs: nowMs + dayMs }));
    assert.deepEqual(names(late.due), [folderOf(one)]);
  });

  it('keeps what the catalog names, and begins anew when it does so again', () => {
    const remains = files(one, two);
    const kept = decideDate(
      facts({ remains, registered: [folderOf(one)], marks: { [folderOf(one)]: longAgo } }),
    );
    assert.deepEqual([kept.due, kept.marks], [[], {}]);
  });

  it('keeps a folder of an older version that the current one names', () => {
    const file = { key: `${folderOf(one)}${one}.parquet`, partition: {}, rows: 1, bytes: 10 };
    const pointers = [
      { window: hour, version: two, sequence: 2, files: [file], quarantineKeys: [] },
    ];
    const kept = decideDate(
      facts({ pointers, remains: files(one), marks: { [folderOf(one)]: longAgo } }),
    );
    assert.deepEqual(kept.due, []);
  });

  it('regression: a mark from before another version was current never counts for a reader since', () => {
    const marks = { [folderOf(one)]: { ...longAgo, current: null } };
    const found = decideDate(facts({ remains: files(one), marks }));
    assert.deepEqual(found.due, []);
    assert.deepEqual(found.marks, {
      [folderOf(one)]: { since: formatInstant(nowMs), current: two },
    });
  });

  it('takes what was staged first from a version that may still be published', () => {
    const remains = [...files(three), ...staged(two, three)];
    const marks = { [folderOf(three)]: longAgo, [stagedKeyOf(three)]: longAgo };
    assert.deepEqual(names(decideDate(facts({ remains, marks })).due), [stagedKeyOf(three)]);
    const left = decideDate(facts({ remains: files(three), marks }));
    assert.deepEqual(names(left.due), [folderOf(three)]);
  });

  it('takes both at once of a version that another one has overtaken', () => {
    const remains = [...files(one), ...staged(one)];
    const marks = { [folderOf(one)]: longAgo, [stagedKeyOf(one)]: longAgo };
    assert.deepEqual(names(decideDate(facts({ remains, marks })).due), [
      folderOf(one),
      stagedKeyOf(one),
    ]);
  });

  it('keeps what was staged of the current version, which gates of gold read', () => {
    const marks = { [stagedKeyOf(two)]: longAgo };
    assert.deepEqual(decideDate(facts({ remains: staged(two), marks })).due, []);
  });

  it('keeps check results for ever unless told otherwise, and always those of the current version', () => {
    const result = (version: string) => ({
      key: `dq_results/silver/events_cleaned/${hour}/${version}.parquet`,
      bytes: 5,
    });
    const remains = windowRemains('checkResults', [result(one), result(two)]);
    const marks = Object.fromEntries(remains.map(({ name }) => [name, longAgo]));
    const due = (checkResultsBefore: string | null) =>
      names(decideDate(facts({ remains, marks, checkResultsBefore })).due);
    assert.deepEqual(due(null), []);
    assert.deepEqual(due('2026-08-21'), []);
    assert.deepEqual(due('2026-08-22'), [result(one).key]);
  });
});

describe('versionRemains', () => {
  it('leaves alone what Ingot has not named', () => {
    const foreign = [
      'silver/events_cleaned/event_date=2026-08-21/hour=13/event_type=search/notes.txt',
      'silver/events_cleaned/event_date=2026-08-21/hour=13/event_type=search/backup/x.parquet',
    ].map((key) => ({ key, bytes: 1 }));
    assert.deepEqual(versionRemains(events.silver, foreign), []);
  });

  it('knows the window of a table by day, whatever its date column is called', () => {
    const top = events.gold.find(({ name }) => name === 'top_products')!;
    const key = `gold/top_products/as_of_date=2026-08-21/${one}/${one}.parquet`;
    const [found] = versionRemains(top, [{ key, bytes: 1 }]);
    assert.deepEqual([found?.window, found?.version], ['2026-08-21', one]);
  });
});

describe('buildsThatNeed', () => {
  it('names for an hour of silver its own build and those of all gold above it', () => {
    const needed = buildsThatNeed(events, events.silver, hour);
    assert.equal(needed.length, 1 + events.gold.length);
    assert.ok(needed.includes(`silver/events/${hour}`));
    assert.ok(needed.includes(`gold/hourly_revenue/${hour}`));
    assert.ok(needed.includes('gold/top_products/2026-08-21'));
  });
});

describe('isBuilt', () => {
  const seal = { log: 'clicks-0', number: 7, windows: ['2026-08-21T13', '2026-08-21T14'] };
  const through = (number: number) => ({ logs: { 'clicks-0': { through: number, batches: [] } } });

  it('is true only when every window of the batch has read it, or is given up', () => {
    const of = (first: number | null, second: number | null, givenUp = '') =>
      isBuilt(
        seal,
        (window) => {
          const number = window.endsWith('13') ? first : second;
          return number === null ? null : through(number);
        },
        (window) => window === givenUp,
      );
    assert.deepEqual(
      [of(7, 9), of(7, 6), of(7, null), of(7, null, '2026-08-21T14')],
      [true, false, false, true],
    );
  });
});

describe('addTallies', () => {
  it('adds up what pages have removed', () => {
    const versions = tallyOf('versions', [{ key: 'a', bytes: 3 << 20 }]);
    const raw = tallyOf('raw', [{ key: 'b', bytes: 1 << 20 }]);
    const sum = [versions, versions, raw, { ...emptyTally, waiting: 4 }].reduce(addTallies);
    assert.equal(
      describeTally(sum, false),
      'Removed 2 versions (6.0 MiB), 1 raw (1.0 MiB); 4 wait for their grace.',
    );
    assert.match(describeTally(emptyTally, true), /^Would remove nothing/);
  });
});
