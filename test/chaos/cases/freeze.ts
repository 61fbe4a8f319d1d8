import type { ChaosCase } from '../support/run-case.ts';
import type { World } from '../support/world.ts';
import { type Stop, stops } from './steps.ts';

/*
 * A process that stands still for longer than its heartbeat timeout, is replaced, and wakes up in
 * the middle of what it was doing.
 */

export const freezeCases: readonly ChaosCase[] = [
  ...(Object.keys(stops) as Stop[]).map(freezeAt),
  {
    name: 'freeze-anywhere-twice',
    about:
      'SIGSTOP under load wherever it is, a new process, SIGCONT; then the same with that one.',
    run: async (world) => {
      let current = await world.ingest('process-0');
      for (let round = 1; round <= 2; round += 1) {
        await world.sealMore(4);
        current.freeze();
        const next = await world.ingest(`process-${round}`);
        await world.sealMore(4);
        current.thaw();
        await world.sealMore(4);
        // What is replaced and awake may be given work again; only the newest goes on here.
        await current.kill();
        current = next;
      }
    },
  },
];

function freezeAt(stop: Stop): ChaosCase {
  return {
    name: `freeze-${stop}`,
    about: `SIGSTOP ${stop.replaceAll('-', ' ')}; it wakes up when another has long taken over.`,
    run: async (world) => {
      const first = await world.ingest('first', { steps: [stops[stop]] });
      await first.reached();
      first.freeze();
      const before = await takeovers(world);
      await world.ingest('second');
      await world.waitFor(
        'every log to be taken over',
        async () => {
          const now = await takeovers(world);
          return [0, 1, 2].every((log) => (now[log] ?? 0) > (before[log] ?? 0));
        },
        { limitMs: 120_000, everyMs: 500 },
      );
      await world.sealMore(3);
      first.thaw();
      await world.sealMore(4);
    },
  };
}

/** How often each topic partition was taken over. */
async function takeovers(world: World): Promise<readonly number[]> {
  const { entries } = await world.logs();
  const counts = [0, 0, 0];
  for (const { kind, log } of entries) {
    const partition = Number(log.slice(log.lastIndexOf('-') + 1));
    if (kind === 'takeover') counts[partition] = (counts[partition] ?? 0) + 1;
  }
  return counts;
}
