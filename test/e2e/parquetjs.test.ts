import assert from 'node:assert/strict';
import { readJson } from '../../src/activities/json-objects.ts';
import { ask } from '../../src/activities/query.ts';
import { events } from '../../src/datasets/events.ts';
import { logEntryKey, logName } from '../../src/lake/paths.ts';
import type { PlanEntry } from '../../src/lake/source-log.ts';
import { type StreamRecord, generateEvents } from '../../src/producer/events.ts';
import { type Expected, expectedFrom, expectedGold, sorted } from './expected.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/* Where no native engine is at hand to write bronze: parquetjs writes it, and all the rest goes on. */

const hourMs = 3_600_000;
const endMs = endOfClosedHours();

describe('the pipeline with bronze by parquetjs', function () {
  this.timeout(480_000);
  let pipeline: Pipeline;
  let sent: readonly StreamRecord[];
  let expected: Expected;

  before(async () => {
    pipeline = await startPipeline('pjs', { BRONZE_ENCODER: 'parquetjs' });
    sent = [
      ...generateEvents({
        ...{ profile: 'ecommerce', seed: 12, count: 900 },
        start: new Date(endMs - 2 * hourMs).toISOString(),
        end: new Date(endMs).toISOString(),
        rates: { duplicates: 0.07, malformed: 0.05, late: 0.02 },
      }),
    ];
    await pipeline.produce(sent);
    await pipeline.settle();
    expected = expectedFrom(sent);
  });

  after(() => pipeline.stop());

  it('was written by parquetjs, as every plan says', async () => {
    const topic = pipeline.config.KAFKA_TOPICS;
    let plans = 0;
    for (let number = 0; number < 4; number += 1) {
      const key = logEntryKey(events.name, logName(topic, 0), number);
      const entry = (await readJson<PlanEntry>(pipeline.ports.objects, key))?.value;
      if (entry?.kind !== 'plan') continue;
      plans += 1;
      assert.match(entry.encoder, /^parquetjs/);
    }
    assert.ok(plans > 0);
  });

  it('accounts for every record', async () => {
    const { accounting, consumption, identitiesHold } = await pipeline.figures();
    assert.equal(identitiesHold, true);
    assert.equal(consumption.consumed, sent.length);
    assert.deepEqual(accounting, {
      bronze: sent.length - expected.deadLetters,
      silver: expected.events.length,
      duplicates: expected.duplicates,
      rejected: expected.rejected,
    });
  });

  it('answers every gold table as the events say', async () => {
    const wanted = expectedGold(expected.events);
    for (const { name } of events.gold) {
      const columns = Object.keys(wanted[name]![0]!);
      const sql = `SELECT ${columns.join(', ')} FROM ${name}`;
      const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
      const { rows } = await ask({ ports: pipeline.ports, dataset: events }, question);
      assert.deepEqual(sorted(rows, columns), sorted(wanted[name]!, columns), name);
    }
  });
});
