import type { PartName } from '../../../src/stack/parts.ts';
import type { ChaosCase } from '../support/run-case.ts';

/* A part that everything leans on is killed under load, and comes back. */

const seconds = { short: 2, long: 12 } as const;

export const outageCases: readonly ChaosCase[] = [
  outage('kafka', 'short'),
  outage('kafka', 'long'),
  outage('aws', 'short'),
  outage('aws', 'long'),
  outage('temporal', 'short'),
  outage('temporal', 'long'),
  {
    name: 'outage-of-everything',
    about: 'Kafka, S3, Temporal and the ingest process are killed at once.',
    breaksStack: true,
    run: async (world) => {
      const first = await world.ingest('first');
      await world.sealMore(4);
      await Promise.all([
        world.crash('kafka'),
        world.crash('aws'),
        world.crash('temporal'),
        first.kill(),
      ]);
      await world.revive();
      await world.ingest('second');
    },
  },
];

function outage(part: PartName, length: keyof typeof seconds): ChaosCase {
  return {
    name: `outage-of-${part}-${length}`,
    about: `${part} is killed under load and is back after ${seconds[length]} s and its own start.`,
    breaksStack: true,
    run: async (world) => {
      await world.ingest('only');
      await world.sealMore(4);
      await world.crash(part);
      // How long it is away is what the case is about.
      await new Promise((resolve) => setTimeout(resolve, seconds[length] * 1_000));
      await world.revive();
      await world.sealMore(4);
    },
  };
}
