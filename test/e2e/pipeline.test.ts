import assert from 'node:assert/strict';
import { createGlueClient } from '../../src/adapters/aws-clients.ts';
import { createGlueCatalog } from '../../src/adapters/glue-catalog.ts';
import { catalogTable } from '../../src/activities/catalog-tables.ts';
import type { LakeFigures } from '../../src/activities/figures.ts';
import { readAllPointers } from '../../src/activities/pointers.ts';
import { ask } from '../../src/activities/query.ts';
import { events } from '../../src/datasets/events.ts';
import type { Explanation } from '../../src/lake/explain.ts';
import type { Pointer } from '../../src/lake/pointer.ts';
import { windowAt } from '../../src/lake/window.ts';
import type { Row } from '../../src/ports.ts';
import { type StreamRecord, generateEvents } from '../../src/producer/events.ts';
import { type Expected, expectedFrom, expectedGold, sorted } from './expected.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/*
 * The whole way on real parts: worker processes, Temporal, Kafka, S3 and Glue. What the lake holds is
 * compared with what expected.ts works out from the produced records.
 */

const hourMs = 3_600_000;
const endMs = endOfClosedHours();
const range = {
  start: new Date(endMs - 4 * hourMs).toISOString(),
  end: new Date(endMs).toISOString(),
};

