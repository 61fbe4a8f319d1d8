import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { decide } from '../../src/activities/drop-index.ts';
import type { DropVerdict } from '../../src/lake/drop.ts';
import { recordingStore } from '../support/around-store.ts';
import {
  type DropBed,
  type Odd,
  createDropBed,
  drop,
  dropAll,
  dropBytes,
  dropDeps,
  jsonLines,
  linesOf,
  prefix,
  readDropLake,
} from './support/drop-bed.ts';
import { valueOf } from './support/ingest-bed.ts';

/* What becomes of everything that people drop, on a store in memory. */

const eventLine = (id: string) => `{"event_id":"${id}","timestamp":"2026-08-21T13:00:00Z"}`;
const idsOf = (rows: readonly { readonly event_id?: unknown }[]) =>
  rows.map(({ event_id }) => String(event_id));

async function lettersOf(bed: DropBed): Promise<readonly string[]> {
  const { letters } = await readDropLake(bed);
  return letters.map(({ reason, detail }) => `${String(reason)} ${String(detail)}`);
}

async function put(bed: DropBed, verdict: DropVerdict, key: string): Promise<void> {
  const head = await bed.objects.headObject(key);
  const time = '2026-08-21T14:00:00.000Z';
  await decide(bed.objects, 'events', {
    schema: 1,
    key,
    etag: head!.etag,
    verdict,
    author: 'ann',
    reason: 'asked for',
    time,
  });
}

describe('what is dropped', function () {
  this.timeout(180_000);

  it('comes to bronze with the object that it came from, and to dead letters with its line', async () => {
    const bed = createDropBed();
    await drop(bed, 'a.json.gz', `${eventLine('one')}\nnonsense\n${eventLine('two')}\n`);
    await dropAll(dropDeps(bed, 'one'));
    const { bronze } = await readDropLake(bed);
    assert.deepEqual(
      bronze.map((row) => [row['event_id'], row['_source'], row['_source_file'], row['_topic']]),
      [
        ['one', 's3', `${prefix}a.json.gz`, 'drop'],
        ['two', 's3', `${prefix}a.json.gz`, 'drop'],
      ],
    );
    const [letter] = await lettersOf(bed);
    assert.match(letter!, /^NOT_JSON landing\/events\/a\.json\.gz line 2: /);
  });

  it('is split into batches by rows, the last of which is never empty', async () => {
    const bed = createDropBed();
    await drop(bed, 'a.jsonl', jsonLines(0, 6));
    await dropAll(dropDeps(bed, 'one', { rowsMax: 3 }));
    const { entries } = await readDropLake(bed);
    const parts = entries.flatMap((entry) => (entry.kind === 'plan' ? [entry.object!] : []));
    assert.deepEqual(
      parts.map(({ lineFirst, lineEnd, ends }) => [lineFirst, lineEnd, ends]),
      [
        [0, 3, false],
        [3, 6, true],
      ],
    );
  });

  it('counts up to where a truncated file ends, and tells of the rest', async () => {
    const bed = createDropBed();
    const whole = gzipSync(Buffer.from(jsonLines(0, 4_000)));
    await dropBytes(bed, 'a.json.gz', whole.subarray(0, whole.byteLength - 2_000));
    await drop(bed, 'b.json.gz', eventLine('next'));
    await dropAll(dropDeps(bed, 'one', { rowsMax: 1_500 }));
    const lake = await readDropLake(bed);
    const letters = lake.letters.filter(({ reason }) => reason === 'OBJECT_TRUNCATED');
    assert.equal(letters.length, 1);
    const line = /line (\d+): the gzip data end/.exec(String(letters[0]!['detail']))![1];
    const fromA = linesOf(lake).filter((place) => place.startsWith(`${prefix}a.json.gz `));
    assert.equal(fromA.length, Number(line), 'each line before it, and itself');
    assert.ok(fromA.length > 2_000);
    assert.ok(idsOf(lake.bronze).includes('next'), 'the lane goes on');
  });

  it('counts up to a damaged place, and tells of the rest; what is no gzip is one dead letter', async () => {
    const bed = createDropBed();
    const whole = gzipSync(Buffer.from(jsonLines(0, 4_000)));
    whole.fill(255, whole.byteLength >> 1, (whole.byteLength >> 1) + 100);
    await dropBytes(bed, 'a.json.gz', whole);
    await dropBytes(bed, 'b.json.gz', Buffer.from(eventLine('not packed')));
    await dropBytes(bed, 'c.json.gz', new Uint8Array());
    await dropAll(dropDeps(bed, 'one', { rowsMax: 100_000 }));
    const { letters, bronze } = await readDropLake(bed);
    const found = letters.filter(({ reason }) => reason === 'OBJECT_TRUNCATED');
    assert.equal(found.length, 2);
    assert.match(String(found[0]!['detail']), /a\.json\.gz line \d{4}: the gzip data are damaged/);
    assert.match(String(found[1]!['detail']), /b\.json\.gz line 1: the gzip data are damaged/);
    assert.ok(bronze.length > 1_000);
  });

  it('may begin with a byte order mark; UTF-16 is refused as a whole', async () => {
    const bed = createDropBed();
    await drop(bed, 'a.jsonl', `\uFEFF${eventLine('one')}\r\n`);
    await drop(bed, 'b.csv', '\uFEFFevent_id,timestamp\r\ntwo,2026-08-21T13:00:00Z\r\n');
    await dropBytes(bed, 'c.csv', Buffer.from('\uFEFFevent_id,timestamp\na,b\n', 'utf16le'));
    await dropAll(dropDeps(bed, 'one'));
    assert.deepEqual(idsOf((await readDropLake(bed)).bronze), ['one', 'two']);
    assert.deepEqual(await lettersOf(bed), [
      'OBJECT_UNREADABLE landing/events/c.csv line 1: the object is UTF-16, wanted UTF-8',
    ]);
  });

  it('is left alone where its name does not say how to read it, and told of once', async () => {
    const bed = createDropBed();
    const odd: Odd[] = [];
    await bed.objects.replaceObject(prefix, new Uint8Array());
    await drop(bed, 'notes.txt', 'hello');
    const { folder } = await dropAll(dropDeps(bed, 'one'), { odd });
    await folder.poll(bed.clock.nowMs);
    assert.deepEqual(odd, [{ key: `${prefix}notes.txt`, kind: 'unknownKind' }]);
    assert.equal(folder.figures().unknownKinds, 1);
    assert.equal((await readDropLake(bed)).entries.length, 1, 'nothing but the takeover');
  });

  it('may have any name', async () => {
    const bed = createDropBed();
    const names = [
      'a b+c%2F&="q".jsonl',
      'é😀\n.jsonl',
      'dt=2026-08-21/x.JSONL',
      `${'n'.repeat(900)}.jsonl`,
    ];
    for (const [index, name] of names.entries()) await drop(bed, name, eventLine(`e${index}`));
    await dropAll(dropDeps(bed, 'one'));
    await dropAll(dropDeps(bed, 'two'));
    const { bronze } = await readDropLake(bed);
    assert.deepEqual(idsOf(bronze).sort(), ['e0', 'e1', 'e2', 'e3']);
  });
});

