import assert from 'node:assert/strict';
import { sha256 } from '../../src/activities/hash.ts';
import { type OutgoingRecord, lastAttempt, redrive } from '../../src/activities/redrive.ts';
import { createMemoryObjectStore } from '../../src/adapters/memory-object-store.ts';
import { IngotError } from '../../src/errors.ts';
import type { DeadLetter } from '../../src/lake/dead-letters.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { Crash, crashingStore, forgetfulStore, recordingStore } from '../support/around-store.ts';

const letter: DeadLetter = {
  id: 'clicks-1-000000000007/12',
  topic: 'clicks',
  partition: 1,
  offset: '12',
  reason: 'NOT_JSON',
  field: null,
  detail: 'Unexpected token',
  kafkaTime: '2026-08-21T13:00:00.000Z',
  ingestTime: '2026-08-21T13:00:01.000Z',
  key: Buffer.from('k'),
  headers: { trace: [Buffer.from('t')] },
  value: Buffer.from('broken'),
};
const value = Buffer.from('{"mended":true}');

/** A lake, and a topic that remembers what it was sent. */
function createBed() {
  const objects = createMemoryObjectStore();
  const topic: OutgoingRecord[] = [];
  let claims = 0;
  const send = async (record: OutgoingRecord) => {
    topic.push(record);
    return { partition: record.partition, offset: String(100 + topic.length) };
  };
  const run = (options: { force?: boolean; store?: ObjectStore; send?: typeof send } = {}) =>
    redrive(
      {
        objects: options.store ?? objects,
        dataset: 'events',
        send: options.send ?? send,
        author: 'ada',
        uniqueId: () => `claim ${(claims += 1)}`,
        now: () => Date.UTC(2026, 7, 22),
      },
      letter,
      { value, corrected: true, force: options.force === true },
    );
  return { objects, topic, run, send };
}

function refused(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof IngotError, String(error));
    assert.equal(error.code, 'REDRIVE_REFUSED');
    assert.match(error.message, pattern);
    return true;
  };
}

describe('redrive', () => {
  it('sends the value with key, headers and topic partition of the dead letter', async () => {
    const { run, topic } = createBed();
    await run();
    assert.deepEqual(topic, [
      {
        topic: 'clicks',
        partition: 1,
        key: letter.key,
        headers: { ...letter.headers, 'ingot-redrive': [new TextEncoder().encode(letter.id)] },
        value,
      },
    ]);
  });

  it('keeps who sent what, when and where to', async () => {
    const { run, objects } = createBed();
    const sent = await run();
    const { claim, sent: kept } = (await lastAttempt(objects, 'events', letter.id))!;
    assert.deepEqual(kept, sent);
    assert.deepEqual(sent, {
      id: letter.id,
      attempt: 1,
      claimId: 'claim 1',
      time: '2026-08-22T00:00:00.000Z',
      topic: 'clicks',
      partition: 1,
      offset: '101',
    });
    assert.deepEqual(
      { author: claim.author, corrected: claim.corrected, digest: claim.digest },
      { author: 'ada', corrected: true, digest: sha256(value) },
    );
  });

  it('refuses what was sent, and says when and where to', async () => {
    const { run, topic } = createBed();
    await run();
    await assert.rejects(
      run(),
      refused(/was sent at 2026-08-22T00:00:00.000Z by ada.*clicks\/1 at offset 101/),
    );
    assert.equal(topic.length, 1);
  });

  it('refuses what may have been sent when its answer was lost', async () => {
    const { run, topic, send } = createBed();
    const boom = new Error('the connection broke');
    const loses = async (record: OutgoingRecord) => {
      await send(record);
      throw boom;
    };
    await assert.rejects(run({ send: loses }), boom);
    await assert.rejects(run(), refused(/may have been sent at 2026-08-22T00:00:00.000Z by ada/));
    assert.equal(topic.length, 1);
  });

  it('sends again when forced, as the next attempt', async () => {
    const { run, topic, objects } = createBed();
    await run();
    await run({ force: true });
    assert.equal(topic.length, 2);
    assert.equal((await lastAttempt(objects, 'events', letter.id))?.sent?.attempt, 2);
  });

  for (const force of [false, true]) {
    it(`is sent by one of several at once${force ? ', also when all of them force it' : ''}`, async () => {
      const { run, topic } = createBed();
      const ended = await Promise.allSettled([run({ force }), run({ force }), run({ force })]);
      const failed = ended.flatMap((each) =>
        each.status === 'rejected' ? [each.reason as unknown] : [],
      );
      assert.equal(topic.length, 1);
      assert.equal(failed.length, 2);
      failed.forEach((error) => refused(/may have been sent|was sent/)(error));
    });
  }

  for (const answer of ['alreadyExists', 'throws'] as const) {
    it(`knows its own claim again when the answer was lost (${answer})`, async () => {
      const { run, topic, objects } = createBed();
      const store = forgetfulStore(objects, { key: /000001\.json$/, answer });
      if (answer === 'throws') await assert.rejects(run({ store }));
      else await run({ store });
      assert.equal(topic.length, answer === 'throws' ? 0 : 1);
      await assert.rejects(run(), refused(/sent/));
    });
  }

  it('never sends twice without force, wherever it is killed', async () => {
    const whole = createBed();
    const { store, steps } = recordingStore(whole.objects);
    await whole.run({ store });
    assert.ok(steps.length >= 3, 'it lists, claims and confirms');
    for (let at = 0; at < steps.length; at += 1) {
      for (const when of ['before', 'after'] as const) {
        const { run, topic, objects } = createBed();
        const dying = crashingStore(objects, { at, when });
        await assert.rejects(run({ store: dying }), Crash);
        const sentBefore = topic.length;
        await run().catch(refused(/sent/));
        const name = `killed ${when} ${steps[at]!.name} ${steps[at]!.key}`;
        assert.ok(topic.length <= 1, name);
        // What was claimed is refused even if it was not sent: only a person can tell.
        const attempt = await lastAttempt(objects, 'events', letter.id);
        assert.ok(attempt !== null && (attempt.sent === null || sentBefore <= 1), name);
        await run({ force: true });
        assert.ok(topic.length >= 1, name);
      }
    }
  });
});
