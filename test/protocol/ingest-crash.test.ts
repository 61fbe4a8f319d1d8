import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Scheduler } from 'fast-check';
import { IngotError } from '../../src/errors.ts';
import type { ObjectStore } from '../../src/ports.ts';
import {
  Crash,
  aroundStore,
  crashingStore,
  forgetfulStore,
  recordingStore,
} from '../support/around-store.ts';
import { randomCases } from '../support/random-cases.ts';
import {
  type IngestBed,
  checkLake,
  createIngestBed,
  ingestAll,
  openLog,
  produce,
  writerDeps,
} from '../activities-unit/support/ingest-bed.ts';

/*
 * Promise 1: nothing lost, nothing twice, whatever is killed or started twice. A process dies at
 * every single operation on the object store; two writers take every turn that a schedule can give
 * them. INGOT_TEST_CASES=100 tries more schedules.
 */

const schedules = randomCases(20);

async function bedWith(records: number): Promise<IngestBed> {
  const bed = createIngestBed();
  await produce(bed, records);
  return bed;
}

/** How many operations a life takes that nobody disturbs. */
async function countSteps(records: number, batchSize: number): Promise<number> {
  const bed = await bedWith(records);
  const { store, steps } = recordingStore(bed.objects);
  await ingestAll(bed, writerDeps(bed, 'one', { objects: store }), batchSize);
  return steps.length;
}

