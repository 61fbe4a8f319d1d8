import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { createConsole } from '../src/cli/console.ts';
import { stackReport } from '../src/cli/stack-report.ts';
import { startTestStack } from '../test/support/test-stack.ts';
import {
  type FreshnessLake,
  startFreshnessLake,
  topicPartitions,
} from './support/freshness-lake.ts';
import {
  createMarkerBook,
  type MarkerBook,
  percentiles,
  type ProducedRange,
  type StageResult,
  stages,
} from './support/freshness-markers.ts';
import { startProducer } from './support/freshness-process.ts';
import {
  type Asked,
  type Question,
  readCatalogAndGold,
  readSilver,
} from './support/freshness-readers.ts';
import { stepNames } from './support/freshness-steps.ts';
import { median } from './support/measure.ts';

/*
 * How old an event is when readers first see it, under a steady load of real worker processes: from
 * the moment at which it is handed to the producer to the end of the first question that shows it.
 */

const help = `npm run bench:freshness -- [--rate 1000] [--minutes 5] [--prefilled 0] [--fold-seconds 60]

  Sends events at an even rate and watches about 20 of them a second, until they are seen:
    silver     by a resident reader that asks as \`ingot query\` does, live tail included, every 250 ms
    catalog    by a reader of the files that the catalog names
    gold       in every gold table of their hour and day, with GOLD_REFRESH=follow
  --prefilled N first fills the current hour with N events. --fold-seconds is FOLD_SECONDS.
  Events of the first 20 seconds are not counted. The load goes on until every counted event was seen
  everywhere, 5 minutes at most; one that was not counts with the time that it had waited, and makes
  the exit code 1. Prints the 99th percentile of each minute, and as its last line JSON.

  npm run bench:freshness -- --rate 10000 --minutes 5      at 10,000 events a second
  npm run bench:freshness -- --prefilled 3000000           into an hour that is full already
`;

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '5' },
    prefilled: { type: 'string', default: '0' },
    'fold-seconds': { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const [rate, minutes, prefilled, foldSeconds] = [
  Number(values.rate),
  Number(values.minutes),
  Number(values.prefilled),
  Number(values['fold-seconds']),
] as const;
const areWhole = [rate, foldSeconds].every((each) => Number.isInteger(each) && each > 0);
if (!(areWhole && Number.isInteger(prefilled) && prefilled >= 0 && minutes > 0)) {
  process.stderr.write(
    '--rate and --fold-seconds must be whole numbers above 0, --prefilled one from 0, --minutes above 0\n',
  );
  process.exit(2);
}

const warmUpMs = 20_000;
const drainMsMax = 300_000;
const markersPerSecond = 20;
const minuteMs = 60_000;

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const { stdout, stderr, env } = process;
const terminal = createConsole({ stdout, stderr, env, now: () => performance.now() });
const stack = await startTestStack({
  env,
  report: stackReport({ console: terminal, env }),
  signal: interrupted.signal,
});
const readerFolder = await mkdtemp(join(tmpdir(), 'ingot-bench-reader-'));
try {
  const starting = () => startFreshnessLake(stack.env, { foldSeconds, readerFolder });
  const lake = await terminal.step('Starting the workers', starting);
  try {
    if (prefilled > 0) {
      await terminal.step(`Filling the hour with ${prefilled} events`, ({ update }) =>
        lake.prefill(prefilled, (sent) => update(sent, `${sent} sent`)),
      );
    }
    const unseen = await measure(lake);
    if (unseen > 0) process.exitCode = 1;
  } finally {
    await terminal.step('Stopping the workers', lake.stop);
  }
} finally {
  await rm(readerFolder, { recursive: true, force: true });
  await terminal.step('Stopping the stack', stack.stop);
}

type Watched = {
  readonly book: MarkerBook;
  readonly counted: ProducedRange;
  readonly endedMs: number;
  readonly sentPerSecond: number;
  readonly load: number;
  readonly silver: Asked;
  readonly catalog: Asked;
};

/** Answers how many counted events were not seen somewhere. */
async function measure(lake: FreshnessLake): Promise<number> {
  const watched = await terminal.step(`${rate} events a second`, ({ update }) =>
    watch(lake, (done, note) => update(done, note)),
  );
  const { book, counted, endedMs } = watched;
  const result = (range: ProducedRange) =>
    stages.map((stage) => [stage, book.result(stage, range, endedMs)] as const);
  const overall = result(counted).flatMap(([stage, found]) =>
    found === null ? [] : [[stage, found] as const],
  );
  print(watched, overall, result);
  const short = overall.map(([stage, { p50Ms, p95Ms, p99Ms }]) => [stage, { p50Ms, p95Ms, p99Ms }]);
  const unseen = overall.reduce((sum, [, each]) => sum + each.unseen, 0);
  const last = {
    ...(Object.fromEntries(short) as Record<string, unknown>),
    sentPerSecond: watched.sentPerSecond,
    unseen,
  };
  process.stdout.write(`${JSON.stringify(last)}\n`);
  return unseen;
}

async function watch(
  lake: FreshnessLake,
  update: (done: number, note: string) => void,
): Promise<Watched> {
  const load = loadavg()[0] ?? 0;
  const book = createMarkerBook();
  const stopping = new AbortController();
  let sent = 0;
  let firstMs = Infinity;
  let untilMs = Infinity;
  const spec = {
    topic: lake.topic,
    partitions: topicPartitions,
    rate,
    count: null,
    fromMs: 0,
    firstSerial: prefilled,
    markersPerSecond,
  };
  const producer = startProducer(spec, lake.env, (produced) => {
    firstMs = Math.min(firstMs, Date.now());
    untilMs = firstMs + warmUpMs + minutes * minuteMs;
    if (Date.now() < untilMs) sent += produced.sent;
    // The load goes on while the last ones are waited for, but there is nothing more to watch.
    book.add(produced.markers.filter(({ producedMs }) => producedMs < untilMs));
  });
  const deps = { ports: lake.readerPorts, config: lake.config, book, signal: stopping.signal };
  const reading = Promise.all([readSilver(deps), readCatalogAndGold(deps)]);
  const isOver = (): boolean => {
    const open = stages.some((stage) => book.waiting(stage).length > 0);
    return Date.now() > untilMs && (!open || Date.now() > untilMs + drainMsMax);
  };
  const following = async (): Promise<void> => {
    while (!isOver()) {
      await pause(500, undefined, { signal: interrupted.signal });
      const waiting = stages.map((stage) => `${stage} ${book.waiting(stage).length}`);
      update(sent, `${sent} sent, ${book.count()} watched, waiting: ${waiting.join(', ')}`);
    }
  };
  const gone = producer.ended.then(() => Promise.reject(new Error('the producer ended too early')));
  try {
    // Readers and producer only end early by failing.
    await Promise.race([following(), gone, reading]);
    const endedMs = Date.now();
    gone.catch(() => undefined);
    stopping.abort();
    const [silver, catalog] = await reading;
    const counted = { fromMs: firstMs + warmUpMs, untilMs };
    const sentPerSecond = Math.round((sent * 1_000) / (untilMs - firstMs));
    return { book, counted, endedMs, sentPerSecond, load, silver, catalog };
  } finally {
    stopping.abort();
    await producer.stop();
  }
}

function print(
  { counted, sentPerSecond, load, silver, catalog }: Watched,
  overall: readonly (readonly [string, StageResult])[],
  result: (range: ProducedRange) => readonly (readonly [string, StageResult | null])[],
): void {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  terminal.say('');
  terminal.say(
    `${machine}, Node ${process.versions.node}, load ${load.toFixed(1)} at the start, ${(loadavg()[0] ?? 0).toFixed(1)} at the end`,
  );
  terminal.say(
    `${rate} events/s wanted, ${sentPerSecond} sent, ${prefilled} before; the first ${warmUpMs / 1_000} s are not counted\n`,
  );
  const head = ['', 'p50 ms', 'p95 ms', 'p99 ms', 'most', 'watched', 'unseen'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const [stage, { p50Ms, p95Ms, p99Ms, maxMs, markers, unseen }] of overall) {
    table.push([stage, ...[p50Ms, p95Ms, p99Ms, maxMs, markers, unseen].map(String)]);
  }
  terminal.say(table.toString());
  const byMinute = new Table({
    head: ['minute, UTC', ...stages.map((stage) => `${stage} p99 ms`)],
    style: { head: [], border: [] },
  });
  // Minutes of the clock, so that an hour begins with one.
  const first = Math.floor(counted.fromMs / minuteMs) * minuteMs;
  for (let fromMs = first; fromMs < counted.untilMs; fromMs += minuteMs) {
    const range = {
      fromMs: Math.max(fromMs, counted.fromMs),
      untilMs: Math.min(fromMs + minuteMs, counted.untilMs),
    };
    const found = result(range).map(([, each]) => (each === null ? '' : String(each.p99Ms)));
    byMinute.push([new Date(fromMs).toISOString().slice(11, 16), ...found]);
  }
  terminal.say(byMinute.toString());
  terminal.say(questionsOf(silver));
  for (const [reader, { faults }] of Object.entries({ resident: silver, catalog })) {
    if (faults.length > 0) {
      terminal.say(
        `${faults.length} questions of the ${reader} reader failed; the last: ${faults.at(-1)}`,
      );
    }
  }
}

/** With a tail and without one, because a tail is cleaned by every question that meets it. */
function questionsOf({ questions }: Asked): string {
  const head = ['questions', '', 'p50 ms', 'p99 ms', ...stepNames, 'objects', 'tail rows'];
  const table = new Table({ head, style: { head: [], border: [] } });
  const withTail = questions.filter(({ tailRows }) => tailRows > 0);
  const without = questions.filter(({ tailRows }) => tailRows === 0);
  const [slowest] = [...questions].sort((a, b) => b.tookMs - a.tookMs);
  const kinds = [
    ['with a tail', withTail],
    ['without', without],
    ['the slowest', slowest === undefined ? [] : [slowest]],
  ] as const;
  for (const [name, of] of kinds) {
    if (of.length === 0) continue;
    const { p50Ms, p99Ms } = percentiles(of.map(({ tookMs }) => tookMs));
    const middle = (pick: (question: Question) => number): string =>
      median(of.map(pick)).toFixed(0);
    table.push([
      name,
      String(of.length),
      String(p50Ms),
      String(p99Ms),
      ...stepNames.map((step) => middle(({ steps }) => steps[step] ?? 0)),
      middle(({ tookMs, steps }) => tookMs - Object.values(steps).reduce((sum, ms) => sum + ms, 0)),
      middle(({ tailRows }) => tailRows),
    ]);
  }
  return table.toString();
}
