import type { TransformCase } from '../support/transform-case.ts';
import type { TransformWorld } from '../support/transform-world.ts';
import { type SilverStop, builds, silverStops } from './transform-steps.ts';
import { tellAll } from './transform-kill.ts';

/*
 * A transform worker that stands still in a step, is given up, and wakes up when another has done that
 * step, and published and registered another version after it.
 */

const frozenAt = [
  'between-files',
  'between-copies',
  'between-stage-and-gate',
  'before-the-pointer',
  'between-publish-and-register',
  'before-the-registration',
] as const satisfies readonly SilverStop[];

export const transformFreezes: readonly TransformCase[] = [
  ...frozenAt.map((stop): TransformCase => ({
    name: `transform-freeze-${stop}`,
    about: `SIGSTOP ${stop.replaceAll('-', ' ')} of a version; SIGCONT when a newer one is registered.`,
    run: async (world) => {
      const telling = tellAll(world);
      const first = await world.worker('first', [silverStops[stop]]);
      await first.reached();
      first.freeze();
      await world.worker('second');
      await telling;
      first.thaw();
      // It ends when what it was doing has ended, and not before.
      await first.terminate();
    },
  })),
  {
    name: 'transform-freeze-before-the-removal',
    about:
      'SIGSTOP before a table partition is taken out; SIGCONT when a newer version has it again.',
    run: async (world) => {
      const telling = tellAll(world);
      const first = await world.worker('first', [silverStops['before-the-removal']]);
      await first.reached();
      first.freeze();
      await world.worker('second');
      await telling;
      await pourSearches(world);
      first.thaw();
      await first.terminate();
    },
  },
  {
    name: 'transform-freeze-late-registration-dies',
    about:
      'A late registration of an older version wakes up, takes effect, and dies with it; the janitor runs.',
    run: async (world) => {
      const telling = tellAll(world);
      const step = silverStops['before-the-registration'];
      const first = await world.worker('first', [
        step,
        { ...builds.registration, when: 'after', nth: 1, act: 'die' },
      ]);
      await first.reached();
      first.freeze();
      await world.worker('second');
      await telling;
      first.thaw();
      await first.ended();
      // No build comes for that window any more: the catalog names what was current once, until night.
      await world.ingot('janitor');
    },
  },
];

async function pourSearches(world: TransformWorld): Promise<void> {
  await world.pour(1, { searches: true });
  await world.registered();
}
