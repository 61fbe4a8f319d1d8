import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { createConsole } from '../src/cli/console.ts';
import { stackReport } from '../src/cli/stack-report.ts';
import { startTestStack } from '../test/support/test-stack.ts';
import type { BuildTime } from './support/lake-builds.ts';
import { median } from './support/measure.ts';
import { measureOrchestration } from './support/orchestration.ts';
import { runMeasured, runMeasuredInPlace, unlessAborted } from './support/run-process.ts';
import type { CeilingMeasured } from './support/transform-ceiling.ts';
import type { TransformMeasured } from './support/transform-measured.ts';

/*
 * How fast builds are, and whether their cost follows their work: the activities of real builds over
 * the real ports, each kind in a process of its own, beside a ceiling of the same run.
 */

const help = `npm run bench:transform -- [--rows 1000000] [--repeat 5] [--history-days 30] [--only <name>]

  Measures, with the activities that the transform worker runs:
    silver      rebuild of that many bronze rows over three event hours, and the nine gold tables
    fold        60,000 rows in 90 batches into an hour that holds none
    full fold   the same into an hour that holds --full-rows (3500000) rows
    history     silver, gold and fold again, after so many days of history
    many        rebuild of an hour of 5,400 batches, once
  Prints medians and as its last line JSON. --only measures one of: silver, fold, full, history, many.
`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    'full-rows': { type: 'string', default: '3500000' },
    repeat: { type: 'string', default: '5' },
    'history-days': { type: 'string', default: '30' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const [rows, fullRows, repeat, historyDays] = [
  Number(values.rows),
  Number(values['full-rows']),
  Number(values.repeat),
  Number(values['history-days']),
] as const;
if (![rows, fullRows, repeat, historyDays].every((each) => Number.isInteger(each) && each > 0)) {
  process.stderr.write(
    '--rows, --full-rows, --repeat and --history-days must be whole numbers above 0\n',
  );
  process.exit(2);
}
const parts = ['silver', 'fold', 'full', 'history', 'many'] as const;
if (values.only !== undefined && !(parts as readonly string[]).includes(values.only)) {
  process.stderr.write(`--only must be one of: ${parts.join(', ')}\n`);
  process.exit(2);
}
const wanted = (part: (typeof parts)[number]): boolean => (values.only ?? part) === part;

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const { stdout, stderr, env } = process;
const terminal = createConsole({ stdout, stderr, env, now: () => performance.now() });
const stack = await startTestStack({
  env,
  report: stackReport({ console: terminal, env }),
  signal: interrupted.signal,
});
const sampleFolder = await mkdtemp(join(tmpdir(), 'ingot-bench-sample-'));
try {
  await unlessAborted(interrupted.signal, measure);
} finally {
  await rm(sampleFolder, { recursive: true, force: true });
  await terminal.step('Stopping the stack', stack.stop);
}

async function measure(): Promise<void> {
  const load = loadavg()[0] ?? 0;
  const all: Record<string, readonly BuildTime[]> = {};
  const peaks: number[] = [];
  const note = (name: string, times: readonly BuildTime[]): void => {
    if (times.length > 0) all[name] = times;
  };
  const ceilings: Record<string, CeilingMeasured> = {};
  let overhead: readonly { readonly totalMs: number; readonly overheadMs: number }[] = [];
  const scenario = async (kind: string, name: string, days = 0): Promise<TransformMeasured> => {
    const lake = { INGOT_ID: `bench${kind.toLowerCase()}${days}` };
    const filled = await terminal.step(`Filling a lake: ${name}`, () =>
      run('fill', kind, days, '', lake),
    );
    const measured = await terminal.step(`Measuring: ${name}`, () =>
      run('measure', kind, days, JSON.stringify(filled.fills), lake),
    );
    peaks.push(measured.peakRssMiB);
    return { ...measured, fills: filled.fills };
  };
  if (wanted('silver')) {
    const measured = await scenario('rebuild', 'silver and gold');
    note('silver', measured.silver);
    note('gold', measured.gold);
    ceilings['silver'] = await measureCeiling('benchrebuild0');
  }
  if (wanted('fold')) {
    const measured = await scenario('fold', 'fold into an empty hour');
    note('fold', measured.silver);
    const window = (index: number) => measured.fills[index]!.pending;
    const builds = windowsOfFold(repeat).map((id, index) => ({
      window: id,
      pending: window(index),
    }));
    const lake = { ...stack.env, INGOT_ID: 'benchfold0' };
    overhead = await terminal.step('Builds as workflows', () => measureOrchestration(lake, builds));
  }
  if (wanted('full')) {
    note('full fold', (await scenario('fullFold', 'fold into a full hour')).silver);
  }
  if (wanted('history')) {
    const days = historyDays;
    const measured = await scenario('rebuild', `silver and gold after ${days} days`, days);
    note('silver with history', measured.silver);
    note('gold with history', measured.gold);
    // The machine of now is not that of minutes ago.
    ceilings['silver with history'] = await measureCeiling(`benchrebuild${days}`);
    const folded = await scenario('fold', `fold into an empty hour after ${days} days`, days);
    note('fold with history', folded.silver);
  }
  if (wanted('many')) {
    note('5,400 batches', (await scenario('manyBatches', 'an hour of 5,400 batches')).silver);
  }
  print({ all, ceilings, overhead, load });
  process.stdout.write(`${JSON.stringify(lastLine(all, peaks))}\n`);
}

function run(
  act: 'fill' | 'measure',
  kind: string,
  days: number,
  fromFill: string,
  lake: Readonly<Record<string, string>>,
): Promise<TransformMeasured> {
  const spec = { act, kind, rows, fullRows, repeat, historyDays: days, sampleFolder, fromFill };
  const settings = { ...stack.env, ...lake };
  const args = [JSON.stringify(spec)];
  return runMeasuredInPlace<TransformMeasured>('transform.ts', args, settings, interrupted.signal);
}

function measureCeiling(lake: string): Promise<CeilingMeasured> {
  const settings = { ...stack.env, INGOT_ID: lake };
  const args = [String(repeat)];
  return terminal.step('Ceiling', () =>
    runMeasured<CeilingMeasured>('transform-ceiling.ts', args, settings, interrupted.signal),
  );
}

/** The hours that the process has folded into, one in each round. */
function windowsOfFold(rounds: number): readonly string[] {
  const day = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 2 * 86_400_000;
  return Array.from({ length: rounds + 1 }, (_, round) =>
    new Date(day + (8 + round) * 3_600_000).toISOString().slice(0, 13),
  );
}

function ms(times: readonly BuildTime[] | undefined): number | null {
  return times === undefined ? null : Math.round(median(times.map((each) => each.ms)));
}

function lastLine(all: Readonly<Record<string, readonly BuildTime[]>>, peaks: readonly number[]) {
  const silverMs = ms(all['silver']);
  return {
    silverRowsPerSecond: silverMs === null ? null : Math.round(rows / (silverMs / 1_000)),
    foldMs: ms(all['fold']),
    foldMsFullHour: ms(all['full fold']),
    goldMs: ms(all['gold']),
    foldMsWithHistory: ms(all['fold with history']),
    goldMsWithHistory: ms(all['gold with history']),
    rebuild5400BatchesMs: ms(all['5,400 batches']),
    peakRssMiB: Math.round(Math.max(...peaks)),
  };
}

function print(told: {
  readonly all: Readonly<Record<string, readonly BuildTime[]>>;
  readonly ceilings: Readonly<Record<string, CeilingMeasured>>;
  readonly overhead: readonly { readonly totalMs: number; readonly overheadMs: number }[];
  readonly load: number;
}): void {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  terminal.say('');
  terminal.say(
    `${machine}, Node ${process.versions.node}, load ${told.load.toFixed(1)} at the start`,
  );
  terminal.say(`${rows} rows; medians of ${repeat}; steps are summed over builds of one time\n`);
  const head = ['', 'ms', 'least', 'most', 'stage', 'check', 'publish', 'register', 'core-seconds'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const [name, times] of Object.entries(told.all)) {
    const of = (pick: (time: BuildTime) => number): string => median(times.map(pick)).toFixed(0);
    table.push([
      name,
      of((time) => time.ms),
      Math.min(...times.map((time) => time.ms)).toFixed(0),
      Math.max(...times.map((time) => time.ms)).toFixed(0),
      of(({ stage }) => stage),
      of(({ check }) => check),
      of(({ publish }) => publish),
      of(({ register }) => register),
      median(times.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
    ]);
  }
  terminal.say(table.toString());
  for (const [name, { rounds, cpuSeconds, records }] of Object.entries(told.ceilings)) {
    const ceilingMs = median(rounds);
    const times = (median(told.all[name]!.map(({ ms }) => ms)) / ceilingMs).toFixed(2);
    terminal.say(
      `ceiling, the engine alone: ${records} rows in ${ceilingMs.toFixed(0)} ms, ` +
        `${cpuSeconds.toFixed(2)} core-seconds; ${name} took ${times} times that`,
    );
  }
  if (told.overhead.length > 0) {
    const text = median(told.overhead.map(({ overheadMs }) => overheadMs)).toFixed(0);
    terminal.say(
      `orchestration of a build, start to reported, on top of its activities: ${text} ms`,
    );
  }
}
