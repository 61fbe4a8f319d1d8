import type { TransformCase } from '../support/transform-case.ts';
import type { TransformWorld } from '../support/transform-world.ts';
import { type GoldStop, type SilverStop, goldStops, silverStops } from './transform-steps.ts';

/* SIGKILL at each named step of a build; another process goes on. */

export const transformKills: readonly TransformCase[] = [
  ...(Object.keys(silverStops) as SilverStop[]).map((stop): TransformCase => ({
    name: `transform-kill-${stop}`,
    about: `SIGKILL of the transform worker ${stop.replaceAll('-', ' ')}.`,
    run: async (world) => {
      const telling = tellAll(world);
      const first = await world.worker('first', [silverStops[stop]]);
      await first.reached();
      await first.kill();
      await world.worker('second');
      await telling;
    },
  })),
  ...(Object.keys(goldStops) as GoldStop[]).map((stop): TransformCase => ({
    name: `transform-kill-gold-${stop}`,
    about: `SIGKILL of the transform worker, at work on gold, ${stop.replaceAll('-', ' ')}.`,
    withGold: true,
    run: async (world) => {
      await world.pour(2);
      const first = await world.worker('first', [goldStops[stop]]);
      await first.reached();
      await first.kill();
      await world.worker('second');
      await world.pour(1);
      await world.close();
    },
  })),
];

/**
 * The life of an hour: a first fold; a second one, of which a whole build will make an event another
 * type than a fold does; and the whole build at its end, in which a table partition vanishes.
 */
export function tellAll(world: TransformWorld): Promise<void> {
  const told = tell(world);
  // Whoever waits for something else first hears of it later.
  told.catch(() => undefined);
  return told;
}

async function tell(world: TransformWorld): Promise<void> {
  await world.pour(2);
  await world.registered();
  await world.pour(2, { early: true });
  await world.registered();
  await world.close();
  await world.registered();
}
