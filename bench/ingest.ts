import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { createConsole } from '../src/cli/console.ts';
import { stackReport } from '../src/cli/stack-report.ts';
import { loadConfig } from '../src/config.ts';
import { startTestStack } from '../test/support/test-stack.ts';
import {
  type IngestMeasured,
  type Measured,
  median,
  silentLogger,
  type Stages,
} from './support/measure.ts';
import { runMeasured, unlessAborted } from './support/run-process.ts';
import { fillTopic } from './support/topic.ts';

/*
 * How fast ingest is, against a ceiling of the same run: kafkajs and JSON.parse alone, in as many
 * worker threads. Every measurement is a process of its own, and they take turns.
 */

const help = `npm run bench:ingest -- [--records 2000000] [--partitions 3] [--repeat 5]

  Measures on one topic of gzip JSON records, which is filled first:
    ceiling        consume and JSON.parse, nothing else, in as many threads as ingest
    ingest         as it ships, with the raw copy
    ingest no raw  the same with INGEST_RAW_COPY=false
  Prints medians, the core-seconds of each stage, and as its last line JSON.
`;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '2000000' },
    partitions: { type: 'string', default: '3' },
    repeat: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const records = Number(values.records);
const topicPartitions = Number(values.partitions);
const repeat = Number(values.repeat);
const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;
if (![records, topicPartitions, repeat].every(isCount)) {
  process.stderr.write('--records, --partitions and --repeat must be whole numbers above 0\n');
  process.exit(2);
}

const topic = 'user-activity-bench';
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const { stdout, stderr, env } = process;
const terminal = createConsole({ stdout, stderr, env, now: () => performance.now() });
const stack = await startTestStack({
  env,
  report: stackReport({ console: terminal, env }),
  signal: interrupted.signal,
});
try {
  await unlessAborted(interrupted.signal, measure);
} finally {
  await terminal.step('Stopping the stack', stack.stop);
}

async function measure(): Promise<void> {
  const filled = await terminal.step(`Filling the topic with ${records} records`, ({ note }) =>
    fillTopic({
      config: loadConfig(stack.env),
      logger: silentLogger,
      topic,
      records,
      topicPartitions,
      onProgress: (sent) => note(`${Math.round((sent / records) * 100)} %`),
    }),
  );
  const ceiling: Measured[] = [];
  const ingest: IngestMeasured[] = [];
  const noRaw: IngestMeasured[] = [];
  for (let round = 1; round <= repeat; round += 1) {
    const at = `round ${round} of ${repeat}`;
    ceiling.push(await terminal.step(`Ceiling, ${at}`, () => run('ceiling.ts', {})));
    ingest.push(await terminal.step(`Ingest, ${at}`, () => run('ingest.ts', lake(round, 'a'))));
    const without = { ...lake(round, 'b'), INGEST_RAW_COPY: 'false' };
    noRaw.push(
      await terminal.step(`Ingest without raw copy, ${at}`, () => run('ingest.ts', without)),
    );
  }
  const stages = await terminal.step('Core-seconds of each stage', () =>
    run<Measured & Stages>('stages.ts', lake(0, 's')),
  );
  const [cpu] = cpus();
  terminal.say('');
  terminal.say(
    `${records} records of ${(filled.jsonBytes / records).toFixed(0)} bytes of JSON, gzip, ${topicPartitions} topic partitions`,
  );
  terminal.say(
    `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`,
  );
  terminal.say(`medians of ${repeat}; clock from the first fetch to the last durable object\n`);
  terminal.say(tableOf({ ceiling, ingest, 'ingest no raw': noRaw }));
  terminal.say(stagesOf(stages));
  const ceilingPerSecond = perSecond(ceiling);
  const ingestPerSecond = perSecond(ingest);
  const ingestNoRawPerSecond = perSecond(noRaw);
  const jsonBytes = filled.jsonBytes / records;
  const bytesPerRow = median(ingest.map((each) => each.bytesPerRow));
  const last = {
    topicPartitions,
    ceilingPerSecond,
    ingestPerSecond,
    ratio: rounded(ingestPerSecond / ceilingPerSecond),
    ingestNoRawPerSecond,
    ratioNoRaw: rounded(ingestNoRawPerSecond / ceilingPerSecond),
    peakRssMiB: Math.round(Math.max(...[...ingest, ...noRaw].map(({ peakRssMiB }) => peakRssMiB))),
    bytesPerRow: rounded(bytesPerRow),
    rawBytesPerRow: rounded(median(ingest.map((each) => each.rawBytesPerRow))),
    jsonBytesPerRow: rounded(jsonBytes),
    smallerThanJson: rounded(1 - bytesPerRow / jsonBytes),
  };
  process.stdout.write(`${JSON.stringify(last)}\n`);
}

function run<T extends Measured>(
  file: string,
  settings: Readonly<Record<string, string>>,
): Promise<T> {
  const thread = new URL(`./support/${file.replace('.ts', '-thread.ts')}`, import.meta.url);
  const settingsOfRun = { ...stack.env, ...settings };
  return runMeasured<T>(file, [topic, thread.href], settingsOfRun, interrupted.signal);
}

/** A lake of its own for each run. */
function lake(round: number, kind: string): Readonly<Record<string, string>> {
  return { INGOT_ID: `bench${round}${kind}` };
}

function perSecond(list: readonly Measured[]): number {
  return Math.round(median(list.map((each) => each.records / each.seconds)));
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function tableOf(all: Readonly<Record<string, readonly Measured[]>>): string {
  const table = new Table({
    head: ['', 'records/s', 'min', 'max', 'seconds', 'core-seconds', 'peak MiB'],
    style: { head: [], border: [] },
  });
  for (const [name, list] of Object.entries(all)) {
    const rates = list.map((each) => Math.round(each.records / each.seconds));
    table.push([
      name,
      String(perSecond(list)),
      String(Math.min(...rates)),
      String(Math.max(...rates)),
      median(list.map(({ seconds }) => seconds)).toFixed(1),
      median(list.map(({ cpuSeconds }) => cpuSeconds)).toFixed(1),
      median(list.map(({ peakRssMiB }) => peakRssMiB)).toFixed(0),
    ]);
  }
  return table.toString();
}

function stagesOf({ stages }: Stages): string {
  const table = new Table({
    head: ['stage', 'core-seconds per million records'],
    style: { head: [], border: [] },
  });
  for (const [name, seconds] of Object.entries(stages)) table.push([name, seconds.toFixed(2)]);
  return table.toString();
}
