import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createConsole } from '../../src/cli/console.ts';
import { stackReport } from '../../src/cli/stack-report.ts';
import { messageOf } from '../../src/errors.ts';
import { startTestStack } from '../support/test-stack.ts';
import { cases as ingestCases } from './cases/index.ts';
import { transformCases } from './cases/transform.ts';
import { createHarness } from './support/harness.ts';
import { type CaseResult, describeResult, runCase } from './support/run-case.ts';
import { runTransformCase } from './support/transform-case.ts';
import type { Harness } from './support/world.ts';

/* `npm run test:chaos`: kills, freezes and doubles the processes of Ingot, and counts what is left. */

type AnyCase = {
  readonly name: string;
  readonly about: string;
  readonly breaksStack?: boolean;
  readonly start: (harness: Harness) => Promise<CaseResult>;
};

const cases: readonly AnyCase[] = [
  ...ingestCases.map((one) => ({
    ...one,
    start: (harness: Harness) => runCase(harness, one),
  })),
  ...transformCases.map((one) => ({
    ...one,
    start: (harness: Harness) => runTransformCase(harness, one),
  })),
];

const help = `npm run test:chaos -- [options]

  Stops the processes of Ingot at every step of their work, on real parts. After a case of ingest every
  record must lie in bronze or in the dead letters, once. After one of the transforms, transform-*,
  versions must be complete, pointers and catalog agree, every row be accounted for, and whoever only
  lists what the catalog names must never have seen anything but whole versions.

  --seed <text>       repeats the records and moments of a run; printed at its start
  --case <name>       runs this case; a part of a name runs all that hold it; may be given again
  --jobs <number>     so many cases at once, default 3; those that break the stack run alone
  --real-timeouts     the heartbeat timeout that ships (30 s) instead of 8 s
  --keep              keeps the logs of the processes also when all went well
  --list              lists the cases
  --help              prints this

  npm run test:chaos                          everything
  npm run test:chaos -- --case random         only the random moments
  npm run test:chaos -- --case transform      only the builds of silver and gold
  npm run test:chaos -- --seed 4f1c --case kill-before-plan

  Ends with 0 when nothing was lost, doubled or left unaccounted for, with 1 when something was, with
  2 when it does not understand what it is asked.
`;

type Options = {
  readonly seed: string;
  readonly chosen: readonly AnyCase[];
  readonly jobs: number;
  readonly realTimeouts: boolean;
  readonly keep: boolean;
};

const { stdout, stderr, env } = process;
const terminal = createConsole({ stdout, stderr, env, now: () => performance.now() });
const interrupted = new AbortController();

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const { seed, chosen, jobs, realTimeouts, keep } = options;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const begin = performance.now();
  const report = stackReport({ console: terminal, env });
  const stack = await startTestStack({ env, report, signal: interrupted.signal });
  try {
    stdout.write(`seed ${seed}, cases ${chosen.length}\n`);
    const harness = await createHarness({ env: stack.env, seed, keep, realTimeouts, stack });
    const run = async (chaos: AnyCase): Promise<CaseResult> => {
      const result = await terminal.step(chaos.name, () => chaos.start(harness));
      stdout.write(`${describeResult(result)}\n`);
      return result;
    };
    const peaceful = chosen.filter(({ breaksStack }) => breaksStack !== true);
    const results = [
      ...(await inParallel(peaceful, jobs, run)),
      ...(await inParallel(
        chosen.filter(({ breaksStack }) => breaksStack === true),
        1,
        run,
      )),
    ];
    await harness.remove();
    const failed = results.filter(({ problems }) => problems.length > 0);
    const seconds = ((performance.now() - begin) / 1_000).toFixed(0);
    stdout.write(`${sumOf(results)}, failed ${failed.length} (seed ${seed}, seconds ${seconds})\n`);
    if (keep) terminal.say(`logs: ${harness.folder}`);
    else if (failed.length === 0) await rm(harness.folder, { recursive: true, force: true });
    return failed.length === 0 && results.length === chosen.length ? 0 : 1;
  } finally {
    await terminal.step('Stopping the stack', stack.stop);
  }
}

function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string' },
        case: { type: 'string', multiple: true },
        jobs: { type: 'string', default: '3' },
        'real-timeouts': { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return say(stdout, help, 0);
    const named = values.case ?? [];
    const chosen = cases.filter(
      ({ name }) => named.length === 0 || named.some((part) => fits(name, part)),
    );
    if (values.list) {
      const lines = chosen.map(({ name, about }) => `${name.padEnd(46)} ${about}\n`);
      return say(stdout, lines.join(''), 0);
    }
    const jobs = Number(values.jobs);
    if (!Number.isInteger(jobs) || jobs < 1 || jobs > 16) {
      return say(stderr, `--jobs ${values.jobs}: must be a whole number from 1 to 16\n`, 2);
    }
    if (chosen.length === 0) {
      return say(stderr, `--case ${named.join(', ')}: no such case; --list shows them\n`, 2);
    }
    const seed = values.seed ?? randomBytes(4).toString('hex');
    const { keep, 'real-timeouts': realTimeouts } = values;
    return { seed, chosen, jobs, realTimeouts, keep };
  } catch (error) {
    return say(stderr, `${messageOf(error)}\n--help says what there is\n`, 2);
  }
}

/** A whole name means that case alone. */
function fits(name: string, part: string): boolean {
  return cases.some((each) => each.name === part) ? name === part : name.includes(part);
}

function say(stream: NodeJS.WriteStream, text: string, code: number): number {
  stream.write(text);
  return code;
}

/** At most so many at once, in their order; after an interruption none is begun. */
async function inParallel<T, R>(
  things: readonly T[],
  most: number,
  run: (thing: T) => Promise<R>,
): Promise<readonly R[]> {
  const left = [...things];
  const results: R[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      if (interrupted.signal.aborted) return;
      results.push(await run(next));
    }
  };
  await Promise.all(Array.from({ length: most }, work));
  return results;
}

function sumOf(results: readonly CaseResult[]): string {
  const sum: Record<string, number> = { lost: 0, doubled: 0 };
  for (const { figures } of results) {
    for (const [name, value] of Object.entries(figures)) {
      sum[name] = (sum[name] ?? 0) + value;
    }
  }
  const told = Object.entries(sum).map(([name, value]) => `${name} ${value}`);
  return `cases ${results.length}: ${told.join(', ')}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  stderr.write(`${messageOf(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
}
