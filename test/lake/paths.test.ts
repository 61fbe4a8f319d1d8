import assert from 'node:assert/strict';
import fc from 'fast-check';
import { events } from '../../src/datasets/events.ts';
import {
  batchName,
  batchOfDeadLettersKey,
  bookmarkKey,
  bronzeFolder,
  bronzeKey,
  bronzePartitionValues,
  checkResultsKey,
  deadLettersFolder,
  deadLettersKey,
  logEntryKey,
  logName,
  logPrefix,
  parseBatchName,
  parseLogName,
  parseRedriveKey,
  pointerKey,
  quarantineKey,
  rawKey,
  redriveClaimKey,
  redriveFolder,
  redriveSentKey,
  sealKey,
  stagedKey,
  versionFolder,
} from '../../src/lake/paths.ts';
import { windowOf } from '../../src/lake/window.ts';

/** What Kafka allows as the name of a topic. */
const topics = fc.stringMatching(/^[A-Za-z0-9._-]{1,40}$/);
const numbers = fc.oneof(fc.nat(30_000), fc.nat(999_999_999_999));
const byBytes = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

const place = {
  dataset: 'events',
  log: 'clicks-0',
  number: 7,
  ingestTimeMs: Date.UTC(2026, 7, 1, 9, 59, 59, 999),
};

describe('logName', () => {
  it('property: parse ∘ format = id, also for topics with dashes and digits', () => {
    fc.assert(
      fc.property(topics, fc.nat(10_000), (topic, partition) => {
        assert.deepEqual(parseLogName(logName(topic, partition)), { topic, partition });
      }),
    );
  });

  it('property: two topic partitions never share a log', () => {
    fc.assert(
      fc.property(topics, fc.nat(99), topics, fc.nat(99), (a, m, b, n) => {
        fc.pre(a !== b || m !== n);
        assert.notEqual(logName(a, m), logName(b, n));
        assert.notEqual(logPrefix('events', logName(a, m)), logPrefix('events', logName(b, n)));
      }),
    );
  });
});

describe('logEntryKey and sealKey', () => {
  it('hang on the number alone, ten thousand to a folder', () => {
    assert.equal(
      logEntryKey('events', 'clicks-0', 123_456),
      '_log/events/clicks-0/00000012/000000123456.json',
    );
    assert.equal(
      sealKey('events', 'clicks-0', 123_456),
      '_log/events/clicks-0/00000012/000000123456.seal.json',
    );
  });

  it('property: the order of keys is the order of numbers, a seal right after its entry', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        fc.pre(a !== b);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const keys = [low, high].flatMap((number) => [
          logEntryKey('events', 'clicks-0', number),
          sealKey('events', 'clicks-0', number),
        ]);
        assert.deepEqual([...keys].sort(byBytes), keys);
      }),
    );
  });
});

describe('keys of a batch', () => {
  it('lie in the hour of the plan, under the name of the batch', () => {
    const hour = 'year=2026/month=08/day=01/hour=09';
    assert.equal(batchName(place), 'clicks-0-000000000007');
    assert.equal(bronzeKey(place), `bronze/events/${hour}/clicks-0-000000000007.parquet`);
    assert.equal(rawKey(place), `raw/events/${hour}/clicks-0-000000000007.jsonl.gz`);
    assert.equal(
      deadLettersKey(place),
      `dead_letters/events/${hour}/clicks-0-000000000007.parquet`,
    );
  });

  it('have the folder that the catalog is told of', () => {
    assert.ok(bronzeKey(place).startsWith(bronzeFolder('events', place.ingestTimeMs)));
    assert.deepEqual(bronzePartitionValues(place.ingestTimeMs), ['2026', '08', '01', '09']);
  });

  it('property: two batches of a lake never share a key', () => {
    const batches = fc.tuple(topics, fc.nat(9), fc.nat(20_000));
    fc.assert(
      fc.property(batches, batches, (a, b) => {
        fc.pre(a.join('/') !== b.join('/'));
        const keys = [a, b].flatMap(([topic, partition, number]) => {
          const batch = { ...place, log: logName(topic, partition), number };
          return [bronzeKey(batch), rawKey(batch), deadLettersKey(batch)];
        });
        assert.equal(new Set(keys).size, 6);
      }),
    );
  });
});

