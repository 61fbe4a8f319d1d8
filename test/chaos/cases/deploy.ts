import type { ChaosCase } from '../support/run-case.ts';
import { type Stop, stops } from './steps.ts';

/*
 * A rolling deploy: old and new code disagree about which records can be placed, and one of them
 * finishes what the other has planned. A batch has one content all the same.
 */

const killed = [
  'between-plan-and-write',
  'between-raw-copy-and-parquet',
  'between-parquet-and-dead-letters',
  'between-write-and-seal',
] as const satisfies readonly Stop[];

export const deployCases: readonly ChaosCase[] = [
  ...killed.map((stop): ChaosCase => ({
    name: `deploy-kill-${stop}`,
    about: `The old release is killed ${stop.replaceAll('-', ' ')}; the new one finishes the plan.`,
    withDisputed: true,
    run: async (world) => {
      const old = await world.ingest('old', { steps: [stops[stop]] });
      await old.reached();
      await old.kill();
      await world.ingest('new', { otherContract: true });
    },
  })),
  {
    name: 'deploy-back',
    about: 'The new release is killed in the middle of a batch, and the old one comes back.',
    withDisputed: true,
    run: async (world) => {
      const steps = [stops['between-parquet-and-dead-letters']];
      const next = await world.ingest('new', { steps, otherContract: true });
      await next.reached();
      await next.kill();
      await world.ingest('old');
    },
  },
  {
    name: 'deploy-both-in-one-batch',
    about: 'Old and new release write the same batch at the same time, in turns.',
    withDisputed: true,
    run: async (world) => {
      const old = await world.ingest('old', { steps: [stops['between-plan-and-write']] });
      await old.reached();
      old.freeze();
      // The redo is the first that it writes: its Parquet is there, its dead letters are not.
      const step = { ...stops['between-parquet-and-dead-letters'], nth: 1 };
      const next = await world.ingest('new', { steps: [step], otherContract: true });
      await next.reached();
      old.thaw();
      // The old one adopts the Parquet, writes dead letters and seal; nothing else can be sealed.
      await world.sealMore(1);
      next.thaw();
      await world.sealMore(4);
    },
  },
];
