import type { ChaosCase } from '../support/run-case.ts';
import type { Installation } from '../support/installation.ts';
import type { World } from '../support/world.ts';
import { stops } from './steps.ts';

/*
 * Two lanes that want the same topic partitions: two installations, each with a lane and an owner,
 * on one bucket and one topic. The one that came last goes on; the other lets go and stays away.
 */

/** No slice ends meanwhile: the next one would begin as another newcomer. */
const settings = { INGEST_SLICE_SECONDS: '600' };

export const rivalCases: readonly ChaosCase[] = [
  {
    name: 'two-ingests-one-after-the-other',
    about: 'A second ingest begins while the first one runs.',
    run: async (world) => {
      await world.ingest('first', { settings });
      await world.sealMore(4);
      const installation = await world.install();
      await world.ingest('second', { installation, settings });
      await world.sealMore(4);
      await expectReplaced(world, world.installations[0]!);
      await expectTakeovers(world, 2);
    },
  },
  {
    name: 'two-ingests-at-once',
    about: 'Two ingests begin at the same time.',
    run: async (world) => {
      const installation = await world.install();
      await Promise.all([
        world.ingest('first', { settings }),
        world.ingest('second', { installation, settings }),
      ]);
      await world.sealMore(4);
      await expectTakeovers(world, 2);
    },
  },
  ...(['before-plan', 'between-raw-copy-and-parquet', 'between-write-and-seal'] as const).map(
    (stop): ChaosCase => ({
      name: `move-while-frozen-${stop}`,
      about: `Another lane takes the topic partitions while the old one is frozen ${stop.replaceAll('-', ' ')}.`,
      run: async (world) => {
        const first = await world.ingest('first', { settings, steps: [stops[stop]] });
        await first.reached();
        // A takeover that is begun before and ends after would be that of the last one, which is killed.
        await world.waitFor('the first lane to have all its logs', async () => {
          const { entries } = await world.logs();
          return entries.filter(({ kind }) => kind === 'takeover').length === 3;
        });
        first.freeze();
        const installation = await world.install();
        await world.ingest('second', { installation, settings });
        await world.sealMore(4);
        // Its own lane would give it new work, as soon as it is awake, and that would be a rival; here
        // the lane has moved for good.
        await world.installations[0]!.endLane();
        first.thaw();
        await world.sealMore(3);
        await first.kill();
      },
    }),
  ),
];

async function replacedLogs(installation: Installation): Promise<readonly string[]> {
  const positions = await installation.positions();
  return positions
    .filter(({ stopped }) => stopped?.code === 'WRITER_REPLACED')
    .map(({ log }) => log);
}

async function expectReplaced(world: World, installation: Installation): Promise<void> {
  await world.waitFor(
    'the first lane to know that it was replaced in all its logs',
    async () => (await replacedLogs(installation)).length === 3,
    { limitMs: 60_000 },
  );
}

/** More takeovers than these would be ping-pong. */
async function expectTakeovers(world: World, max: number): Promise<void> {
  const { entries } = await world.logs();
  const takeovers = entries.filter(({ kind }) => kind === 'takeover');
  for (const log of new Set(takeovers.map((each) => each.log))) {
    const count = takeovers.filter((each) => each.log === log).length;
    world.expect(count <= max, `${log} was taken over ${count} times`);
  }
}
