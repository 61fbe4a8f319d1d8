import type { ChaosCase } from '../support/run-case.ts';
import { objects } from './steps.ts';

/* Every create of one kind of object succeeds and its answer is lost: the repetition answers 412. */

export const lostAnswerCases: readonly ChaosCase[] = Object.entries(objects).map(
  ([kind, place]) => ({
    name: `lost-answer-${kind}`,
    about: `Each PUT of a ${kind} object is answered only the second time, with 412.`,
    run: async (world) => {
      const steps = [{ ...place, when: 'after', act: 'repeat' } as const];
      // One slice, so that one writer must do it all.
      await world.ingest('only', { steps, settings: { INGEST_SLICE_SECONDS: '600' } });
      await world.sealMore(6);
      const { entries } = await world.logs();
      const writers = new Set(entries.map(({ writer }) => writer));
      world.expect(writers.size === 1, `it took itself for another: ${[...writers].join()}`);
    },
  }),
);
