import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { events } from '../../src/datasets/events.ts';
import { createCsvLines } from '../../src/lake/csv-lines.ts';
import {
  type DropFile,
  type DropFilesOptions,
  dropFiles,
  encodeDropFile,
  writeDropFile,
} from '../../src/producer/drop-files.ts';

const startMs = Date.UTC(2026, 7, 21, 13);
const options: DropFilesOptions = {
  seed: 1,
  startMs,
  endMs: startMs + 2 * 3_600_000,
  intervalMinutes: 5,
  eventsMin: 500_000,
  eventsMax: 750_000,
  duplicatesMin: 0.05,
  duplicatesMax: 0.1,
  scale: 0.001,
  format: 'jsonl',
};
const fields = events.fields.map(({ wireName }) => wireName);
const writing = {
  fields,
  onProgress: () => undefined,
  signal: new AbortController().signal,
};
const first = (format: DropFilesOptions['format'] = 'jsonl'): DropFile =>
  dropFiles({ ...options, format })[0]!;

async function eventsOf(file: DropFile): Promise<readonly Record<string, unknown>[]> {
  const { bytes } = await encodeDropFile(file, writing);
  const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('dropFiles', () => {
  it('makes 24 files of two hours, whose names sort as their times do', () => {
    const names = dropFiles(options).map(({ name }) => name);
    assert.equal(names.length, 24);
    assert.equal(names[0], 'dt=2026-08-21/events-20260821T130000Z.json.gz');
    assert.deepEqual(names, [...names].sort());
  });

  it('gives each 500,000 to 750,000 events by the scale, not all the same', () => {
    const counts = dropFiles(options).map(({ records }) => records);
    assert.ok(counts.every((count) => count >= 500 && count <= 750));
    assert.ok(new Set(counts).size > 10);
  });

  it('makes the same file however long the range is, and another one by another seed', async () => {
    const alone = dropFiles({ ...options, startMs: startMs + 300_000, endMs: startMs + 600_000 });
    assert.deepEqual(alone[0], dropFiles(options)[1]);
    const { bytes } = await encodeDropFile(first(), writing);
    assert.deepEqual((await encodeDropFile(first(), writing)).bytes, bytes);
    const other = dropFiles({ ...options, seed: 2 })[0]!;
    assert.notDeepEqual((await encodeDropFile(other, writing)).bytes, bytes);
  });
});

describe('a dropped file', () => {
  it('holds the events of its interval, of which a twentieth to a tenth are there twice', async () => {
    const all: Record<string, unknown>[] = [];
    const files = dropFiles({ ...options, scale: 0.0003 });
    for (const file of files) all.push(...(await eventsOf(file)));
    const ids = new Set(all.map(({ event_id }) => event_id));
    const share = 1 - ids.size / all.length;
    assert.ok(share > 0.05 && share < 0.1, `${share}`);
    const [file] = files;
    for (const { timestamp } of await eventsOf(file!)) {
      const ms = Date.parse(String(timestamp));
      assert.ok(ms >= file!.startMs && ms < file!.endMs);
    }
  });

  it('says the same as CSV, in the fields of the contract', async () => {
    const { bytes } = await encodeDropFile(first('csv'), writing);
    const rule = events.placement;
    const reader = createCsvLines({ fields: events.fields, rule, lineBytesMax: 10_000 });
    const lines = [...reader.push(new Uint8Array(gunzipSync(bytes))), ...reader.end(null)];
    const found = lines.map(({ value }) => {
      const record = JSON.parse(Buffer.from(value!).toString()) as Record<string, unknown>;
      return Object.fromEntries(Object.entries(record).filter(([, field]) => field !== null));
    });
    // Fields that the contract does not know have no column.
    const wanted = (await eventsOf(first())).map((event) =>
      Object.fromEntries(Object.entries(event).filter(([name]) => fields.includes(name))),
    );
    assert.deepEqual(found, wanted);
  });

  it('has its name in a folder only once it is whole', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ingot-files-'));
    try {
      const abort = new AbortController();
      abort.abort();
      await assert.rejects(writeDropFile(first(), folder, { ...writing, signal: abort.signal }));
      const names = await readdir(folder, { recursive: true });
      assert.ok(!names.some((name) => name.endsWith('.gz')));
      const { bytes } = await writeDropFile(first(), folder, writing);
      const written = await readFile(join(folder, first().name));
      assert.equal(written.byteLength, bytes);
      assert.deepEqual(
        new Uint8Array(written),
        new Uint8Array((await encodeDropFile(first(), writing)).bytes),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
