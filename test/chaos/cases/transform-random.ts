import { setTimeout as pause } from 'node:timers/promises';
import type { TransformCase } from '../support/transform-case.ts';

/* SIGKILL at moments that nobody has chosen; the seed of the run decides them. */

const series = 4;
const killsEach = 5;
const momentMsMax = 3_000;
const pourEveryMs = 700;

/** Twenty moments in four lakes, so that they may run side by side; gold is built in one of them. */
export const transformRandom: readonly TransformCase[] = Array.from(
  { length: series },
  (_, index) => ({
    name: `transform-random-${index + 1}`,
    about: `SIGKILL of the transform worker at ${killsEach} random moments, while batches come in.`,
    withGold: index === 0,
    run: async (world) => {
      let pouring = true;
      const pour = async (): Promise<void> => {
        while (pouring) {
          await world.pour(1);
          await pause(pourEveryMs);
        }
      };
      const running = pour();
      running.catch(() => undefined);
      for (let kill = 0; kill < killsEach; kill += 1) {
        const process = await world.worker(`process-${kill}`);
        await pause(world.random.below(momentMsMax));
        await process.kill();
      }
      pouring = false;
      await running;
      await world.worker('last');
      await world.close();
      await world.registered();
    },
  }),
);
