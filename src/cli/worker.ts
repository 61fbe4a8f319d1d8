import { Argument, type Command } from 'commander';
import { type WorkerKind, workerKinds, workerReadyLine } from '../stack/worker-processes.ts';
import type { CliContext } from './context.ts';
import { addExamples } from './help.ts';

export function addWorkerCommand(program: Command, context: CliContext): void {
  const command = program
    .command('worker')
    .description(
      'Run a worker process until SIGTERM; what is in flight is finished or handed over.',
    )
    .addArgument(new Argument('<kind>', 'which activities it runs').choices(workerKinds))
    .action((kind: WorkerKind) => work(context, kind));
  addExamples(command, [
    ['ingot worker ingest', 'Kafka to bronze.'],
    ['ingot worker transform', 'Workflows, silver, gold and the catalog.'],
    ['LOG_FORMAT=json ingot worker transform', 'With JSON lines, as in production.'],
  ]);
}

/** The SDK and the engine are loaded on use: they take longer to load than the rest of a command. */
async function work(context: CliContext, kind: WorkerKind): Promise<void> {
  const config = context.loadConfig();
  const signal = context.interruption();
  const { runWorkerProcess } = await import('../workers/process.ts');
  const onReady = () => void process.stdout.write(`${workerReadyLine}\n`);
  await runWorkerProcess({ kind, config, signal, onReady });
}
