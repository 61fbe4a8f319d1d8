import { messageOf } from '../../../src/errors.ts';
import { type Verdict, checkLake } from './lake-check.ts';
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

export type CaseResult = {
  readonly name: string;
  readonly verdict: Omit<Verdict, 'entries' | 'problems'>;
  readonly seconds: number;
  readonly problems: readonly string[];
  /** Where the facts of a failure lie. */
  readonly kept: string | null;
};

const nothing = { records: 0, batches: 0, lost: 0, doubled: 0 };

/** Never throws: what goes wrong is a problem of the case. */
export async function runCase(harness: Harness, chaos: ChaosCase): Promise<CaseResult> {
  const begin = performance.now();
  const { name, withDisputed = false } = chaos;
  const problems: string[] = [];
  let verdict: CaseResult['verdict'] = nothing;
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
      const { problems: found, entries, ...figures } = await checkLake(files, produced);
      verdict = figures;
      problems.push(...world.failed, ...found);
      if (problems.length > 0 || harness.keep) {
        kept = await world.keep({ name, problems, verdict, entries, keys: [...files.keys()] });
      }
    } finally {
      await world.close();
    }
  } catch (error) {
    note(error);
  }
  return { name, verdict, problems, kept, seconds: (performance.now() - begin) / 1_000 };
}

export function describeResult({ name, verdict, seconds, problems, kept }: CaseResult): string {
  const { lost, doubled, records, batches } = verdict;
  const figures = `records ${records}, batches ${batches}, seconds ${seconds.toFixed(1)}`;
  const line = `case ${name}: lost ${lost}, doubled ${doubled} (${figures})`;
  if (problems.length === 0) return line;
  const more = kept === null ? [] : [`facts and logs: ${kept}`];
  return [`${line} FAILED`, ...[...problems, ...more].map((text) => `  ${text}`)].join('\n');
}
