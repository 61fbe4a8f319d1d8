import type { ChaosCase } from '../support/run-case.ts';
import { type Stop, stops } from './steps.ts';

/* SIGKILL at each named step; another process goes on. */

export const killCases: readonly ChaosCase[] = [
  ...(Object.keys(stops) as Stop[]).map(killAt),
  {
    name: 'kill-at-the-same-step-again',
    about: 'Three processes in a row are killed between plan and seal.',
    run: async (world) => {
      for (const [index, stop] of (
        [
          'between-plan-and-write',
          'between-raw-copy-and-parquet',
          'between-write-and-seal',
        ] as const
      ).entries()) {
        // What lies open is finished first: the very first step of its kind is the redo.
        const step = { ...stops[stop], nth: 1 };
        const process = await world.ingest(`process-${index}`, { steps: [step] });
        await process.reached();
        await process.kill();
      }
      await world.ingest('last');
    },
  },
  {
    name: 'terminate-under-load',
    about: 'SIGTERM while records arrive: it flushes, seals and ends.',
    run: async (world) => {
      const first = await world.ingest('first');
      await world.sealMore(4);
      await first.terminate();
      const { problems } = await world.logs();
      world.expect(problems.length === 0, `it left its logs undone: ${problems.join('; ')}`);
      await world.ingest('second');
    },
  },
];

function killAt(stop: Stop): ChaosCase {
  return {
    name: `kill-${stop}`,
    about: `SIGKILL ${stop.replaceAll('-', ' ')}; a new process takes over.`,
    run: async (world) => {
      const first = await world.ingest('first', { steps: [stops[stop]] });
      await first.reached();
      await first.kill();
      await world.ingest('second');
    },
  };
}
