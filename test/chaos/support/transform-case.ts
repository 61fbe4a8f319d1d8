import { messageOf } from '../../../src/errors.ts';
import type { CaseResult, Figures } from './run-case.ts';
import { checkTransforms } from './transform-check.ts';
import { type TransformWorld, openTransformWorld } from './transform-world.ts';
import type { Harness } from './world.ts';

/** Something that goes wrong in a build, and what must be true of silver and gold afterwards. */
export type TransformCase = {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly about: string;
  /** Gold follows silver, and batches bring events of one hour only. */
  readonly withGold?: boolean;
  /** Returns when the worst is over, with a worker that can do the rest. */
  readonly run: (world: TransformWorld) => Promise<void>;
};

const nothing = { lost: 0, doubled: 0, windows: 0, versions: 0, looks: 0, rowsSeen: 0 };

/** Never throws: what goes wrong is a problem of the case. */
export async function runTransformCase(
  harness: Harness,
  { name, withGold = false, run }: TransformCase,
): Promise<CaseResult> {
  const begin = performance.now();
  const problems: string[] = [];
  let figures: Figures = nothing;
  let kept: string | null = null;
  const note = (error: unknown): void => void problems.push(messageOf(error));
  try {
    const world = await openTransformWorld(harness, { name, withGold });
    try {
      try {
        await run(world);
        await world.rest();
      } catch (error) {
        // What lies in the lake is looked at all the same.
        note(error);
      }
      const { problems: found, rowsListed, ...rest } = await checkTransforms(await world.halt());
      figures = { ...rest, rowsSeen: rowsListed };
      problems.push(...world.failed, ...found);
      if (problems.length > 0 || harness.keep) {
        kept = await world.keep({ name, problems, figures });
      }
    } finally {
      await world.end();
    }
  } catch (error) {
    note(error);
  }
  const seconds = (performance.now() - begin) / 1_000;
  const violations = problems.length;
  return { name, figures: { ...figures, violations }, problems, kept, seconds };
}
