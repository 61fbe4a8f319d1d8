import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDuckdbBronzeEncoder } from '../../src/adapters/duckdb-bronze-encoder.ts';
import { createParquetjsCodec } from '../../src/adapters/parquetjs-codec.ts';
import {
  createIngestBed,
  ingestAll,
  produce,
  topic,
  valueOf,
  writerDeps,
} from '../activities-unit/support/ingest-bed.ts';
import { type Produced, checkLake } from '../chaos/support/lake-check.ts';

/* The checker of the chaos tests, against lakes that are broken on purpose: it must complain. */

const records = 12;

/** A lake of three batches of five, five and two records, written by the product itself. */
describe('checkLake', () => {
  let good: ReadonlyMap<string, Uint8Array>;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingot-lake-check-'));
    const bed = createIngestBed();
    await produce(bed, records);
    const deps = writerDeps(bed, 'one');
    const bronze = createDuckdbBronzeEncoder({ threads: 1, memoryMb: 128, cacheDirectory: folder });
    const ports = { ...deps.ports, bronze, rowFiles: createParquetjsCodec() };
    await ingestAll(bed, { ...deps, ports }, 5);
    const files = new Map<string, Uint8Array>();
    for (const { key } of await bed.objects.listObjects('')) {
      files.set(key, (await bed.objects.readObject(key))!.bytes);
    }
    good = files;
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const produced: readonly Produced[] = Array.from({ length: records }, (_, offset) => {
    const value = valueOf(offset);
    const isBroken = value.startsWith('broken');
    return {
      topic,
      partition: 0,
      offset: String(offset),
      goesTo: isBroken ? 'deadLetters' : 'bronze',
      id: isBroken ? null : `e${offset}`,
      value: Buffer.from(value),
    };
  });

  const keyOf = (pattern: RegExp): string =>
    [...good.keys()].find((key) => pattern.test(key)) ?? assert.fail(String(pattern));

  function without(pattern: RegExp): Map<string, Uint8Array> {
    return new Map([...good].filter(([key]) => !pattern.test(key)));
  }

  function changed(pattern: RegExp, change: (text: string) => string): Map<string, Uint8Array> {
    const key = keyOf(pattern);
    const text = change(Buffer.from(good.get(key)!).toString('utf8'));
    return new Map(good).set(key, Buffer.from(text));
  }

  async function complaint(files: ReadonlyMap<string, Uint8Array>): Promise<string> {
    return (await checkLake(files, produced)).problems.join('\n');
  }

  it('finds nothing wrong with a good lake', async () => {
    const { entries, ...verdict } = await checkLake(good, produced);
    assert.deepEqual(verdict, { records: 12, batches: 3, lost: 0, doubled: 0, problems: [] });
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['takeover', 'plan', 'plan', 'plan'],
    );
  });

  it('counts a record that Kafka has and the lake has not', async () => {
    const more: Produced = { ...produced[0]!, offset: '12', id: 'e12' };
    const verdict = await checkLake(good, [...produced, more]);
    assert.equal(verdict.lost, 1);
    assert.match(verdict.problems.join('\n'), /ends at 12, its last record is 12/);
  });

  it('complains of a batch of which everything is gone', async () => {
    const verdict = await checkLake(without(/0000002(\.|$)/), produced);
    assert.equal(verdict.lost, 5);
    assert.match(verdict.problems.join('\n'), /the log has no entry 2/);
  });

  it('complains of a bronze file that is gone', async () => {
    const verdict = await checkLake(without(/^bronze.*02\.parquet/), produced);
    assert.equal(verdict.lost, 4);
    assert.match(verdict.problems.join('\n'), /the bronze file .* is not there/);
  });

  it('complains of dead letters that are gone', async () => {
    assert.equal((await checkLake(without(/^dead_letters.*01\.parquet/), produced)).lost, 1);
  });

  it('complains of a file that lies there twice, which the logs do not show', async () => {
    const key = keyOf(/^bronze.*01\.parquet/);
    const copy = new Map(good).set(key.replace('hour=13', 'hour=14'), good.get(key)!);
    const verdict = await checkLake(copy, produced);
    assert.equal(verdict.doubled, 4);
    assert.match(verdict.problems.join('\n'), /named by no seal: bronze\//);
  });

  it('complains of an orphan in each folder', async () => {
    for (const pattern of [
      /^bronze.*01\.parquet/,
      /^dead_letters.*01\.parquet/,
      /^raw.*01\.jsonl/,
    ]) {
      const key = keyOf(pattern);
      const orphan = key.replace('0000001', '0000009');
      assert.match(
        await complaint(new Map(good).set(orphan, good.get(key)!)),
        new RegExp(`named by no seal: ${orphan}`),
      );
    }
  });

  it('complains of a broken chain of seals', async () => {
    const broken = changed(/02\.seal\.json$/, (text) =>
      text.replace(/"previousSealHash":"./, '"previousSealHash":"x'),
    );
    assert.match(await complaint(broken), /#2: the chain of seals is broken/);
  });

  it('complains of a plan that was changed after its seal', async () => {
    const late = changed(/02\.json$/, (text) => text.replace('"writer":"one"', '"writer":"two"'));
    assert.match(await complaint(late), /#2: the seal is of another plan/);
  });

  it('complains of a plan without a seal', async () => {
    assert.match(await complaint(without(/03\.seal\.json$/)), /#3: is planned and not sealed/);
  });

  it('complains of batches that overlap', async () => {
    const overlapping = changed(/02\.json$/, (text) =>
      text.replace('"offsetFirst":"5"', '"offsetFirst":"4"'),
    );
    assert.match(await complaint(overlapping), /#2: plans from 4, the log was at 5/);
  });

  it('complains of seals that say other figures than their files', async () => {
    const wrong = changed(/01\.seal\.json$/, (text) =>
      text.replace('"rows":4', '"rows":5').replace(/"rawBytes":\d+/, '"rawBytes":1'),
    );
    const problems = await complaint(wrong);
    assert.match(problems, /#1: 5 records are not 5 rows and 1 dead letters/);
    assert.match(problems, /#1: 4 rows, the seal says 5/);
    assert.match(problems, /#1: the raw copy has \d+ bytes, the seal says 1/);
  });

  it('complains of a record that went where it does not belong, or is another one', async () => {
    const told = produced.map((record) =>
      record.offset === '0' ? { ...record, goesTo: 'deadLetters' as const } : record,
    );
    const other = told.map((record) => (record.offset === '1' ? { ...record, id: 'x' } : record));
    const text = (await checkLake(good, other)).problems.join('\n');
    assert.match(text, /clicks\/0\/0 \(in bronze, and cannot be placed\)/);
    assert.match(text, /clicks\/0\/1 \(has the id e1, not x\)/);
  });

  it('complains of a row that nobody has produced', async () => {
    const verdict = await checkLake(good, produced.slice(0, 11));
    assert.match(verdict.problems.join('\n'), /in the lake and never produced: clicks\/0\/11/);
  });

  it('complains of a raw copy that lacks a record', async () => {
    const swapped = new Map(good).set(
      keyOf(/^raw.*01\.jsonl/),
      good.get(keyOf(/^raw.*02\.jsonl/))!,
    );
    assert.match(await complaint(swapped), /#1: the raw copy holds other records than its range/);
  });
});
