import { setTimeout as pause } from 'node:timers/promises';
import type { ChaosCase } from '../support/run-case.ts';

/* SIGKILL at moments that nobody has chosen; the seed of the run decides them. */

const series = 4;
const killsEach = 5;
const momentMsMax = 2_500;

/** Twenty moments in four lakes, so that they may run side by side. */
export const randomCases: readonly ChaosCase[] = Array.from({ length: series }, (_, index) => ({
  name: `random-${index + 1}`,
  about: `SIGKILL at ${killsEach} random moments, each while the newest process writes.`,
  run: async (world) => {
    for (let kill = 0; kill < killsEach; kill += 1) {
      const process = await world.ingest(`process-${kill}`);
      await world.sealMore(1);
      await pause(world.random.below(momentMsMax));
      await process.kill();
    }
    await world.ingest('last');
  },
}));