describe('an object that is dropped again', () => {
  it('with the same content is the same version, and is not taken twice', async () => {
    const bed = createDropBed();
    const key = await drop(bed, 'a.jsonl', eventLine('one'));
    await dropAll(dropDeps(bed, 'one'));
    await bed.objects.deleteObjects([key]);
    await drop(bed, 'a.jsonl', eventLine('one'));
    await dropAll(dropDeps(bed, 'two'));
    assert.equal((await readDropLake(bed)).bronze.length, 1);
  });

  it('with other content waits for a decision, and the others go on', async () => {
    const bed = createDropBed();
    const odd: Odd[] = [];
    const key = await drop(bed, 'a.jsonl', eventLine('one'));
    await dropAll(dropDeps(bed, 'one'));
    await drop(bed, 'a.jsonl', eventLine('other'));
    await drop(bed, 'b.jsonl', eventLine('two'));
    const { folder } = await dropAll(dropDeps(bed, 'two'), { odd });
    assert.deepEqual(odd, [{ key, kind: 'undecided' }]);
    assert.deepEqual(
      folder.figures().undecided.map((object) => object.key),
      [key],
    );
    assert.deepEqual(idsOf((await readDropLake(bed)).bronze), ['one', 'two']);
  });

  for (const [verdict, ids] of [
    ['take', ['one', 'other']],
    ['ignore', ['one']],
  ] as const) {
    it(`is treated once as a person has decided: ${verdict}`, async () => {
      const bed = createDropBed();
      const key = await drop(bed, 'a.jsonl', eventLine('one'));
      await dropAll(dropDeps(bed, 'one'));
      await drop(bed, 'a.jsonl', eventLine('other'));
      await put(bed, verdict, key);
      await dropAll(dropDeps(bed, 'two'));
      const { folder } = await dropAll(dropDeps(bed, 'three'));
      assert.deepEqual(idsOf((await readDropLake(bed)).bronze), ids);
      assert.equal(folder.figures().undecidedCount, 0);
    });
  }

  it('after a decision about one version waits for another one about the next', async () => {
    const bed = createDropBed();
    const key = await drop(bed, 'a.jsonl', eventLine('one'));
    await dropAll(dropDeps(bed, 'one'));
    await drop(bed, 'a.jsonl', eventLine('other'));
    await put(bed, 'take', key);
    await drop(bed, 'a.jsonl', eventLine('third'));
    const { folder } = await dropAll(dropDeps(bed, 'two'));
    assert.equal(folder.figures().undecidedCount, 1);
    assert.deepEqual(idsOf((await readDropLake(bed)).bronze), ['one']);
  });
});

describe('a poll', () => {
  it('costs two listings, however many objects were taken', async () => {
    const bed = createDropBed();
    for (let number = 0; number < 60; number += 1) {
      await drop(bed, `${String(number).padStart(4, '0')}.jsonl`, eventLine(`e${number}`));
    }
    await dropAll(dropDeps(bed, 'one'), { pageKeys: 5 });
    const { store, steps } = recordingStore(bed.objects);
    const { folder } = await dropAll(dropDeps(bed, 'two', { objects: store }), { pageKeys: 5 });
    const before = steps.length;
    await folder.poll(bed.clock.nowMs);
    assert.ok(steps.length - before <= 2, `${steps.length - before} operations`);
  });

  it('finds within one round what arrives before the others in the order of names', async () => {
    const bed = createDropBed();
    for (let number = 0; number < 20; number += 1)
      await drop(bed, `m${number}.jsonl`, valueOf(number));
    const { folder } = await dropAll(dropDeps(bed, 'one'), { pageKeys: 5 });
    await drop(bed, 'a-late-one.jsonl', eventLine('late'));
    const found: string[] = [];
    for (let poll = 0; poll < 6; poll += 1) {
      found.push(...(await folder.poll(bed.clock.nowMs)).take.map(({ key }) => key));
    }
    assert.deepEqual([...new Set(found)], [`${prefix}a-late-one.jsonl`]);
  });
});
