import assert from 'node:assert/strict';
import { readPointer } from '../../src/activities/pointers.ts';
import { ask } from '../../src/activities/query.ts';
import { events } from '../../src/datasets/events.ts';
import type { LedgerEntry } from '../../src/lake/ledger.ts';
import { ownerId } from '../../src/lake/messages.ts';
import { pointerKey } from '../../src/lake/paths.ts';
import type { OwnerState } from '../../src/lake/owner-state.ts';
import { windowAt } from '../../src/lake/window.ts';
import { generateEvents } from '../../src/producer/events.ts';
import { connectClient } from '../../src/workers/temporal.ts';
import { eventually } from '../support/temporal/eventually.ts';
import { type Pipeline, endOfClosedHours, startPipeline } from './support.ts';

/* What is built again because a person asks for it, on real parts. */

const hourMs = 3_600_000;

describe('what a person has built again', function () {
  this.timeout(480_000);
  const endMs = endOfClosedHours();
  const lost = windowAt(endMs - 2 * hourMs, 'hour').id;
  const kept = windowAt(endMs - hourMs, 'hour').id;
  let pipeline: Pipeline;
  before(async () => {
    pipeline = await startPipeline('rebuilds');
    const start = new Date(endMs - 2 * hourMs).toISOString();
    const end = new Date(endMs).toISOString();
    const made = generateEvents({ profile: 'ecommerce', seed: 5, start, end, count: 600 });
    await pipeline.produce([...made]);
    await pipeline.settle();
  });
  after(() => pipeline.stop());

  it('is a backfill by a signal: it brings a version back that was lost, makes the other anew, and is named as the cause', async () => {
    const { objects } = pipeline.ports;
    const before = await rows();
    const other = (await readPointer(objects, events.silver, kept))?.value;
    await objects.deleteObjects([pointerKey(events.silver, lost)]);
    const { client, connection } = await connectClient(pipeline.config);
    const owner = client.workflow.getHandle(ownerId(events.name));
    const input = `{"from":"${lost}","to":"${kept}","layers":["silver"],"author":"ops","reason":"a lost pointer"}`;

    await owner.signal('backfill', JSON.parse(input));
    const backfill = await eventually(
      'the end of the backfill',
      async () => {
        const { backfills } = await owner.query<OwnerState>('status');
        return backfills.find(({ ended }) => ended !== null);
      },
      { limitMs: 120_000, everyMs: 500 },
    );
    await connection.close();

    const pointer = await readPointer(objects, events.silver, lost);
    assert.deepEqual(pointer?.value.cause, {
      ...{ kind: 'backfill', id: backfill.id, author: 'ops', reason: 'a lost pointer' },
    });
    const anew = (await readPointer(objects, events.silver, kept))?.value;
    assert.equal(anew?.previous, other?.version, 'what was there is made anew, once');
    assert.deepEqual([anew?.fingerprint, anew?.rows], [other?.fingerprint, other?.rows]);
    assert.deepEqual([backfill.counts.failed, backfill.counts.unchanged], [0, 0]);
    assert.deepEqual(await rows(), before);
  });

  it('is a rewind by the command: every window of the batches is whole again, with the same rows', async () => {
    const before = { rows: await rows(), figures: await pipeline.figures() };
    const positions = await bookmarks();
    const { log } = positions.find(({ routedTo }) => routedTo >= 0) ?? assert.fail('no bookmark');
    const rewind = (to: string) =>
      pipeline.ingot(['bookmark', 'rewind', '--log', log, '--to', to, '--reason', 'new SQL']);

    const refused = [await rewind('999999'), await rewind('noon')];
    const { code, stderr } = await rewind('-1');
    await pipeline.settle();

    assert.deepEqual(
      refused.map((answer) => answer.code),
      [2, 2],
      refused.map((answer) => answer.stderr).join(''),
    );
    assert.equal(code, 0, stderr);
    assert.deepEqual(await rows(), before.rows);
    const { accounting, identitiesHold } = await pipeline.figures();
    assert.deepEqual(accounting, before.figures.accounting);
    assert.equal(identitiesHold, true);
    const reached = new Map((await bookmarks()).map((each) => [each.log, each.routedTo]));
    for (const each of positions) assert.ok(reached.get(each.log)! >= each.routedTo, each.log);
    const history = await json<LedgerEntry[]>(['bookmark', 'history', '--log', log]);
    const told = history.flatMap(({ events: happened }) => happened);
    const rewound = told.filter(({ kind }) => kind === 'rewound');
    assert.equal(rewound.length, 1, 'what was refused leaves no trace');
    assert.ok('reason' in rewound[0]! && rewound[0].reason === 'new SQL');
  });

  type Position = { readonly log: string; readonly routedTo: number };
  const bookmarks = () => json<Position[]>(['bookmark', 'show']);

  async function json<T>(args: readonly string[]): Promise<T> {
    const { stdout, stderr, code } = await pipeline.ingot([...args, '--format', 'json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as T;
  }

  async function rows() {
    const sql = 'SELECT hour, count(*) AS events FROM events_cleaned GROUP BY hour ORDER BY hour';
    const question = { sql, parameters: {}, dateFrom: null, dateTo: null };
    return (await ask({ ports: pipeline.ports, dataset: events }, question)).rows;
  }
});
