import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readAllPointers } from '../../src/activities/pointers.ts';
import { events } from '../../src/datasets/events.ts';
import type { WindowRef } from '../../src/lake/messages.ts';
import { stagedKey } from '../../src/lake/paths.ts';
import { databaseName } from '../../src/lake/table.ts';
import { hourMs } from '../../src/lake/time.ts';
import { Crash, crashingStore } from '../support/around-store.ts';
import { randomCases } from '../support/random-cases.ts';
import {
  type InFlight,
  type JanitorBed,
  buildIdOf,
  createJanitorBed,
  goldOf,
  graceMs,
  keysOf,
  pass,
  publish,
  silverOf,
  stage,
  sweepAll,
} from '../activities-unit/support/janitor-bed.ts';

/*
 * Builds, deaths, readers and the janitor in any order. No pointer loses a file, no build that runs
 * loses what it has read, and no reader loses a file within the grace.
 */

const tables = [events.silver, events.gold.find(({ name }) => name === 'hourly_revenue')!];
const refs = [silverOf('2026-08-21T13'), silverOf('2026-08-21T14'), goldOf('2026-08-21T13')];
const types = ['search', 'purchase', 'page_view'];

type Reader = { readonly sinceMs: number; readonly keys: readonly string[] };

class World {
  readonly bed: JanitorBed = createJanitorBed();
  readonly flights: InFlight[] = [];
  readonly readers: Reader[] = [];

  async begin(ref: WindowRef, kinds: readonly string[], fingerprint: string): Promise<void> {
    if (this.bed.inUse.has(buildIdOf(ref))) return;
    this.bed.inUse.add(buildIdOf(ref));
    const staged = await stage(this.bed, ref, { types: kinds, fingerprint });
    const read = ref.layer === 'gold' ? await this.silverThatGoldReads(ref) : [];
    this.flights.push({ ...staged!, reads: [...staged!.reads, ...read] });
  }

  /** The files of silver, and what was staged for them, which the gate of gold reads. */
  private async silverThatGoldReads({ window }: WindowRef): Promise<readonly string[]> {
    const pointers = await readAllPointers(this.bed.objects, events.silver);
    return pointers
      .filter((pointer) => pointer.window === window)
      .flatMap(({ files, version }) => [
        ...files.map(({ key }) => key),
        stagedKey(events.silver, window, version),
      ]);
  }

  /** The builds' processes have died, and Temporal has given the builds up. */
  async end(isPublished: boolean, isRegistered: boolean): Promise<void> {
    const flight = this.flights.shift();
    if (flight === undefined) return;
    if (isPublished) assert.ok(await publish(this.bed, flight), 'nobody else builds this window');
    if (isRegistered) await this.bed.publisher.registerWindow(flight.ref);
    this.bed.inUse.delete(buildIdOf(flight.ref));
  }

  async read(byCatalog: boolean): Promise<void> {
    const keys = byCatalog ? await this.keysOfCatalog() : await this.keysOfPointers();
    this.readers.push({ sinceMs: this.bed.clock.nowMs, keys });
  }

  private async keysOfPointers(): Promise<readonly string[]> {
    const pointers = await Promise.all(
      tables.map((table) => readAllPointers(this.bed.objects, table)),
    );
    return pointers.flat().flatMap(({ files }) => files.map(({ key }) => key));
  }

  private async keysOfCatalog(): Promise<readonly string[]> {
    const { catalog } = this.bed;
    const keys: string[] = [];
    for (const table of tables) {
      const target = { database: databaseName(table.layer, 'test'), table, location: '' };
      await catalog.ensureTable(target);
      for (const { location } of await catalog.listPartitions(target, [])) {
        keys.push(...(await keysOf(this.bed, location.slice('s3://lake/'.length))));
      }
    }
    return keys;
  }

  async sweep(diesAt: number | null): Promise<void> {
    if (diesAt === null) return void (await sweepAll(this.bed));
    const mortal = crashingStore(this.bed.objects, { at: diesAt, when: 'after' });
    await sweepAll(this.bed, { objects: mortal }).catch((error: unknown) => {
      if (!(error instanceof Crash)) throw error;
    });
  }

  async check(): Promise<void> {
    const there = new Set(await keysOf(this.bed));
    const needed = [
      ...(await this.keysOfPointers()),
      ...this.flights.flatMap(({ reads }) => reads),
      ...this.readers
        .filter(({ sinceMs }) => this.bed.clock.nowMs - sinceMs < graceMs)
        .flatMap(({ keys }) => keys),
    ];
    assert.deepEqual(
      needed.filter((key) => !there.has(key)),
      [],
    );
  }
}

type Step = (world: World) => Promise<void>;

const ref = fc.constantFrom(...refs);
const kinds = fc.subarray(types, { minLength: 1 });
const fingerprint = fc.constantFrom('aaaaaaaaaaaa', 'bbbbbbbbbbbb');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(ref, kinds, fingerprint).map(
    ([window, list, print]): Step =>
      (world) =>
        world.begin(window, list, print),
  ),
  fc.tuple(fc.boolean(), fc.boolean()).map(
    ([isPublished, isRegistered]): Step =>
      (world) =>
        world.end(isPublished, isRegistered),
  ),
  fc
    .tuple(ref, kinds, fingerprint, fc.nat(3))
    .map(([window, list, print, diesAfter]): Step => async ({ bed }) => {
      if (bed.inUse.has(buildIdOf(window))) return;
      await stage(bed, window, { types: list, fingerprint: print, diesAfter });
    }),
  fc.boolean().map(
    (byCatalog): Step =>
      (world) =>
        world.read(byCatalog),
  ),
  fc.integer({ min: 1, max: 30 }).map((hours): Step => async ({ bed }) => {
    pass(bed, hours * hourMs);
  }),
  fc.option(fc.nat(80)).map(
    (diesAt): Step =>
      (world) =>
        world.sweep(diesAt),
  ),
);

describe('the janitor among builds and readers', function () {
  this.timeout(360_000);

  it('takes nothing from pointers, from builds that run, or from readers within the grace', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 50, size: 'max' }),
        async (steps) => {
          const world = new World();
          for (const run of steps) {
            await run(world);
            await world.check();
          }
        },
      ),
      { numRuns: randomCases(60) },
    );
  });

  it('leaves nothing but what pointers name when all is quiet', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 50, size: 'max' }),
        async (steps) => {
          const world = new World();
          const { bed } = world;
          for (const run of steps) await run(world);
          while (world.flights.length > 0) await world.end(true, true);
          for (const window of refs) await bed.publisher.registerWindow(window);
          // Mark; remove, also what was staged and not published; remove the files of that.
          for (let run = 0; run < 3; run += 1) {
            await world.sweep(null);
            pass(bed, graceMs);
          }
          const pointers = (
            await Promise.all(tables.map((table) => readAllPointers(bed.objects, table)))
          ).flat();
          const wanted = pointers.flatMap((pointer) => [
            `_current/${pointer.layer}/${pointer.table}/${pointer.window}.json`,
            `_staged/${pointer.layer}/${pointer.table}/${pointer.window}/${pointer.version}.json`,
            ...pointer.files.map(({ key }) => key),
          ]);
          assert.deepEqual(await keysOf(bed), [...wanted].sort());
        },
      ),
      { numRuns: randomCases(30) },
    );
  });
});
