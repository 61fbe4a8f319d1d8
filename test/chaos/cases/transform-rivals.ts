import type { BuildMode } from '../../../src/lake/pointer.ts';
import { firstHour } from '../support/transform-batches.ts';
import { pointerHistory } from '../support/lake-view.ts';
import type { TransformCase } from '../support/transform-case.ts';
import { silverStops } from './transform-steps.ts';

/* Several builders of one window: each version is made from the one before it, whoever is faster. */

const rounds = 3;
const modes: readonly BuildMode[] = ['rebuild', 'fold', 'rebuild', 'fold'];

export const transformRivals: readonly TransformCase[] = [
  {
    name: 'transform-rival-of-a-frozen-publisher',
    about: 'SIGSTOP before the pointer is put; another builder publishes other files; SIGCONT.',
    run: async (world) => {
      await world.pour(2);
      const first = await world.worker('first', [silverStops['before-the-pointer']]);
      await world.registered();
      await world.pour(2);
      await first.reached();
      first.freeze();
      await world.worker('second');
      const built = await world.build('rival', 'rebuild', 3);
      world.expect(['published', 'superseded'].includes(built.outcome), `rival: ${built.outcome}`);
      first.thaw();
      await first.terminate();
      await world.close();
      await world.registered();
    },
  },
  {
    name: 'transform-rivals-at-once',
    about: 'Four builders of one window at once, and the owner, on two workers; three times.',
    run: async (world) => {
      await world.pour(1);
      await Promise.all([world.worker('first'), world.worker('second')]);
      await world.registered();
      for (let round = 1; round <= rounds; round += 1) {
        await world.pour(1);
        const results = await Promise.all(
          modes.map((mode, index) => world.build(`rival-${round}-${index}`, mode, round)),
        );
        const history = await pointerHistory(
          world.view,
          `_current/silver/events_cleaned/${firstHour}`,
        );
        const versions = [...history.values()].flat().map(({ version }) => version);
        for (const { outcome, version } of results) {
          world.expect(outcome !== 'failed', 'a builder has failed');
          const isThere = version !== null && versions.includes(version);
          world.expect(outcome !== 'published' || isThere, `${version} says it was published`);
        }
      }
      await world.close();
      await world.registered();
    },
  },
];