describe('versionFolder', () => {
  it('has one folder for each table partition column, outermost first, and the version last', () => {
    const partition = { event_date: '2026-08-21', hour: '13', event_type: 'page_view' };
    assert.equal(
      versionFolder(events.silver, partition, '000001-abc'),
      'silver/events_cleaned/event_date=2026-08-21/hour=13/event_type=page_view/000001-abc/',
    );
  });

  it('property: no value of a column can leave its folder', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const partition = { event_date: '2026-08-21', hour: '13', event_type: text };
        const folders = versionFolder(events.silver, partition, 'v').split('/');
        assert.equal(folders.length, 7);
        assert.equal(decodeURIComponent(folders[4]?.slice('event_type='.length) ?? ''), text);
      }),
    );
  });
});

describe('keys of a window', () => {
  const table = { layer: 'silver', name: 'events_cleaned' } as const;

  it('name the layer, the table and the window', () => {
    const keys = [
      pointerKey(table, '2026-08-21T13'),
      stagedKey(table, '2026-08-21T13', 'v1'),
      checkResultsKey(table, '2026-08-21T13', 'v1'),
    ];
    assert.deepEqual(keys, [
      '_current/silver/events_cleaned/2026-08-21T13.json',
      '_staged/silver/events_cleaned/2026-08-21T13/v1.json',
      'dq_results/silver/events_cleaned/2026-08-21T13/v1.parquet',
    ]);
  });

  it('put the quarantine of an hour beside those of its day', () => {
    assert.equal(
      quarantineKey('events', windowOf('2026-08-21T03'), 'v1'),
      'quarantine/events/event_date=2026-08-21/hour=03/v1.parquet',
    );
  });
});

describe('bookmarkKey', () => {
  it('is one for a dataset', () => assert.equal(bookmarkKey('events'), '_bookmark/events.json'));
});

describe('parseBatchName', () => {
  it('property: parse ∘ format = id', () => {
    fc.assert(
      fc.property(topics, fc.nat(99), numbers, (topic, partition, number) => {
        const batch = { log: logName(topic, partition), number };
        assert.deepEqual(parseBatchName(batchName(batch)), batch);
      }),
    );
  });

  it('refuses what names no batch', () => {
    for (const text of ['', 'clicks-0', 'clicks-000000000007', 'clicks-0-7']) {
      assert.equal(parseBatchName(text), null, text);
    }
  });
});

describe('dead letters', () => {
  it('lie in the folder of their ingest hour, and their key names their batch', () => {
    const key = deadLettersKey(place);
    assert.ok(key.startsWith(deadLettersFolder('events', place.ingestTimeMs)));
    assert.equal(batchOfDeadLettersKey(key), batchName(place));
    assert.equal(batchOfDeadLettersKey('dead_letters/events/note.txt'), null);
  });
});

describe('redrive keys', () => {
  const redrive = { dataset: 'events', batch: batchName(place), offset: '4711' };

  it('lie beside each other, and say what they are', () => {
    const claim = redriveClaimKey(redrive, 2);
    const sent = redriveSentKey(redrive, 2);
    assert.equal(claim, '_redrive/events/clicks-0-000000000007/4711/000002.json');
    assert.equal(sent, '_redrive/events/clicks-0-000000000007/4711/000002.sent.json');
    assert.ok([claim, sent].every((key) => key.startsWith(redriveFolder(redrive))));
    const parsed = { batch: redrive.batch, offset: '4711', attempt: 2 };
    assert.deepEqual(parseRedriveKey(claim), { ...parsed, kind: 'claim' });
    assert.deepEqual(parseRedriveKey(sent), { ...parsed, kind: 'sent' });
    assert.equal(parseRedriveKey(`${claim}.bak`), null);
  });
});