describe('a writer that dies', () => {
  for (const when of ['before', 'after'] as const) {
    it(`leaves a log that the next one completes, at every operation, just ${when} it`, async () => {
      const total = await countSteps(13, 5);
      assert.ok(total > 15, `${total} operations`);
      for (let at = 0; at < total; at += 1) {
        const bed = await bedWith(13);
        const dying = crashingStore(bed.objects, { at, when });
        const one = writerDeps(bed, 'one', { objects: dying });
        await assert.rejects(ingestAll(bed, one, 5), Crash);
        bed.clock.nowMs += 60_000;
        await ingestAll(bed, writerDeps(bed, 'two'), 4);
        await checkLake(bed);
      }
    });
  }

  it('property: any number of deaths in a row', async () => {
    const deaths = fc.array(
      fc.record({ at: fc.nat(40), when: fc.constantFrom('before' as const, 'after' as const) }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(deaths, fc.integer({ min: 1, max: 7 }), async (list, batchSize) => {
        const bed = await bedWith(13);
        for (const [life, death] of list.entries()) {
          const objects = crashingStore(bed.objects, death);
          const deps = writerDeps(bed, `life ${life}`, { objects });
          await ingestAll(bed, deps, batchSize + life).catch(ignoreCrash);
        }
        await ingestAll(bed, writerDeps(bed, 'last'), batchSize);
        await checkLake(bed);
      }),
      { numRuns: schedules },
    );
  });

  it('leaves a log that the next one completes without Kafka, once the raw copy was written', async () => {
    const bed = await bedWith(10);
    const total = await countSteps(10, 10);
    for (let at = 0; at < total; at += 1) {
      const again = await bedWith(10);
      const dying = crashingStore(again.objects, { at, when: 'after' });
      await ingestAll(again, writerDeps(again, 'one', { objects: dying }), 10).catch(ignoreCrash);
      const hasRaw = (await again.objects.listObjects('raw/')).length > 0;
      again.source.setOffsetStart('clicks', 0, '10');
      if (!hasRaw) continue;
      const { open } = await openLog(again, writerDeps(again, 'two'));
      assert.equal(open.state.offsetNext, '10');
      // The topic as it was tells what must lie there.
      await checkLake({ ...again, source: bed.source });
    }
  });
});

describe('a lost answer', () => {
  const keys = [
    /_log.*000\.json$/,
    /_log.*001\.json$/,
    /^raw/,
    /^bronze/,
    /^dead_letters/,
    /seal\.json$/,
  ];
  for (const key of keys) {
    it(`of the create of ${String(key)} that the client asked for again changes nothing`, async () => {
      const bed = await bedWith(10);
      const objects = forgetfulStore(bed.objects, { key, answer: 'alreadyExists' });
      await ingestAll(bed, writerDeps(bed, 'one', { objects }), 4);
      const { entries } = await checkLake(bed);
      assert.ok(entries.every(({ writer }) => writer === 'one'));
      assert.equal(entries.filter(({ kind }) => kind === 'takeover').length, 1);
    });

    it(`of the create of ${String(key)} that nobody asked for again ends the writer, not the log`, async () => {
      const bed = await bedWith(10);
      const objects = forgetfulStore(bed.objects, { key, answer: 'throws' });
      await assert.rejects(ingestAll(bed, writerDeps(bed, 'one', { objects }), 4), Crash);
      await ingestAll(bed, writerDeps(bed, 'one again', { objects }), 4);
      await checkLake(bed);
    });
  }
});

/** Lets the schedule say whose operation is next. */
function scheduled(store: ObjectStore, schedule: Scheduler, who: string): ObjectStore {
  return aroundStore(store, (step, run) =>
    schedule.schedule(Promise.resolve(), `${who} ${step.name} ${step.key.slice(-30)}`).then(run),
  );
}

type Fate = { readonly who: string; readonly ended: 'done' | 'replaced' };

/** The life of a writer that may be replaced: whatever else ends it is a fault. */
async function fateOf(bed: IngestBed, schedule: Scheduler, who: string): Promise<Fate> {
  const objects = scheduled(bed.objects, schedule, who);
  try {
    await ingestAll(bed, writerDeps(bed, who, { objects }), who === 'one' ? 3 : 5);
    return { who, ended: 'done' };
  } catch (error) {
    if (error instanceof IngotError && error.code === 'WRITER_REPLACED') {
      return { who, ended: 'replaced' };
    }
    throw error;
  }
}

/** The writers of a log in the order in which they took it over. */
const ownersOf = (entries: Awaited<ReturnType<typeof checkLake>>['entries']) =>
  entries.filter(({ kind }) => kind === 'takeover').map(({ writer }) => writer);

describe('two writers of one log', () => {
  it('property: in every interleaving each record lands once, the last to take over wins, and the other stops', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (schedule) => {
        const bed = await bedWith(12);
        const fates = Promise.all([fateOf(bed, schedule, 'one'), fateOf(bed, schedule, 'two')]);
        await schedule.waitFor(fates);
        const { entries } = await checkLake(bed);
        // One that was overtaken in its takeover has never owned the log.
        const owners = ownersOf(entries);
        assert.equal(new Set(owners).size, owners.length, 'none took over twice');
        const winner = owners.at(-1);
        const loser = winner === 'one' ? 'two' : 'one';
        assert.equal((await fates).find(({ who }) => who === winner)?.ended, 'done');
        const last = entries.findLastIndex(({ writer }) => writer === loser);
        const won = entries.findIndex(
          ({ kind, writer }) => kind === 'takeover' && writer !== loser,
        );
        assert.ok(last < won, 'the one that was replaced planned nothing more');
      }),
      { numRuns: schedules },
    );
  });

  it('property: also while records arrive and one of them dies', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat(60), async (schedule, at) => {
        const bed = await bedWith(6);
        const dying = { ...bed, objects: crashingStore(bed.objects, { at, when: 'after' }) };
        const producing = (async () => {
          for (let round = 0; round < 3; round += 1) {
            await schedule.schedule(Promise.resolve(), 'produce');
            await produce(bed, 3);
          }
        })();
        const fates = Promise.all([
          fateOf(dying, schedule, 'one').catch(ignoreCrash),
          fateOf(bed, schedule, 'two'),
          producing,
        ]);
        await schedule.waitFor(fates);
        await ingestAll(bed, writerDeps(bed, 'three'), 4);
        await checkLake(bed);
      }),
      { numRuns: schedules },
    );
  });

  it('property: three writers that want the log at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (schedule) => {
        const bed = await bedWith(6);
        const all = ['one', 'two', 'three'].map((who) => fateOf(bed, schedule, who));
        await schedule.waitFor(Promise.all(all));
        const owners = ownersOf((await checkLake(bed)).entries);
        assert.equal(new Set(owners).size, owners.length, 'none took over twice');
        const done = (await Promise.all(all)).filter(({ ended }) => ended === 'done');
        assert.ok(
          done.some(({ who }) => who === owners.at(-1)),
          'the last one has it all',
        );
      }),
      { numRuns: schedules },
    );
  });
});

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}
