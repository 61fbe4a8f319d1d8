import assert from 'node:assert/strict';
import fc, { type Scheduler } from 'fast-check';
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
  type DropBed,
  createDropBed,
  drop,
  dropAll,
  dropDeps,
  jsonLines,
  linesOf,
  prefix,
  readDropLake,
} from '../activities-unit/support/drop-bed.ts';

/*
 * Promise 1 for the drop folder: each line of each object once, whatever is killed or started twice.
 * A process dies at every single operation on the object store; two writers take every turn that a
 * schedule can give them. INGOT_TEST_CASES=100 tries more schedules.
 */

const schedules = randomCases(20);

async function bedWithFiles(): Promise<DropBed> {
  const bed = createDropBed();
  await drop(bed, 'a.json.gz', jsonLines(0, 7));
  await drop(bed, 'b.csv', csvOf(4));
  await drop(bed, 'c.jsonl', '');
  await drop(bed, 'd.json.gz', jsonLines(100, 3));
  return bed;
}

function csvOf(rows: number): string {
  const lines = Array.from({ length: rows }, (_, index) => `c${index},2026-08-21T13:00:00Z`);
  return ['event_id,timestamp', ...lines, 'one,field,too many', ''].join('\n');
}

/** Lines that hold something, counted from 0; the header of a CSV file holds no record. */
const wanted = [
  ...[0, 1, 2, 3, 4, 5, 6].map((line) => `${prefix}a.json.gz ${line}`),
  ...[1, 2, 3, 4, 5].map((line) => `${prefix}b.csv ${line}`),
  ...[0, 1, 2].map((line) => `${prefix}d.json.gz ${line}`),
];

async function checkWhole(bed: DropBed): Promise<Awaited<ReturnType<typeof readDropLake>>> {
  const lake = await readDropLake(bed);
  assert.deepEqual([...linesOf(lake)].sort(), [...wanted].sort(), 'each line once');
  assert.equal(lake.letters.length, 2, 'only what cannot be placed is a dead letter');
  assert.equal((await bed.objects.listObjects('_drop/events/taken/')).length, 4);
  return lake;
}

describe('a writer of the drop folder that dies', function () {
  // Some hundred lives of a writer, on a machine that does other things as well.
  this.timeout(360_000);

  for (const when of ['before', 'after'] as const) {
    it(`leaves a log that the next one completes, at every operation, just ${when} it`, async () => {
      const first = await bedWithFiles();
      const { store, steps } = recordingStore(first.objects);
      await dropAll(dropDeps(first, 'one', { objects: store, rowsMax: 3 }));
      await checkWhole(first);
      assert.ok(steps.length > 30, `${steps.length} operations`);
      for (let at = 0; at < steps.length; at += 1) {
        const bed = await bedWithFiles();
        const objects = crashingStore(bed.objects, { at, when });
        await assert.rejects(dropAll(dropDeps(bed, 'one', { objects, rowsMax: 3 })), Crash);
        bed.clock.nowMs += 60_000;
        await dropAll(dropDeps(bed, 'two', { rowsMax: 2 }));
        await checkWhole(bed);
      }
    });
  }

  it('property: any number of deaths in a row', async () => {
    const deaths = fc.array(
      fc.record({ at: fc.nat(60), when: fc.constantFrom('before' as const, 'after' as const) }),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(deaths, fc.integer({ min: 1, max: 7 }), async (list, rowsMax) => {
        const bed = await bedWithFiles();
        for (const [life, death] of list.entries()) {
          const objects = crashingStore(bed.objects, death);
          const deps = dropDeps(bed, `life ${life}`, { objects, rowsMax: rowsMax + life });
          await dropAll(deps).catch(ignoreCrash);
        }
        await dropAll(dropDeps(bed, 'last', { rowsMax }));
        await checkWhole(bed);
      }),
      { numRuns: schedules },
    );
  });
});

describe('a lost answer of the drop folder', () => {
  const keys = [
    /_log.*000\.json$/,
    /_log.*001\.json$/,
    /^bronze/,
    /^dead_letters/,
    /seal\.json$/,
    /taken/,
  ];
  for (const key of keys) {
    it(`of the create of ${String(key)} that the client asked for again changes nothing`, async () => {
      const bed = await bedWithFiles();
      const objects = forgetfulStore(bed.objects, { key, answer: 'alreadyExists' });
      await dropAll(dropDeps(bed, 'one', { objects, rowsMax: 3 }));
      const { entries } = await checkWhole(bed);
      assert.equal(entries.filter(({ kind }) => kind === 'takeover').length, 1);
    });
  }
});

describe('two writers of the drop folder', function () {
  this.timeout(360_000);

  it('property: in every interleaving each line lands once, and the one that is replaced stops', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (schedule) => {
        const bed = await bedWithFiles();
        const fates = Promise.all([fateOf(bed, schedule, 'one'), fateOf(bed, schedule, 'two')]);
        await schedule.waitFor(fates);
        const { entries } = await checkWhole(bed);
        const owners = entries.filter(({ kind }) => kind === 'takeover');
        // One that finds a faster newcomer leaves the log to it.
        assert.ok(owners.length === 1 || owners.length === 2);
        const ended = Object.fromEntries(await fates);
        assert.equal(ended[owners.at(-1)!.writer], 'done');
      }),
      { numRuns: schedules },
    );
  });
});

async function fateOf(
  bed: DropBed,
  schedule: Scheduler,
  who: string,
): Promise<readonly [string, 'done' | 'replaced']> {
  const objects: ObjectStore = aroundStore(bed.objects, (step, run) =>
    schedule.schedule(Promise.resolve(), `${who} ${step.name} ${step.key.slice(-30)}`).then(run),
  );
  try {
    await dropAll(dropDeps(bed, who, { objects, rowsMax: who === 'one' ? 3 : 5 }));
    return [who, 'done'];
  } catch (error) {
    if (error instanceof IngotError && error.code === 'WRITER_REPLACED') return [who, 'replaced'];
    throw error;
  }
}

function ignoreCrash(error: unknown): void {
  if (!(error instanceof Crash)) throw error;
}
