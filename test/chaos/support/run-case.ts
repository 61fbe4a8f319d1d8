import { messageOf } from '../../../src/errors.ts';
import { checkLake } from './lake-check.ts';
import { type Harness, type World, openWorld } from './world.ts';

/** Something that goes wrong, and what must be true of the lake afterwards. */
export type ChaosCase = {
  readonly name: string;
  /** What happens, in a sentence. */
  readonly about: string;
  /** Parts of the stack go down, so nothing else may run at the same time. */
  readonly breaksStack?: boolean;
  /** Some records are those that two releases place differently. */
  readonly withDisputed?: boolean;
  /** Returns when the worst is over; the lake is then brought to rest and checked. */
  readonly run: (world: World) => Promise<void>;
};

/** What a case has counted, in the order in which it is told. */
export type Figures = { readonly lost: number; readonly doubled: number } & Readonly<
  Record<string, number>
>;

export type CaseResult = {
  readonly name: string;
  readonly figures: Figures;
  readonly seconds: number;
  readonly problems: readonly string[];
  /** Where the facts of a failure lie. */
  readonly kept: string | null;
};

const nothing = { lost: 0, doubled: 0, records: 0, batches: 0 };

/** Never throws: what goes wrong is a problem of the case. */
export async function runCase(harness: Harness, chaos: ChaosCase): Promise<CaseResult> {
  const begin = performance.now();
  const { name, withDisputed = false } = chaos;
  const problems: string[] = [];
  let figures: Figures = nothing;
  let kept: string | null = null;
  const note = (error: unknown): void => void problems.push(messageOf(error));
  try {
    const world = await openWorld(harness, { name, withDisputed });
    try {
      world.ledger.start();
      try {
        await chaos.run(world);
        await world.settle();
      } catch (error) {
        // What lies in the lake is looked at all the same.
        note(error);
        await world.ledger.stop();
      }
      const produced = await world.ledger.produced();
      const files = await world.files();
      const { problems: found, entries, ...counted } = await checkLake(files, produced);
      figures = counted;
      problems.push(...world.failed, ...found);
      if (problems.length > 0 || harness.keep) {
        kept = await world.keep({ name, problems, figures, entries, keys: [...files.keys()] });
      }
    } finally {
      await world.close();
    }
  } catch (error) {
    note(error);
  }
  return { name, figures, problems, kept, seconds: (performance.now() - begin) / 1_000 };
}

export function describeResult({ name, figures, seconds, problems, kept }: CaseResult): string {
  const { lost, doubled, ...others } = figures;
  const more = [...Object.entries(others), ['seconds', seconds.toFixed(1)]];
  const told = more.map(([title, value]) => `${title} ${value}`).join(', ');
  const line = `case ${name}: lost ${lost}, doubled ${doubled} (${told})`;
  if (problems.length === 0) return line;
  const where = kept === null ? [] : [`facts and logs: ${kept}`];
  return [`${line} FAILED`, ...[...problems, ...where].map((text) => `  ${text}`)].join('\n');
}