describe('the pipeline', function () {
  this.timeout(480_000);
  let pipeline: Pipeline;
  let sent: StreamRecord[];
  let expected: Expected;
  let figures: LakeFigures;

  before(async () => {
    pipeline = await startPipeline('e2e', { INGEST_SLICE_SECONDS: '10' });
    sent = [
      ...generateEvents({
        profile: 'ecommerce',
        seed: 11,
        ...range,
        count: 3_000,
        rates: { duplicates: 0.07, malformed: 0.03, late: 0.02 },
      }),
    ];
    await pipeline.produce(sent);
    await pipeline.settle();
    expected = expectedFrom(sent);
    figures = await pipeline.figures();
  });

  after(async () => {
    await pipeline.stop();
  });

  it('holds every produced record once, in bronze or in the dead letters', async () => {
    assert.equal(figures.consumption.consumed, sent.length);
    assert.equal(figures.consumption.deadLetters, expected.deadLetters);
    const offsets = await rowsOf(
      'SELECT DISTINCT _partition, _offset FROM events ' +
        'UNION SELECT DISTINCT "partition", "offset" FROM dead_letters',
    );
    assert.equal(offsets.length, sent.length);
  });

  it('accounts for every row, in the whole and in each window', () => {
    assert.equal(figures.identitiesHold, true);
    assert.deepEqual(figures.accounting, {
      bronze: sent.length - expected.deadLetters,
      silver: expected.events.length,
      duplicates: expected.duplicates,
      rejected: expected.rejected,
    });
  });

  it('has the distinct valid events in silver, and no other', async () => {
    const rows = await rowsOf('SELECT event_id, event_type, event_date, hour FROM events_cleaned');
    const found = rows.map(
      (row) => `${row.event_id} ${row.event_type} ${row.event_date}T${row.hour}`,
    );
    const wanted = expected.events.map((e) => `${e.id} ${e.type} ${e.date}T${e.hour}`);
    assert.deepEqual(found.sort(), wanted.sort());
  });

  for (const { name } of events.gold) {
    it(`answers ${name} as the events say`, async () => {
      const wanted = expectedGold(expected.events)[name];
      assert.ok(wanted !== undefined && wanted.length > 0);
      const columns = Object.keys(wanted[0]!);
      const found = await rowsOf(`SELECT ${columns.join(', ')} FROM ${name}`);
      assert.deepEqual(sorted(found, columns), sorted(wanted, columns));
    });
  }

  it('names a rule for every rejected row', async () => {
    const rows = await rowsOf('SELECT rule, reason FROM quarantine');
    assert.equal(rows.length, expected.rejected);
    assert.ok(rows.every(({ rule, reason }) => rule !== '' && reason !== ''));
  });

  it('registers in Glue exactly the folders that the pointers name', async () => {
    const { config, ports } = pipeline;
    const catalog = createGlueCatalog(createGlueClient(config));
    for (const table of [events.silver, ...events.gold]) {
      const target = catalogTable({ id: config.INGOT_ID, bucket: config.lakeBucket }, table);
      const registered = await catalog.listPartitions(target, []);
      const pointers = await readAllPointers(ports.objects, table);
      const files = pointers.flatMap((pointer) => pointer.files);
      const folders = new Set(files.map(({ key }) => key.slice(0, key.lastIndexOf('/') + 1)));
      assert.deepEqual(
        registered.map(({ location }) => location).sort(),
        [...folders].map((folder) => `s3://${config.lakeBucket}/${folder}`).sort(),
      );
      // A reader that lists a registered folder sees one whole version: no file more, none less.
      const listed = await Promise.all([...folders].map((f) => ports.objects.listObjects(f)));
      assert.deepEqual(
        listed
          .flat()
          .map(({ key }) => key)
          .sort(),
        files.map(({ key }) => key).sort(),
      );
    }
  });

  it('lets one event be followed from its answer back to its Kafka offset', async () => {
    const [row] = await rowsOf(
      'SELECT event_id, _topic, _partition, _offset, _batch_id FROM events_cleaned ORDER BY event_id LIMIT 1',
    );
    const { _topic, _partition, _offset } = row!;
    const [record] = await pipeline.readRecord(String(_topic), Number(_partition), String(_offset));
    assert.equal((JSON.parse(record!) as { event_id: string }).event_id, row!.event_id);
  });

  it('explains on the command line why an hour is as it is, and of which batches it was made', async () => {
    const hour = windowAt(endMs - 3 * hourMs, 'hour').id;
    const { stdout } = await pipeline.ingot(['explain', 'events', hour, '--json']);
    const told = JSON.parse(stdout) as Explanation & { silence: string | null; pointer: Pointer };
    assert.equal(told.silence, null);
    assert.ok(['current', 'open'].includes(told.condition), told.now.join(' '));
    assert.match(told.version.join(' '), /It was built because/);
    assert.equal(told.madeFrom.length, Object.keys(told.pointer.logs).length);
    assert.ok(told.madeFrom.some((line) => /^ecommerce-.*: batches \d/.test(line)));
  });

  describe('after late events, with an ingest worker that is ended meanwhile', () => {
    let late: StreamRecord[];
    const lateHour = windowAt(endMs - 3 * hourMs, 'hour');

    before(async () => {
      late = [
        ...generateEvents({
          profile: 'ecommerce',
          seed: 12,
          start: new Date(lateHour.startMs).toISOString(),
          end: new Date(lateHour.endMs).toISOString(),
          count: 2_000,
        }),
      ];
      const producing = pipeline.produce(late);
      await pipeline.restartWorker('ingest');
      await producing;
      await pipeline.restartWorker('transform');
      await pipeline.settle();
      expected = expectedFrom([...sent, ...late]);
      figures = await pipeline.figures();
    });

    it('has lost nothing and doubled nothing', () => {
      assert.equal(figures.consumption.consumed, sent.length + late.length);
      assert.equal(figures.identitiesHold, true);
      assert.equal(figures.accounting.silver, expected.events.length);
    });

    it('has rebuilt the sealed hour and the gold that it touches', async () => {
      for (const name of ['hourly_revenue', 'conversion_funnel', 'user_activity']) {
        const wanted = expectedGold(expected.events)[name]!;
        const columns = Object.keys(wanted[0]!);
        const found = await rowsOf(`SELECT ${columns.join(', ')} FROM ${name}`);
        assert.deepEqual(sorted(found, columns), sorted(wanted, columns), name);
      }
    });
  });

  async function rowsOf(sql: string): Promise<readonly Row[]> {
    const { ports } = pipeline;
    const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
    return (await ask({ ports, dataset: events }, question)).rows;
  }
});
