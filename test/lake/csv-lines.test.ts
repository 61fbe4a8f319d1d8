import assert from 'node:assert/strict';
import fc from 'fast-check';
import { events } from '../../src/datasets/events.ts';
import { createCsvLines } from '../../src/lake/csv-lines.ts';
import type { DroppedLine, LineReader } from '../../src/lake/dropped-object.ts';
import { createJsonLines } from '../../src/lake/json-lines.ts';

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (bytes: Uint8Array | null) =>
  bytes === null ? null : Buffer.from(bytes).toString('utf8');

function csvReader(lineBytesMax = 10_000): LineReader {
  const { fields, placement: rule } = events;
  return createCsvLines({ fields, rule, lineBytesMax });
}

/** Feeds the bytes in pieces that end at these places. */
function readAll(
  reader: LineReader,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  broken: string | null = null,
): readonly DroppedLine[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort(
    (a, b) => a - b,
  );
  const found = places
    .slice(1)
    .flatMap((end, index) => reader.push(bytes.slice(places[index], end)));
  return [...found, ...reader.end(broken)];
}

const shown = (lines: readonly DroppedLine[]) =>
  lines.map((line) =>
    line.kind === 'record'
      ? `${line.line} ${textOf(line.value)}`
      : `${line.line} ${line.reason} ${textOf(line.value)}`,
  );

const readCsv = (text: string, lineBytesMax?: number) =>
  shown(readAll(csvReader(lineBytesMax), bytesOf(text)));

const header = 'event_id,timestamp,price,quantity,product_name';
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

describe('createCsvLines', () => {
  it('makes a record of each row, typed as its columns are, with null for an empty field', () => {
    assert.deepEqual(readCsv(`${header}\ne1,2026-08-21T13:00:00Z,12.50,2,Lamp\ne2,x,,,\n`), [
      '1 {"event_id":"e1","timestamp":"2026-08-21T13:00:00Z","price":12.50,"quantity":2,"product_name":"Lamp"}',
      '2 {"event_id":"e2","timestamp":"x","price":null,"quantity":null,"product_name":null}',
    ]);
  });

  it('leaves what is no number as text, for silver to judge', () => {
    const [line] = readCsv(`${header}\ne1,t,12 EUR,007,x\n`);
    assert.match(line!, /"price":"12 EUR","quantity":"007"/);
  });

  it('takes a column by the name that it has in the lake, and hands on one that the contract lacks', () => {
    const [line] = readCsv('event_id,event_ts,colour\ne1,2026-08-21T13:00:00Z,7\n');
    assert.equal(line, '1 {"event_id":"e1","timestamp":"2026-08-21T13:00:00Z","colour":"7"}');
  });

  it('reads quotes, commas and line ends inside of them, and counts lines as an editor does', () => {
    assert.deepEqual(readCsv('event_id,timestamp,product_name\r\na,t,"x,\r\n""y"""\r\nb,t,z'), [
      '1 {"event_id":"a","timestamp":"t","product_name":"x,\\r\\n\\"y\\""}',
      '3 {"event_id":"b","timestamp":"t","product_name":"z"}',
    ]);
  });

  it('gives up one line for a row with other columns, and goes on', () => {
    assert.deepEqual(readCsv('event_id,timestamp\na,t,more\nb\nc,t\n'), [
      '1 CSV_BROKEN a,t,more',
      '2 CSV_BROKEN b',
      '3 {"event_id":"c","timestamp":"t"}',
    ]);
  });

  it('gives up one line for a stray quote, not the rest of the file', () => {
    assert.deepEqual(readCsv('event_id,timestamp\n"a,t\nb,t\n"c",t\nd,t\n'), [
      '1 CSV_BROKEN "a,t',
      '2 {"event_id":"b","timestamp":"t"}',
      '3 {"event_id":"c","timestamp":"t"}',
      '4 {"event_id":"d","timestamp":"t"}',
    ]);
    assert.deepEqual(readCsv('event_id,timestamp\na,"t\nb,t'), [
      '1 CSV_BROKEN a,"t',
      '2 {"event_id":"b","timestamp":"t"}',
    ]);
  });

  it('gives up a line that is not UTF-8', () => {
    const bytes = Buffer.concat([
      bytesOf('event_id,timestamp\na,'),
      Buffer.from([0xc3, 0x28]),
      bytesOf('\nb,t\n'),
    ]);
    const found = readAll(csvReader(), new Uint8Array(bytes));
    assert.deepEqual(
      found.map((line) => (line.kind === 'fault' ? line.reason : line.line)),
      ['NOT_UTF8', 2],
    );
  });

  it('gives up the whole file without id or event time, with a column twice, or with other separators', () => {
    for (const first of ['event_id,price', 'event_id,timestamp,timestamp', 'event_id;timestamp']) {
      const reader = csvReader();
      const found = readAll(reader, bytesOf(`${first}\na,b\nc,d\n`));
      assert.deepEqual(shown(found), [`0 OBJECT_UNREADABLE ${first}`]);
      assert.equal(reader.isOver(), true);
    }
  });

  it('finds nothing in a file that is empty, blank or only a header', () => {
    for (const text of ['', '\n\r\n', `${header}`, `${header}\r\n`, `\n${header}\n\n`]) {
      assert.deepEqual(readCsv(text), []);
    }
  });

  it('cuts a row that is too large, and goes on behind it', () => {
    const long = `e1,${'x'.repeat(100)}`;
    assert.deepEqual(readCsv(`event_id,timestamp\n${long}\ne2,t\n`, 40), [
      `1 TOO_LARGE ${long.slice(0, 40)}`,
      '2 {"event_id":"e2","timestamp":"t"}',
    ]);
    const reader = csvReader(40);
    assert.deepEqual(shown(readAll(reader, bytesOf(`event_id,timestamp\n${long}`), [50, 60])), [
      `1 TOO_LARGE ${long.slice(0, 40)}`,
    ]);
    assert.equal(reader.lines(), 2);
  });

  it('keeps what is left of a row in which the file ends', () => {
    const reader = csvReader();
    const found = readAll(reader, bytesOf('event_id,timestamp\na,t\nb,'), [], 'cut off');
    assert.deepEqual(shown(found), ['1 {"event_id":"a","timestamp":"t"}', '2 OBJECT_TRUNCATED b,']);
    assert.equal(reader.lines(), 3);
  });

  it('property: reads back whatever was written, however the bytes arrive', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r', ' ', '😀') });
    const rows = fc.array(fc.tuple(text, text, text), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        rows,
        fc.array(fc.nat(400)),
        fc.constantFrom('\n', '\r\n'),
        (table, cuts, end) => {
          const lines = table.map((row) => row.map(quoted).join(','));
          const file = ['event_id,timestamp,location', ...lines, ''].join(end);
          const found = readAll(csvReader(), bytesOf(file), cuts);
          const values = found.map((line) => JSON.parse(textOf(line.value) ?? '') as object);
          const wanted = table.map((row) => row.map((value) => (value === '' ? null : value)));
          assert.deepEqual(
            values.map((value) => Object.values(value) as unknown[]),
            wanted,
          );
          const starts = found.map(({ line }) => line);
          assert.deepEqual(
            starts,
            [...new Set(starts)].sort((a, b) => a - b),
            'lines ascend',
          );
        },
      ),
    );
  });

  it('property: any bytes give the same lines however they arrive, each line once at most', () => {
    const unit = fc.constantFrom('a', '"', ',', '\n', '\r\n', 'xyz', '""');
    const text = fc.string({ unit, maxLength: 60 });
    fc.assert(
      fc.property(
        text,
        fc.array(fc.nat(100)),
        fc.integer({ min: 5, max: 40 }),
        (body, cuts, max) => {
          const file = bytesOf(`event_id,timestamp\n${body}`);
          const one = csvReader(Math.max(max, 20));
          const whole = readAll(one, file);
          const two = csvReader(Math.max(max, 20));
          assert.deepEqual(shown(readAll(two, file, cuts)).map(placeOf), shown(whole).map(placeOf));
          assert.equal(two.lines(), one.lines());
          const starts = whole.map(({ line }) => line);
          assert.deepEqual(
            starts,
            [...new Set(starts)].sort((a, b) => a - b),
          );
          assert.ok(starts.every((line) => line < one.lines()));
        },
      ),
    );
  });
});

