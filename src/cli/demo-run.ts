import { type LakeFigures, lakeFigures } from '../activities/figures.ts';
import { type Config, type Environment, loadConfig } from '../config.ts';
import { events } from '../datasets/events.ts';
import { IngotError } from '../errors.ts';
import { progressOf } from '../lake/owner-progress.ts';
import type { Ports } from '../ports.ts';
import { ensureStack, stopStack } from '../stack/stack.ts';
import { connectTemporal } from '../stack/temporal-connection.ts';
import { ensureTemporalNamespace } from '../stack/temporal-namespace.ts';
import { startWorkerProcess, stopWorkerProcesses, workerKinds } from '../stack/worker-processes.ts';
import { silentLogger } from '../workers/logger.ts';
import { connectClient } from '../workers/temporal.ts';
import { createPorts } from '../workers/wiring.ts';
import type { CliContext } from './context.ts';
import { produceDemoEvents } from './demo-produce.ts';
import {
  type ReportInput,
  accountingLines,
  layerLines,
  print,
  printAnswers,
  sampleGoldRecord,
  whereToLook,
} from './demo-report.ts';
import { demoEnvironment, demoRunId, demoTopic, rememberDemo } from './demo-settings.ts';
import { waitForIngest, waitForOwner } from './demo-wait.ts';
import type { DemoOptions } from './demo-options.ts';
import { stackReport } from './stack-report.ts';

/* The main job of the demo, from an empty namespace to answers. */

type Run = {
  readonly context: CliContext;
  readonly options: DemoOptions;
  readonly env: Environment;
  readonly config: Config;
  readonly signal: AbortSignal;
};

export async function runDemo(context: CliContext, options: DemoOptions): Promise<void> {
  const startedMs = performance.now();
  context.loadConfig();
  const env = demoEnvironment(context.env, demoRunId(Date.now()));
  const run: Run = {
    context,
    options,
    env,
    config: loadConfig(env),
    signal: context.interruption(),
  };
  const { config, signal } = run;
  const report = stackReport(context);
  const stack = await ensureStack({ config, env, signal, report });
  let kept = false;
  try {
    const done = await work(run);
    const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
    await tellResults(run, done, seconds);
    if (options.keep) {
      await rememberDemo(config, env);
      kept = true;
    }
    if (!done.figures.identitiesHold) {
      throw new IngotError('ACCOUNTING_BROKEN', 'the row accounting does not hold', {
        retryable: false,
      });
    }
  } finally {
    if (!kept) {
      await context.console.step('Workers: finishing what is in flight', () =>
        stopWorkerProcesses(config, config.INGOT_ID),
      );
      await stopStack({ config, env, report, only: stack.startedHere });
    }
  }
}

type Done = {
  readonly ports: Ports;
  readonly figures: LakeFigures;
  readonly produced: number;
  readonly malformed: number;
};

async function work(run: Run): Promise<Done> {
  const { context, config, env, signal } = run;
  const { console } = context;
  const topic = demoTopic(config.INGOT_ID);
  await prepareNamespace(config);
  // Workers take a few seconds to start; the events are on their way meanwhile.
  const workers = console.step('Workers: ingest and transform, starting', () =>
    Promise.all(workerKinds.map((kind) => startWorkerProcess({ config, env, kind, signal }))),
  );
  const producing = produceDemoEvents(run, topic);
  const [produced] = await Promise.all([producing, workers]);

  const ports = await createPorts(config, events, silentLogger);
  const { client, connection } = await connectClient(config);
  try {
    const sealedTo = await console.step('Ingest: plan, write, seal', (line) =>
      waitForIngest({ ports, dataset: events, topic, signal }, line),
    );
    const state = await console.step('Silver and gold: stage, gate, publish, register', (line) =>
      waitForOwner({ client, config, dataset: events.name, sealedTo, signal }, line),
    );
    const { parked } = progressOf(state, config.ALLOWED_LATENESS_SECONDS * 1_000);
    if (parked.length > 0) console.say(`Parked, waiting for a person:\n  ${parked.join('\n  ')}`);
  } finally {
    await connection.close();
  }
  const figures = await console.step('Counting every row', () =>
    lakeFigures({
      ports,
      dataset: events,
      topics: [topic],
      batchWindowsMax: config.BATCH_WINDOWS_MAX,
    }),
  );
  return { ports, figures, produced: produced.records, malformed: produced.malformed };
}

async function prepareNamespace(config: Config): Promise<void> {
  const connection = await connectTemporal(config, 10_000);
  try {
    await ensureTemporalNamespace({ connection, namespace: config.temporalNamespace });
  } finally {
    await connection.close();
  }
}

async function tellResults(run: Run, done: Done, seconds: number): Promise<void> {
  const { config, context, options } = run;
  const input: ReportInput = { config, dataset: events, ...done };
  print('');
  for (const line of [...layerLines(input), '', ...accountingLines(input)]) print(line);
  const sample = await sampleGoldRecord(input);
  print(`\nOne gold record, the hour with the most revenue:\n${JSON.stringify(sample, null, 2)}`);
  await printAnswers(context, input);
  for (const line of whereToLook(config, events.name, options.keep)) print(line);
  print(`\nDone in ${seconds} s.`);
  if (options.json) print(JSON.stringify(jsonFigures(done, seconds)));
}

function jsonFigures({ figures, produced, malformed }: Done, seconds: number): object {
  const { consumption, accounting, notPlaced, gold, identitiesHold } = figures;
  return {
    produced,
    malformed,
    bronze: consumption.bronze,
    deadLetters: consumption.deadLetters,
    silver: accounting.silver,
    duplicates: accounting.duplicates,
    rejected: accounting.rejected,
    notPlaced,
    gold,
    identitiesHold: identitiesHold && consumption.consumed === produced,
    seconds,
  };
}