const placeOf = (text: string) => text.split(' ').slice(0, 2).join(' ');

describe('createJsonLines', () => {
  const read = (
    text: string,
    max = 1_000,
    cuts: readonly number[] = [],
    broken: string | null = null,
  ) => shown(readAll(createJsonLines({ lineBytesMax: max }), bytesOf(text), cuts, broken));

  it('makes a record of each line that holds something, whatever ends it', () => {
    assert.deepEqual(read('{"a":1}\r\n\n  \n{"b":2}'), ['0 {"a":1}', '3 {"b":2}']);
  });

  it('cuts a line that is too large, and goes on behind it', () => {
    assert.deepEqual(read(`${'x'.repeat(30)}\nnext\n`, 10, [3, 15]), [
      `0 TOO_LARGE ${'x'.repeat(10)}`,
      '1 next',
    ]);
  });

  it('tells of the line in which the bytes end, and of an end between lines', () => {
    assert.deepEqual(read('one\ntwo\nthr', 100, [], 'cut'), [
      '0 one',
      '1 two',
      '2 OBJECT_TRUNCATED thr',
    ]);
    assert.deepEqual(read('one\n', 100, [], 'cut'), ['0 one', '1 OBJECT_TRUNCATED null']);
  });

  it('property: gives back the lines, however the bytes arrive', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '{', ' ', '"') });
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
        const found = read(lines.join('\n'), 1_000, cuts);
        const wanted = lines.map((text, index) => `${index} ${text}`);
        assert.deepEqual(
          found,
          wanted.filter((_, index) => lines[index]!.trim() !== ''),
        );
      }),
    );
  });
});
